"""A shard is done by any number of tries, on any machine: nothing is lost, and what still holds is not done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_worker.cli.commands.shards import RunCommand, index_of
from ocr_worker.files.liveness import own_mark
from rigs.papers import write_papers
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS
from tests.long_rows import first
from tests.shards import stores
from tests.shards.material import Shards, write_cards


def await_true(holds: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    until = time.monotonic() + HANG_SECONDS
    while not holds():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def put_results(shards: Shards) -> list[Path]:
    return list(shards.out.rglob("*_ocr_results.json"))


def test_a_shard_puts_whole_outputs_and_a_marker_and_is_done_once(shards: Shards) -> None:
    write_papers(shards.inputs, 3)
    shards.plan()

    first = shards.run()

    results = shards.results()
    assert sorted(results) == ["paper01.pdf", "paper02.pdf", "paper03.pdf"]
    assert all(set(record["outputs"]) == {"pdf", "txt"} for record in results.values())
    source = results["paper01.pdf"]["source"]
    assert source["path"] == f"file://{shards.inputs}/paper01.pdf"
    assert source["mtime"] == (shards.inputs / "paper01.pdf").stat().st_mtime_ns
    assert first["files"] == shards.marker()["files"] == {"completed": 3}
    assert shards.leftovers() == []

    write_papers(shards.inputs, 1)
    again = shards.run()

    # By the marker: what an input is by now is not looked at.
    assert again["message"] == "done before"


def test_the_index_comes_from_the_scheduler(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    write_papers(shards.inputs, 3)
    shards.plan("--pages-per-shard", "1")
    shards.ocr.variables["SLURM_ARRAY_TASK_ID"] = "1"

    done = shards.ocr("shards", "run", shards.plan_folder, shards.out, "--offset", "1", "--json")

    assert json.loads(done.stdout)["shard"] == 2
    assert (shards.out / "done/0000/0000002.json").exists()
    for name in ("JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX"):
        monkeypatch.setenv(name, "7")
        assert index_of(RunCommand(plan="p", out="o", offset=1000)) == 1007
        monkeypatch.delenv(name)


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0, reason="needs root, to make a folder of another user"
)
@pytest.mark.parametrize("how", ["a folder", "a link"])
def test_a_folder_of_somebody_else_is_no_place_for_copies(shards: Shards, how: str) -> None:
    """As whoever shares a machine's /tmp may make it."""
    write_papers(shards.inputs, 1)
    shards.plan()
    shards.ocr.variables["TMPDIR"] = str(shards.home)
    theirs = shards.home / f"ocr-shards-{os.getuid()}"
    theirs.mkdir()
    if how == "a link":
        theirs = theirs.rename(shards.home / "theirs")
        theirs.with_name(f"ocr-shards-{os.getuid()}").symlink_to(theirs)
    os.chown(shards.home / f"ocr-shards-{os.getuid()}", 65534, 65534, follow_symlinks=False)

    process = shards.ocr.start("shards", "run", shards.plan_folder, shards.out, "--index", "0")
    _, stderr = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 2
    assert "somebody else's" in stderr
    assert list(theirs.iterdir()) == []


def test_where_the_scratch_folder_takes_no_files_none_go_elsewhere(shards: Shards) -> None:
    write_papers(shards.inputs, 1)
    shards.plan()
    shards.ocr.variables["TMPDIR"] = str(shards.home)
    shards.scratch.touch()

    said = shards.try_to_run()

    assert said.returncode == 75
    assert f"{shards.scratch} takes no files" in said.stdout + said.stderr
    assert [path for path in shards.home.iterdir() if path.name.startswith("ocr-worker-")] == []


def test_an_empty_scratch_folder_of_the_user_stays(shards: Shards) -> None:
    write_papers(shards.inputs, 1)
    shards.plan()
    shards.scratch.mkdir()

    said = shards.try_to_run()

    assert said.returncode == 0
    assert list(shards.scratch.iterdir()) == []


def test_without_an_index_or_with_one_that_the_plan_lacks_nothing_runs(shards: Shards) -> None:
    write_papers(shards.inputs, 1)
    shards.plan()

    without = shards.ocr("shards", "run", shards.plan_folder, shards.out)
    beyond = shards.try_to_run(index=7)

    assert (without.returncode, beyond.returncode) == (2, 2)
    assert not shards.out.exists() or not list(shards.out.rglob("*.json"))


