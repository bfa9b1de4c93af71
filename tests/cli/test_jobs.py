from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import psutil
import pytest

from rigs.papers import write_papers
from tests.cli.command import Command
from tests.hold import held_name
from tests.limits import HANG_SECONDS


def test_failed_files_are_tried_again_once_they_are_mended(ocr: Command) -> None:
    good, bad = write_papers(ocr.home / "in", 2)
    content = bad.read_bytes()
    bad.write_bytes(b"not yet")
    first = ocr("batch", good, bad, "-o", "out", "--json")
    (job,) = ocr.answer("jobs", "--state", "completed")

    bad.write_bytes(content)
    retried = ocr.answer("retry", job["job_id"])
    again = ocr("retry", job["job_id"])

    assert first.returncode == 1
    assert [done["file"] for done in retried["successful"]] == [str(good), str(bad)]
    assert retried["job_id"] == job["job_id"]
    assert (again.returncode, again.stdout) == (0, f"Job {job['job_id']} has no failed files.\n")


def test_show_names_every_file_of_a_job_with_what_became_of_it(ocr: Command) -> None:
    (good,) = write_papers(ocr.home / "in", 1)
    result = ocr("batch", good, "missing.pdf", "-o", "out")
    (job,) = ocr.answer("jobs")

    shown = ocr("show", job["job_id"])
    record = ocr.answer("show", job["job_id"])

    assert result.returncode == 1
    assert "completed, 2 files: 1 completed, 1 failed" in shown.stdout
    assert "missing.pdf does not exist" in shown.stdout
    assert "1 failure of inputs, 0 failures of the program" in shown.stdout
    assert re.search(
        r"worked 0:\d\d, 1 page, \d+\.\d pages/s, \d+\.\d files/s, no retries, \d+ MiB at most", shown.stdout
    )
    statistics = json.loads(manifest_of(ocr, job).read_bytes())["metadata"]["statistics"]
    assert record["statistics"] == statistics
    assert statistics["pages"] == 1
    assert statistics["pages_per_second"] > 0
    assert statistics["files_per_second"] > 0
    assert {"cleanups", "worker_restarts", "retries", "peak_rss_bytes", "end_time"} <= statistics.keys()
    assert [(file["file"], file["status"]) for file in record["files"]] == [
        (str(good), "completed"),
        ("missing.pdf", "failed"),
    ]


def manifest_of(ocr: Command, job: dict[str, str]) -> Path:
    return ocr.home / "out" / f"batch_{job['job_id']}_manifest.json"


def test_a_job_at_work_is_held_by_its_process_until_it_ends(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)
    with ocr.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "1") as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        (job,) = ocr.answer("jobs")

        refused = [ocr(verb, job["job_id"]) for verb in ("resume", "delete")]
        held = ocr.answer("locks")["locks"]
        kept = ocr.answer("locks", "--clean-stale")["removed"]
        ocr.interrupt(process)
        process.communicate(timeout=HANG_SECONDS)

    assert job["state"] == "running"
    assert [done.returncode for done in refused] == [3, 3]
    assert [(lock["job_id"], lock["held"], lock["holder"]["pid"]) for lock in held] == [
        (job["job_id"], True, process.pid)
    ]
    assert kept == []
    assert ocr.answer("locks")["locks"] == []


def test_the_lock_of_a_killed_process_is_listed_as_held_by_nobody_until_it_is_cleaned(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)
    with ocr.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "1") as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        process.kill()
        process.communicate(timeout=HANG_SECONDS)

    looks = [ocr.answer("locks")["locks"] for _ in range(2)]
    removed = ocr.answer("locks", "--clean-stale")["removed"]

    (job,) = ocr.answer("jobs")
    assert looks == [[{"job_id": job["job_id"], "held": False, "holder": None}]] * 2
    assert removed == [job["job_id"]]
    assert ocr.answer("locks")["locks"] == []


@pytest.mark.slow
def test_a_job_at_work_is_cancelled_from_another_process(ocr: Command) -> None:
    *_, last = write_papers(ocr.home / "in", 6)
    last.rename(held_name(last, [1]))
    with ocr.start("batch", "in", "-o", "out", "-v") as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        (job,) = ocr.answer("jobs")

        cancelled = ocr("cancel", job["job_id"])
        stdout, _ = process.communicate(timeout=HANG_SECONDS)

    again = ocr("cancel", job["job_id"])
    ocr.hold.let_go()
    assert re.fullmatch(
        rf"Job {job['job_id']} is cancelled: 6 files: \d completed, \d pending\.\n", cancelled.stdout
    )
    assert (cancelled.returncode, process.returncode) == (0, 130)
    assert re.search(r"Cancelled: 6 files \(\d ok, 0 failed, 0 skipped, \d left\)", stdout)
    assert again.stdout == cancelled.stdout
    resumed = ocr.answer("resume", job["job_id"])
    assert (resumed["status"], len(resumed["successful"])) == ("completed", 6)


