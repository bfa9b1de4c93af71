"""What a hostile reader of the core once broke, and may not break again."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.e2e.test_streams import SMALLEST_PIPE_BYTES


def test_what_the_host_has_not_read_yet_stays_as_it_is(worker: Host, tmp_path: Path) -> None:
    missing = [tmp_path / f"missing-{n}.png" for n in range(700)]
    worker.reading.clear()
    files = ",".join(f'"{file}"' for file in missing)
    batch = f'{{"command":"ocr_batch","id":1,"files":[{files}],"output_dir":"{tmp_path}/out","options":{{"stop_on_error_threshold":1.0}}}}\n'
    worker.send_bytes(batch.encode("ascii"))
    worker.reading.set()
    job = str(worker.wait(lambda event: event.get("id") == 1, "accepted")["job_id"])
    worker.send_bytes(f'{{"command":"retry_failed","id":2,"job_id":"{job}"}}\n'.encode("ascii"))

    ended = worker.wait_end(job)
    answer = worker.wait(lambda event: event.get("id") == 2, "an answer to retry_failed")

    assert len(ended["failed"]) == 700
    assert answer["type"] == "info" or answer["data"]["code"] in {"busy", "job_active"}
    assert worker.ask("ping")["type"] == "result"


@pytest.mark.parametrize("command", ["delete_job", "resume", "retry_failed"])
def test_a_job_whose_result_the_host_has_not_read_yet_is_busy_and_later_free(
    worker: Host, material: Material, tmp_path: Path, command: str
) -> None:
    job = worker.batch([material.held], tmp_path / "out")
    worker.wait_in_work(job, 1)
    fcntl.fcntl(worker.stdout, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE_BYTES)
    worker.reading.clear()
    # The answer is longer than the pipe and a read that has begun, so that the worker can't be rid of the result.
    worker.send("ping", id="x" * 4 * SMALLEST_PIPE_BYTES)
    worker.send("cancel", job_id=job)
    tree.wait_until(lambda: worker.store.jobs("cancelled", 0, 1), "the job is cancelled unread")
    worker.send(command, id="early", job_id=job)
    worker.send("ocr_batch", files=[str(material.quick)], output_dir=str(tmp_path / "other"))
    tree.wait_until(lambda: len(worker.store.jobs(None, 0, 2)) == 2, "what was sent after it is carried out")
    worker.reading.set()

    answer = worker.wait(lambda event: event.get("id") == "early", "an answer")

    assert (answer["data"]["code"], answer["data"]["retryable"]) == ("busy", True)
    worker.wait_end(job)
    assert worker.ask(command, job_id=job)["type"] != "error"


def test_a_page_result_that_can_not_be_read_is_done_again(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.pdf(tmp_path / "scan.pdf", "qqh")], tmp_path / "out", max_workers=1)
    worker.wait_in_work(job, 1, page=3)
    worker.ask("cancel", job_id=job)
    worker.wait_end(job)
    worker.hold.let_go()
    (worker.state / "jobs" / job / "1" / "1.page").write_bytes(b"")

    worker.ask("resume", job_id=job)
    ended = worker.wait_end(job, runs=2)

    assert [file["pages"] for file in ended["successful"]] == [3]


def test_a_job_whose_output_folder_has_become_a_file_is_refused_before_it_is_accepted(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    job = worker.batch([material.held], tmp_path / "out")
    worker.wait_in_work(job, 1)
    worker.ask("cancel", job_id=job)
    worker.wait_end(job)
    for left in (tmp_path / "out").iterdir():
        left.unlink()
    (tmp_path / "out").rmdir()
    (tmp_path / "out").write_bytes(b"")

    answer = worker.ask("resume", job_id=job)

    assert (answer["type"], answer["data"]["code"]) == ("error", "output_permission")
    (tmp_path / "out").unlink()
    assert worker.ask("resume", job_id=job)["type"] == "info"


def test_a_draining_worker_takes_up_no_ended_job_and_does_not_hang_on_a_paused_one(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    ended = worker.batch([material.quick, tmp_path / "missing.png"], tmp_path / "one")
    worker.wait_end(ended)
    running = worker.batch([material.pdf(tmp_path / "scan.pdf", "hqqq")], tmp_path / "two")
    worker.ask("shutdown", mode="drain")

    refused = worker.ask("retry_failed", job_id=ended)
    worker.ask("pause", job_id=running)
    worker.hold.let_go()

    assert refused["data"]["code"] == "busy"
    assert worker.wait_end(running)["reason"] == "paused"
    assert worker.exit_code() == 0


def test_a_later_hello_without_a_parent_lets_the_first_parent_go(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        worker.ask("hello", parent_pid=parent.pid)
        worker.ask("hello")
    job = worker.batch([material.quick, material.quick], tmp_path / "out")

    assert worker.wait_end(job)["status"] == "completed"


def test_a_signal_while_the_worker_starts_has_its_exit_code(start_worker: StartWorker) -> None:
    # The import hook holds the start up at the first heavy import, after stdin and stdout were claimed.
    hold = (
        "import os, signal, sys\n"
        "class Hold:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'pydantic':\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.meta_path.insert(0, Hold())\n"
        "from ocr_worker.__main__ import main\n"
        "sys.argv = ['ocr-worker']\n"
        "sys.exit(main())\n"
    )

    host = start_worker(Launch(command=(sys.executable, "-c", hold)))

    assert host.exit_code() == 128 + signal.SIGTERM


def test_pipes_that_are_left_non_blocking_are_no_end_of_input(start_worker: StartWorker) -> None:
    # A shell or host that has set its end so shares that with the worker's.
    loosen = (
        "import os, sys\n"
        "os.set_blocking(0, False)\n"
        "os.set_blocking(1, False)\n"
        "from ocr_worker.__main__ import main\n"
        "sys.argv = ['ocr-worker']\n"
        "sys.exit(main())\n"
    )

    host = start_worker(Launch(command=(sys.executable, "-c", loosen)))

    assert host.ask("ping")["type"] == "result"


def test_a_thousand_files_of_one_name_are_each_given_their_own(worker: Host, tmp_path: Path) -> None:
    files = [tmp_path / f"folder-{n}" / "scan.pdf" for n in range(1000)]

    job = worker.batch(files, tmp_path / "out", dry_run=True, stop_on_error_threshold=1.0)

    assert len(worker.wait_end(job)["failed"]) == 1000
    names = {file.name for file in worker.store.files(job, None, 0, 1000)}
    assert len(names) == 1000