def test_failed_inputs_stand_in_the_marker_with_their_codes(shards: Shards) -> None:
    write_papers(shards.inputs, 4)
    # Its name is not UTF-8.
    Path(os.fsdecode(os.fsencode(shards.inputs) + b"/t\xffrn 1.pdf")).write_bytes(b"%PDF-1.4 and no more")
    shards.plan()
    (shards.inputs / "paper02.pdf").write_bytes(b"%PDF- something else")
    (shards.inputs / "paper03.pdf").unlink()

    said = shards.run()

    assert said["files"] == {"completed": 2, "failed": 3}
    codes = {Path(one["url"]).name: one["code"] for one in shards.marker()["failed"]}
    assert codes == {"paper02.pdf": "changed", "paper03.pdf": "not_found", "t%FFrn%201.pdf": "corrupt"}
    assert sorted(shards.results()) == ["paper01.pdf", "paper04.pdf"]


def test_what_an_earlier_try_put_is_kept_if_it_still_holds(shards: Shards) -> None:
    cards = write_cards(shards.inputs, 3)
    shards.plan()
    shards.run()
    pdfs = sorted(shards.out.rglob("*.pdf"))
    before = {path: path.read_bytes() for path in pdfs}
    (shards.out / "done/0000/0000000.json").unlink()
    pdfs[0].write_bytes(b"%PDF- of somebody else")

    said = shards.run()

    assert said["files"] == {"completed": 1, "kept": 2}
    assert said["pages"] == len(cards)
    # A try that does it again makes the very same.
    assert {path: path.read_bytes() for path in pdfs} == before
    assert len(shards.results()) == 3


def test_two_tries_at_once_do_no_harm(shards: Shards) -> None:
    write_cards(shards.inputs, 4)
    shards.plan()

    tries = [shards.ocr.start(*shards.run_words()) for _ in range(2)]
    ends = [one.communicate(timeout=HANG_SECONDS) for one in tries]

    assert [one.returncode for one in tries] == [0, 0], ends
    assert len(shards.results()) == 4
    assert shards.leftovers() == []


def test_an_order_to_end_puts_what_is_finished_and_the_next_try_does_the_rest(shards: Shards) -> None:
    write_cards(shards.inputs, 12)
    shards.plan()
    shards.ocr.variables["OCR_WORKER_PAGE_PROCESSES"] = "1"
    process = shards.ocr.start(*shards.run_words())
    await_true(lambda: len(put_results(shards)) >= 2, process)

    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    _, stderr = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 75, stderr
    assert time.monotonic() - begun < 10
    put = len(shards.results())
    assert put >= 2
    assert shards.leftovers() == []
    assert '"ended": "again"' in next(shards.out.rglob("tries/**/*.json")).read_text(encoding="ascii")
    said = shards.run()
    assert said["files"] == {"completed": 12 - put, "kept": put}


def test_a_killed_try_loses_nothing_and_costs_what_was_in_work(shards: Shards) -> None:
    write_cards(shards.inputs, 10)
    shards.plan()
    process = shards.ocr.start(*shards.run_words())
    await_true(lambda: len(put_results(shards)) >= 3, process)

    process.kill()
    process.communicate(timeout=HANG_SECONDS)
    put = len(put_results(shards))
    said = shards.run()

    # A set of which a part was put when it was killed is done again.
    assert said["files"].get("kept", 0) == put
    assert len(shards.results()) == 10
    assert shards.leftovers() == []


def dead_mark() -> str:
    dead = subprocess.Popen(["true"])
    dead.wait()
    return own_mark().replace(str(os.getpid()), str(dead.pid))


def test_what_a_killed_try_was_writing_is_removed(shards: Shards) -> None:
    write_papers(shards.inputs, 1)
    shards.plan()
    for folder in ("files/0000/0000000", "tries/0000/0000000", "done/0000"):
        (shards.out / folder).mkdir(parents=True)
        (shards.out / folder / f".ocr-{dead_mark()}-0123456789abcdef.part").write_bytes(b"half")

    shards.run()

    assert shards.leftovers() == []