@pytest.mark.slow
def test_where_the_owner_of_a_job_does_not_answer_the_cancel_says_who_it_is(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)
    with ocr.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "1") as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        (job,) = ocr.answer("jobs")

        psutil.Process(process.pid).suspend()
        refused = ocr("cancel", job["job_id"])
        psutil.Process(process.pid).resume()
        ocr.interrupt(process)
        process.communicate(timeout=HANG_SECONDS)

    assert refused.returncode == 3
    assert f"running in process {process.pid} (" in refused.stderr
    way = "Ctrl-C in its terminal" if sys.platform == "win32" else f"kill -INT {process.pid}"
    assert f"with all its jobs: {way}" in refused.stderr


def test_cleanup_forgets_finished_jobs_and_their_manifests_and_never_unfinished_ones(ocr: Command) -> None:
    done = ocr.answer("batch", *write_papers(ocr.home / "in", 1), "-o", "out")
    for number in range(10):
        (ocr.home / "in" / f"bad{number}.pdf").write_bytes(b"no pdf")
    stopped = ocr("batch", "in", "-o", "out", "--on-existing", "suffix", "--exclude", "paper*")

    young = ocr.answer("cleanup")
    removed = ocr.answer("cleanup", "--max-age-days", "0")

    assert stopped.returncode == 4
    assert young == {"removed": []}
    assert removed == {"removed": [done["job_id"]]}
    assert [job["state"] for job in ocr.answer("jobs")] == ["stopped"]
    assert (ocr.home / "out" / "paper01.pdf").exists()
    assert not Path(done["manifest"]).exists()


def test_a_job_is_given_up_and_then_forgotten_while_its_outputs_stay(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    for number in range(10):
        (ocr.home / "in" / f"a{number}.pdf").write_bytes(b"no pdf")
    ocr("batch", "in", "-o", "out")
    (job,) = ocr.answer("jobs")

    cancelled = ocr.answer("cancel", job["job_id"])
    deleted = ocr.answer("delete", job["job_id"])
    nothing = ocr("batch", "--resume", "-o", "out")

    assert job["state"] == "stopped"
    assert cancelled == {"job_id": job["job_id"], "state": "cancelled", "stats": job["stats"]}
    assert deleted == {"job_id": job["job_id"], "deleted": True}
    assert ocr("show", job["job_id"]).returncode == 3
    assert nothing.stdout == "There is no unfinished batch of out.\n"


def test_resume_takes_up_the_last_unfinished_batch_of_its_own_output_folder(ocr: Command) -> None:
    for folder in ("one", "two"):
        for number in range(11):
            (ocr.home / folder).mkdir(exist_ok=True)
            (ocr.home / folder / f"bad{number:02}.pdf").write_bytes(b"no pdf")
        ocr("batch", folder, "-o", f"out-{folder}")
    second, first = (job["job_id"] for job in ocr.answer("jobs"))

    by_folder = ocr("batch", "--resume", "-o", "out-one", "--json")
    by_id = ocr("batch", "--resume", "--batch-id", second, "--json")

    assert f'"job_id": "{first}"' in by_folder.stdout
    assert f'"job_id": "{second}"' in by_id.stdout
    elsewhere = ocr("batch", "--resume", "--batch-id", second, "-o", "out-one")
    assert elsewhere.returncode == 2
    assert f"Batch {second} writes into {ocr.home / 'out-two'}, not into out-one" in elsewhere.stderr


def test_the_manifest_of_a_killed_batch_says_what_commands_find_and_do(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)
    with ocr.start("batch", "in", "-o", "out", "-v", "--pages-per-minute", "1") as process:
        assert process.stderr is not None
        while "Finished" not in process.stderr.readline():
            assert process.poll() is None
        process.kill()
        process.communicate(timeout=HANG_SECONDS)
    (job,) = ocr.answer("jobs")
    found = state_in_manifest(ocr, job)

    ocr.answer("cancel", job["job_id"])

    assert (found, state_in_manifest(ocr, job)) == ("interrupted", "cancelled")


def state_in_manifest(ocr: Command, job: dict[str, str]) -> str:
    return str(json.loads(manifest_of(ocr, job).read_bytes())["metadata"]["state"])
