"""The worker, or a page process, killed before each single call that changes a file: nothing is lost, and nothing stays behind.

`make faults` does it at every call, `make test` at a few.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pikepdf
import pytest

from tests.e2e import tree
from tests.e2e.tree import wait_until
from tests.faults import aftermath, documents, pictures
from tests.faults.attackers import Killer, without_links
from tests.faults.host import Event, Spawn, Worker, nothing_is_left, running
from tests.long_rows import first

OUTPUTS = {f"{stem}{end}" for stem in ("long", "page") for end in (".pdf", ".txt", "_ocr_results.json")}
PARTS = 4
KILLED = 9 if sys.platform == "win32" else -signal.SIGKILL
A_FEW = {"worker": (9, 33), "page": (7, 19)}
"""Before the job is known, and in the midst of it; in the making of outputs, and in their moves."""


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files, and the outputs of an earlier run, which the next is to replace."""
    folder = tmp_path_factory.mktemp("before")
    (folder / "in").mkdir()
    (folder / "in" / "page.png").write_bytes(pictures.png())
    (folder / "in" / "long.pdf").write_bytes(documents.whole(documents.scan("One", "Two")))
    with running(folder / "home") as worker:
        assert len(worker.batch(sorted((folder / "in").iterdir()), folder / "out")["successful"]) == 2
    for manifest in (folder / "out").glob("*_manifest.json"):
        manifest.unlink()
    shutil.rmtree(folder / "home")
    return folder


@pytest.mark.parametrize(
    ("role", "numbers"),
    [
        *first(1, A_FEW.items()),
        *(
            pytest.param(role, count(part, PARTS), marks=[pytest.mark.faults_long, pytest.mark.timeout(3600)], id=f"part={role}{part}-")
            for role in A_FEW
            for part in range(1, PARTS + 1)
        ),
    ],
)  # fmt: skip
def test_a_kill_before_a_call_that_changes_files_loses_nothing_and_leaves_nothing(
    role: str, numbers: Iterable[int], before: Path, tmp_path: Path
) -> None:
    _kill_at(role, numbers, before, tmp_path, lambda _: Spawn())


@pytest.mark.parametrize(
    "numbers",
    [(15,), pytest.param(count(1), marks=[pytest.mark.faults_long, pytest.mark.timeout(3600)])],
)
def test_so_too_where_no_file_has_two_names(numbers: Iterable[int], before: Path, tmp_path: Path) -> None:
    _kill_at("page", numbers, before, tmp_path, without_links)


def _kill_at(
    role: str, numbers: Iterable[int], before: Path, folder: Path, spawn: Callable[[Path], Spawn]
) -> None:
    for number in numbers:
        home = folder / str(number)
        shutil.copytree(before, home)
        killer = Killer(home / "hook", role)
        job = _run(home, killer.spawn(number, spawn(home)))
        _require_kept(home / "out", killer.has_killed)
        _require_mended(home, job, killer.has_killed)
        if not killer.has_killed:
            # So many calls there are.
            return
        shutil.rmtree(home)


def _run(home: Path, spawn: Spawn) -> str | None:
    """Do the batch, to its end or the worker's; the job's id once that was told."""
    worker = Worker(home / "home", spawn)
    try:
        worker.send(
            "ocr_batch",
            id="b",
            files=[str(file) for file in sorted((home / "in").iterdir())],
            output_dir=str(home / "out"),
            options={"on_existing": "overwrite"},
        )
        _last_word(worker)
        job = next((str(event["job_id"]) for event in worker.events if event.get("job_id")), None)
        if worker.process.poll() is None:
            worker.send("shutdown", mode="now")
        worker.exit_code()
        tree.wait_gone(worker.state)
    finally:
        worker.close()
    return job


def _last_word(worker: Worker) -> Event | None:
    try:
        return worker.wait(lambda event: event["type"] in ("result", "error"))
    except (AssertionError, BrokenPipeError):
        assert worker.exit_code() == KILLED, worker.log_text()
        return None


def _require_kept(out: Path, call: str) -> None:
    """What was there before, or what is there instead, is whole; under a name that is seen where there are no links."""
    for name in OUTPUTS:
        found = [out / name, *out.glob(f"{name}.kept-*")]
        assert any(path.exists() for path in found), (name, call)
    for path in out.iterdir():
        if path.name.endswith(".pdf"):
            with pikepdf.open(path) as pdf:
                assert len(pdf.pages) == (2 if path.stem == "long" else 1), call
        elif path.name.endswith(".json"):
            json.loads(path.read_bytes())


def _require_mended(home: Path, job: str | None, call: str) -> None:
    """The next worker takes away what was left, and does the job to its end."""
    out = home / "out"
    with running(home / "home") as worker:
        jobs = {one["job_id"]: one["state"] for one in worker.ask("list_jobs")["data"]["jobs"]}
        wait_until(
            lambda: aftermath.what_a_kill_left(worker.state, out) == [], "nothing is left of the kill", 60
        )
        assert set(jobs.values()) <= {"interrupted", "completed", "cancelled"}, (call, jobs)
        assert job is None or job in jobs, (call, jobs)
        for one, state in jobs.items():
            if state != "completed":
                worker.send("resume", job_id=one)
                ended = worker.ended(one)
                assert ended["failed"] == [], (call, ended)
        # A page process that was killed may have cost its file all tries.
        again = worker.batch(sorted((home / "in").iterdir()), out, on_existing="overwrite")
        assert again["failed"] == [], (call, again)
        worker.send("shutdown", mode="drain")
        assert worker.exit_code() == 0
    assert sorted(path.name for path in (home / "home" / "state").rglob("*")) == ["jobs", "jobs.sqlite3"], (
        call
    )
    nothing_is_left(home, call)
    assert {
        path.name for path in out.iterdir() if "manifest" not in path.name and ".kept-" not in path.name
    } == OUTPUTS
