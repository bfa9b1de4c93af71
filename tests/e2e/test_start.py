"""The worker starts with nothing but its pipes, and says in its exit code when it can't."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.e2e.test_streams import unread_pipe
from tests.limits import HANG_SECONDS

WORKER = (sys.executable, "-m", "ocr_worker")


def test_the_console_script_runs_without_arguments_from_any_folder(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    script = str(Path(sys.executable).with_name("ocr-worker"))

    host = start_worker(Launch(command=(script,), cwd=Path("/")))

    assert host.wait_end(host.batch([material.quick], tmp_path / "out"))["status"] == "completed"


def test_the_worker_is_silent_until_spoken_to(worker: Host) -> None:
    worker.ask("ping")

    assert len(worker.events) == 1


def test_a_worker_gets_ready_for_inspections_whenever_its_host_says_hello(worker: Host) -> None:
    worker.ask("ping")
    worker.ask("hello", protocol=[1])

    tree.wait_until(lambda: tree.inspectors(worker.state), "a process to inspect with")


def start(redirect: str, state: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirect}', "sh", *WORKER],
        env={**os.environ, "OCR_WORKER_STATE_DIR": str(state), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("redirect", ["<&-", ">&-", "<&- >&-", "<&- 2>&-"])
def test_without_stdin_or_stdout_the_exit_code_is_2(redirect: str, tmp_path: Path) -> None:
    assert start(redirect, tmp_path).returncode == 2


def test_a_stderr_that_is_full_and_unread_does_not_hold_up_exit_code_2(tmp_path: Path) -> None:
    environment = {**os.environ, "OCR_WORKER_QUEUE_LIMIT": "many", "OCR_WORKER_STATE_DIR": str(tmp_path)}
    with unread_pipe() as pipe:
        ended = subprocess.run(
            WORKER, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=pipe, timeout=HANG_SECONDS, check=False
        )  # fmt: skip

    assert ended.returncode == 2


@pytest.mark.parametrize("value", ["many", "9" * 18], ids=["no number", "out of range"])
def test_a_setting_that_can_not_be_is_named_and_the_exit_code_is_2(value: str, tmp_path: Path) -> None:
    ended = start("", tmp_path, OCR_WORKER_QUEUE_LIMIT=value)

    assert ended.returncode == 2
    assert b"OCR_WORKER_QUEUE_LIMIT" in ended.stderr
    assert ended.stdout == b""


def test_an_empty_session_ends_with_code_0_and_leaves_no_state(tmp_path: Path) -> None:
    ended = start("", tmp_path / "state")

    assert (ended.returncode, ended.stdout) == (0, b"")
    assert not (tmp_path / "state").exists()


def test_a_state_folder_that_cannot_be_written_is_one_error_before_anything_is_accepted(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file where the folder should be", encoding="utf-8")
    host = start_worker()

    answer = host.ask("ocr_batch", files=[str(material.quick)], output_dir=str(tmp_path / "out"))
    alive = host.ask("ping")

    assert (answer["type"], answer["data"]["code"]) == ("error", "output_permission")
    assert "OCR_WORKER_STATE_DIR" in answer["data"]["message"]
    assert "job_id" not in answer
    assert alive["type"] == "result"
    assert len(host.events) == 2
