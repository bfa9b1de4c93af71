"""What was done stays done: after the death of everything, by order, and beside a second worker."""

from __future__ import annotations

import shutil
from pathlib import Path

import pypdf

from tests.e2e import tree
from tests.e2e.host import Host, StartWorker
from tests.e2e.material import Material
from tests.faults.host import nothing_is_left


def test_after_the_death_of_everything_a_new_worker_goes_on_where_the_job_was(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker()
    files = [*material.quick_files(tmp_path / "in", 2), material.pdf(tmp_path / "in" / "scan.pdf", "qqhq")]
    job = first.batch(files, tmp_path / "out", max_workers=1)
    first.wait_in_work(job, 3, page=3)
    tree.kill_all(first.state)
    reached = first.of(job, "progress")[-1]["data"]
    first.hold.let_go()

    second = start_worker()
    (found,) = second.ask("list_jobs")["data"]["jobs"]
    resumed = second.ask("resume", job_id=job)
    ended = second.wait_end(job)

    assert (found["job_id"], found["state"]) == (job, "interrupted")
    assert found["pages_done"] >= reached["current"] >= 2
    assert (resumed["type"], resumed["job_id"]) == ("info", job)
    begun = second.of(job, "progress")[0]["data"]
    assert begun["current"] >= reached["current"]
    assert begun["percent"] >= reached["percent"]
    assert (ended["status"], ended["total_pages_processed"], len(ended["successful"])) == ("completed", 6, 3)
    assert [len(pypdf.PdfReader(file["output"]).pages) for file in ended["successful"]] == [1, 1, 4]
    nothing_is_left(tmp_path / "out")
    # Only the page that was in work is done again.
    assert [page.attempts for page in second.store.pages(job, 3)] == [1, 1, 2, 1]


def test_percent_goes_on_where_the_job_was_though_a_long_file_was_counted_and_the_worker_killed(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    first = start_worker()
    long = material.pdf(tmp_path / "in" / "long.pdf", "h" + "q" * 19)
    slow = material.pdf(tmp_path / "in" / "slow.pdf", "q")
    job = first.batch(
        [*material.quick_files(tmp_path / "in", 2), slow, long], tmp_path / "out", max_workers=1
    )
    first.wait_in_work(job, 4)
    tree.kill_all(first.state)
    first.exit_code()
    reached = first.of(job, "progress")[-1]["data"]["percent"]

    second = start_worker()
    second.ask("resume", job_id=job)
    begun = second.wait(lambda event: event["type"] == "progress", "progress")["data"]

    assert reached > 100 * begun["current"] / begun["total"]
    assert begun["percent"] == reached


def test_a_cancelled_job_is_taken_up_by_resume(worker: Host, material: Material, tmp_path: Path) -> None:
    job = worker.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out", max_workers=1)
    worker.wait_in_work(job, 1, page=2)
    worker.send("cancel")
    worker.wait_end(job)
    worker.hold.let_go()

    worker.ask("resume", job_id=job)
    ended = worker.wait_end(job, runs=2)

    assert (ended["status"], ended["total_pages_processed"]) == ("completed", 3)
    assert [page.attempts for page in worker.store.pages(job, 1)] == [1, 1, 1]
    assert worker.of(job, "batch")[1]["command"] == "resume"


def test_a_job_at_work_in_one_worker_is_refused_by_another_which_does_its_own(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    one, other = start_worker(), start_worker()
    job = one.batch([material.held], tmp_path / "out")
    one.wait_in_work(job, 1)

    commands = ("pause", "resume", "retry_failed", "delete_job")
    refusals = [other.ask(command, job_id=job) for command in commands]
    (seen,) = other.ask("list_jobs")["data"]["jobs"]
    own = other.batch([material.quick], tmp_path / "out2")

    assert [refusal["data"]["code"] for refusal in refusals] == ["job_active"] * 4
    assert seen["state"] == "running"
    assert other.wait_end(own)["status"] == "completed"
    assert one.ask("get_job", job_id=job)["data"]["state"] == "running"


def test_retry_failed_does_the_failed_files_alone_and_its_result_covers_all(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    late = tmp_path / "late.png"
    job = worker.batch([material.quick, late], tmp_path / "out")
    first = worker.wait_end(job)
    shutil.copy(material.quick, late)

    answer = worker.ask("retry_failed", job_id=job)
    second = worker.wait_end(job, runs=2)

    assert [file["code"] for file in first["failed"]] == ["not_found"]
    assert (answer["data"]["file_count"], answer["data"]["total_files"]) == (1, 2)
    assert [file["file"] for file in second["successful"]] == [str(material.quick), str(late)]
    assert second["failed"] == []
    done = [event["data"]["file"] for event in worker.of(job, "file_done")]
    assert done[2:] == [str(late)]


def test_after_retry_failed_what_was_pending_stays_pending(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    late = tmp_path / "late.png"
    job = worker.batch([late, material.held], tmp_path / "out")
    worker.wait_file_done(job)
    worker.send("cancel")
    worker.wait_end(job)
    shutil.copy(material.quick, late)

    worker.ask("retry_failed", job_id=job)
    ended = worker.wait_end(job, runs=2)

    assert ended["status"] == "stopped"
    assert [file["file"] for file in ended["successful"]] == [str(late)]
    assert worker.ask("get_job", job_id=job)["data"]["stats"]["pending"] == 1


def test_a_deleted_job_is_forgotten_and_its_outputs_stay(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.pdf(tmp_path / "scan.pdf", "qh")], tmp_path / "out")
    worker.wait_in_work(job, 1, page=2)
    worker.send("cancel")
    worker.wait_end(job)
    kept = worker.batch([material.quick], tmp_path / "out")
    worker.wait_end(kept)
    worker.ask("delete_job", job_id=kept)

    answer = worker.ask("delete_job", job_id=job)

    assert answer["type"] == "result"
    assert worker.ask("list_jobs")["data"]["jobs"] == []
    assert not [path for path in (worker.state / "jobs").rglob("*") if job in str(path)]
    assert (tmp_path / "out" / f"{material.quick.stem}.pdf").exists()


def test_of_a_job_that_has_ended_nothing_is_left_but_what_a_later_run_can_use(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    jobs = worker.state / "jobs"
    files = [material.quick, material.pdf(tmp_path / "scan.pdf", "qh")]
    job = worker.batch(files, tmp_path / "out", max_workers=1)
    worker.wait_in_work(job, 2, page=2)
    worker.send("cancel")
    worker.wait_end(job)
    worker.hold.let_go()
    after_cancel = sorted(path.relative_to(jobs) for path in jobs.rglob("*"))

    worker.ask("resume", job_id=job)
    worker.wait_end(job, runs=2)

    assert after_cancel == [Path(job), Path(job, "2"), Path(job, "2", "1.page")]
    assert list(jobs.iterdir()) == []


def test_a_running_job_cannot_be_deleted(worker: Host, material: Material, tmp_path: Path) -> None:
    job = worker.batch([material.held], tmp_path / "out")

    assert worker.ask("delete_job", job_id=job)["data"]["code"] == "job_active"


def test_cancel_and_delete_in_one_breath_end_the_job_and_harm_nobody(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.held], tmp_path / "out")

    order = '{"command": "%s", "job_id": "%s"}\n'
    worker.send_bytes((order % ("cancel", job) + order % ("delete_job", job)).encode("ascii"))

    assert worker.wait_end(job)["status"] == "cancelled"
    assert worker.ask("ping")["type"] == "result"


def test_a_host_that_asked_for_a_summary_gets_counts_in_place_of_lists(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    worker.ask("hello", protocol=[1], summary_result=True)
    job = worker.batch([material.quick, tmp_path / "missing.png"], tmp_path / "out")

    ended = worker.wait_end(job)

    assert ended["counts"] == {"successful": 1, "completed_with_errors": 0, "failed": 1, "skipped": 0}
    assert ended["total_files"] == 2
    assert not {"successful", "failed", "skipped"} & {
        name for name, value in ended.items() if value is not None
    }
    assert len(worker.ask("get_job", job_id=job, offset=1, limit=5)["data"]["files"]) == 1
