"""INPUTS.md, line 66: the worker killed at any moment. `make faults` does it fifty times, `make test` five."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pytest

from tests.faults import documents, pictures
from tests.faults.host import Worker, descendants, nothing_is_left, running, wait_gone
from tests.limits import HANG_SECONDS

LONGEST_SECONDS = 2.5


@pytest.mark.parametrize(
    ("copies", "kills"),
    [
        (3, 3),
        pytest.param(5, 5, marks=pytest.mark.long),
        pytest.param(5, 50, marks=[pytest.mark.faults_long, pytest.mark.timeout(3600)]),
    ],
)
def test_workers_killed_at_any_moment_side_by_side_lose_nothing_blame_nobody_and_resume(
    copies: int, kills: int, tmp_path: Path
) -> None:
    """Side by side on few processors, files are open or in the making at every end, and are not guilty of it."""
    with ThreadPoolExecutor(copies) as pool:
        runs = [
            pool.submit(_kill_and_resume, seed, kills, tmp_path / str(seed)) for seed in range(1, copies + 1)
        ]
    for run in runs:
        run.result()


def _kill_and_resume(seed: int, kills: int, folder: Path) -> None:
    folder.mkdir()
    moments, files, out = random.Random(seed), _inputs(folder / "in"), folder / "out"
    job = ""
    for _ in range(kills):
        with running(folder / "home") as worker:
            if not job or _state(worker, job) == "completed":
                shutil.rmtree(out, ignore_errors=True)
                job = worker.start_batch(files, out)
            else:
                assert _state(worker, job) == "interrupted"
                worker.send("resume", job_id=job)
            with contextlib.suppress(AssertionError):
                worker.ended(job, moments.uniform(0, LONGEST_SECONDS))
            family = descendants(worker.process.pid)
            worker.process.kill()
            worker.exit_code(HANG_SECONDS)
        wait_gone(family)
        _all_whole(out)

    with running(folder / "home") as worker:
        if _state(worker, job) != "completed":
            worker.send("resume", job_id=job)
            result = worker.ended(job)
            # Outputs that were in place when the worker was killed are found to be up to date.
            done = [*result["successful"], *result["skipped"]]
            assert (len(done), result["failed"]) == (len(files), [])
            assert all(file["reason"] == "up_to_date" for file in result["skipped"])
    _all_whole(out)
    assert len(list(out.glob("*.pdf"))) == len(files)
    nothing_is_left(out)


def _inputs(folder: Path) -> list[Path]:
    folder.mkdir()
    for number in range(4):
        (folder / f"page{number}.png").write_bytes(pictures.png())
    (folder / "long.pdf").write_bytes(documents.whole(documents.scan(*(f"Page {n}" for n in range(10)))))
    return sorted(folder.iterdir())


def _state(worker: Worker, job: str) -> str:
    return next(str(j["state"]) for j in worker.ask("list_jobs")["data"]["jobs"] if j["job_id"] == job)


def _all_whole(out: Path) -> None:
    """What has its name is whole; of what is not, only hidden parts may be there."""
    for path in out.iterdir() if out.exists() else ():
        if path.suffix == ".pdf" and not path.name.startswith("."):
            with pikepdf.open(path) as pdf:
                assert len(pdf.pages) == (10 if path.stem == "long" else 1)
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