def write_dead_tries(shards: Shards, working: list[list[Path]]) -> None:
    """Notes as tries leave them that were killed."""
    mark = dead_mark()
    shard_hash = json.loads((shards.plan_folder / "shards/0000/hashes.json").read_bytes())[0]
    folder = shards.out / "tries/0000/0000000"
    folder.mkdir(parents=True)
    for number, files in enumerate(working):
        note = {
            "hash": shard_hash, "begun": time.time(), "seen": time.time(), "beats": 3, "processes": 2,
            "mark": mark,
            "working": [f"file://{file}" for file in files],
        }  # fmt: skip
        (folder / f"2026010{number}T000000.000000-00000000.json").write_text(json.dumps(note))


def test_the_third_try_gives_up_the_file_that_was_in_work_at_both_deaths(shards: Shards) -> None:
    cards = write_cards(shards.inputs, 4)
    shards.plan()
    write_dead_tries(shards, [[cards[0], cards[2]], [cards[2], cards[3]]])

    shards.run()

    marker = shards.marker()
    assert [(one["url"], one["code"]) for one in marker["failed"]] == [(f"file://{cards[2]}", "crashed")]
    assert marker["files"] == {"completed": 3, "failed": 1}
    last = json.loads(max(shards.out.rglob("tries/**/*.json")).read_bytes())
    assert last["processes"] == 1
    assert last["given_up"] == [f"file://{cards[2]}"]


def test_after_two_deaths_with_several_files_in_work_none_is_blamed(shards: Shards) -> None:
    cards = write_cards(shards.inputs, 3)
    shards.plan()
    write_dead_tries(shards, [cards[:2], cards[:2]])

    assert shards.run()["files"] == {"completed": 3}


def test_a_store_that_fails_one_call_in_twenty_gets_all(shards: Shards) -> None:
    calls = shards.home / "calls"
    stores.register("flaky", stores.failing(0.05, calls))
    write_papers(shards.inputs, 6)
    shards.ocr.answer("shards", "plan", f"flaky://{shards.inputs}", "--plan", f"flaky://{shards.plan_folder}")

    done = shards.ocr(
        "shards", "run", f"flaky://{shards.plan_folder}", f"flaky://{shards.out}", "--index", "0", "--json"
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == {"completed": 6}
    assert len(shards.results()) == 6
    assert " failed" in calls.read_text(encoding="ascii")
    assert shards.leftovers() == []


def test_a_store_that_does_not_answer_is_to_be_tried_again(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocr_worker.shards import places

    monkeypatch.setattr(places, "FIRST_WAIT_SECONDS", 0.001)
    write_papers(shards.inputs, 2)
    stores.register("gone", lambda _: None)
    shards.ocr.answer("shards", "plan", f"gone://{shards.inputs}", "--plan", shards.plan_folder)
    stores.register("gone", stores.failing(1.0, shards.home / "calls"))

    done = shards.try_to_run()

    assert done.returncode == 75
    assert "can't be reached" in done.stderr
    assert not (shards.out / "done").exists()


@pytest.mark.parametrize(
    ("work", "after"),
    first(
        2,
        [
            ("cat_file", 2),  # the marker, after plan and shard
            ("ls", 2),  # outputs of earlier tries, after notes and leftovers
            ("cat_file", 0),
            ("ls", 0),
            ("ls", 1),
            ("pipe_file", 0),
            ("pipe_file", 1),
            ("put_file", 0),
            ("get_file", 0),
        ],
    ),
)
def test_a_store_that_hangs_holds_up_no_order_to_end(shards: Shards, work: str, after: int) -> None:
    write_papers(shards.inputs, 2)
    stores.register("hung", lambda _: None)
    url = f"hung://{shards.home}"
    shards.ocr.answer("shards", "plan", f"{url}/in", "--plan", f"{url}/plan")
    hangs, own = shards.home / "hangs", shards.home / "own"
    own.mkdir()
    # Of the process that is started.
    (own / "sitecustomize.py").write_text(
        "from pathlib import Path\nfrom tests.shards import stores\n"
        f"stores.register('hung', stores.hanging({work!r}, {after}, Path({str(hangs)!r})))\n",
        encoding="utf-8",
    )
    path = os.environ.get("PYTHONPATH", "")
    shards.ocr.variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(own), str(REPOSITORY), path]))
    process = shards.ocr.start(
        "shards", "run", f"{url}/plan", f"{url}/out", "--index", "0", "--scratch", shards.scratch
    )
    await_true(hangs.exists, process)

    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    _, stderr = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 75, stderr
    assert "ended by signal 15" in stderr
    assert time.monotonic() - begun < 10
