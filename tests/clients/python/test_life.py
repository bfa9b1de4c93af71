"""The life of a worker in a client's hands: killed, silent, given up, stopped."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ocr_client import Client, OcrError, Timing, WorkerGoneError
from ocr_client.process import Hearing, WorkerProcess
from ocr_client.settings import Settings
from tests.clients.python.conftest import HASTY, MakeClient
from tests.e2e import tree
from tests.e2e.material import Material
from tests.hold import Hold
from tests.limits import HANG_SECONDS

QUICK = (0.01, 0.01, 0.01)
NO_WINDOW = 0x08000000
"""Of Windows' process creation flags."""


def kill(client: Client) -> int:
    """The worker's process id."""
    process = worker_of(client)
    process.kill()
    return process.pid


def stop(client: Client) -> psutil.Process:
    """Have the worker do nothing until it is killed."""
    process = worker_of(client)
    process.suspend()
    return process


def worker_of(client: Client) -> psutil.Process:
    assert client.worker_pid is not None
    return psutil.Process(client.worker_pid)


def wait_for_another(client: Client, pid: int) -> None:
    tree.wait_until(lambda: client.worker_pid not in {None, pid}, "another worker")


def test_a_job_outlives_the_death_of_its_worker(client: Client, material: Material, tmp_path: Path) -> None:
    scan = material.pdf(tmp_path / "scan.pdf", "qhqq")
    job = client.batch([scan], tmp_path / "out", {"max_workers": 1})
    tree.wait_until(lambda: job.progress and job.progress["current"], "the first page is read")

    killed = kill(client)
    Hold(tmp_path).let_go()
    result = job.result(HANG_SECONDS)

    assert (result["status"], result["total_pages_processed"]) == ("completed", 4)
    assert client.worker_pid != killed
    assert (client.metrics.crashes, client.metrics.jobs_resumed, client.metrics.starts) == (1, 1, 2)
    assert [event["type"] for event in job][-1] == "result"


def test_what_waits_for_an_answer_hears_of_the_death(client: Client) -> None:
    stopped = stop(client)
    answer = client.send("ping")

    stopped.kill()

    assert isinstance(answer.exception(HANG_SECONDS), WorkerGoneError)
    wait_for_another(client, stopped.pid)
    tree.wait_until(lambda: client.hello and client.hello["pid"] == client.worker_pid, "the next one's hello")
    assert client.ping()["state"] == "idle"


def test_a_silent_worker_is_asked_once_more_and_then_replaced(make_client: MakeClient) -> None:
    timing = Timing(ping_seconds=0.2, silence_seconds=2, answer_seconds=0.5, backoff_seconds=QUICK)
    client = make_client(timing=timing)

    stopped = stop(client)

    wait_for_another(client, stopped.pid)
    assert (client.metrics.silences, client.metrics.crashes) == (1, 1)


def test_a_worker_that_dies_again_and_again_is_given_up_and_all_that_waits_is_settled(
    make_client: MakeClient, material: Material, tmp_path: Path
) -> None:
    client = make_client(timing=Timing(backoff_seconds=QUICK))
    job = client.batch([material.held], tmp_path / "out")

    for _ in range(1 + len(QUICK)):
        tree.wait_until(lambda: client.worker_pid, "a worker")
        wait_until_dead(kill(client), client)

    with pytest.raises(WorkerGoneError):
        job.result(HANG_SECONDS)
    assert (client.state, client.metrics.starts) == ("error", 4)
    with pytest.raises(WorkerGoneError, match="given up"):
        client.ping()


def test_a_time_of_health_starts_the_count_anew(make_client: MakeClient) -> None:
    client = make_client(timing=Timing(backoff_seconds=QUICK[:1], healthy_seconds=0.0))

    for _ in range(3):
        wait_for_another(client, kill(client))

    assert (client.state, client.metrics.crashes) == ("idle", 3)


def wait_until_dead(pid: int, client: Client) -> None:
    tree.wait_until(lambda: client.worker_pid != pid, "its end is heard")


def test_a_stop_ends_all_processes_settles_what_waits_and_restarts_nothing(
    make_client: MakeClient, material: Material, tmp_path: Path
) -> None:
    client = make_client()
    job = client.batch([material.held], tmp_path / "out")

    client.stop()

    assert tree.alive(tmp_path / "state") == []
    assert job.ended
    with pytest.raises(WorkerGoneError):
        client.ping()
    assert (client.metrics.starts, client.metrics.crashes) == (1, 0)


def test_a_worker_that_hears_nothing_is_stopped_by_force(
    make_client: MakeClient, material: Material, tmp_path: Path
) -> None:
    client = make_client(timing=Timing(stop_seconds=0.2, terminate_seconds=0.2))
    client.batch([material.held], tmp_path / "out")
    tree.wait_until(lambda: tree.page_processes(tmp_path / "state"), "a page process")
    stop(client)

    client.stop()

    tree.wait_gone(tmp_path / "state")


@pytest.mark.skipif(sys.platform != "win32", reason="a command gets a window on Windows alone")
def test_an_end_by_force_opens_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    flags, run, ended = list[int](), subprocess.run, threading.Event()

    def seen(*words: Any, **options: Any) -> Any:
        flags.append(options.get("creationflags", 0))
        return run(*words, **options)

    command = (sys.executable, "-c", "import sys; sys.stdin.read()")
    worker = WorkerProcess(
        Settings("tests", command=command), Hearing(lambda *_: None, lambda _: ended.set())
    )
    monkeypatch.setattr(subprocess, "run", seen)

    worker.kill()

    assert worker.has_ended()
    assert ended.wait(HANG_SECONDS)
    assert flags == [NO_WINDOW]


def test_jobs_that_a_life_before_has_left_are_its_programs_to_resume(
    make_client: MakeClient, material: Material, tmp_path: Path
) -> None:
    before = make_client("archive")
    job = before.batch([material.quick, material.pdf(tmp_path / "scan.pdf", "hq")], tmp_path / "out")
    next(event for event in job if event["data"].get("kind") == "file_done")
    before.stop()
    Hold(tmp_path).let_go()

    after, other = make_client("archive"), make_client("invoices")
    (left,) = after.interrupted()
    resumed = after.resume(left["job_id"])

    assert other.interrupted() == []
    assert resumed is not None
    assert resumed.result(HANG_SECONDS)["status"] == "completed"


def test_a_command_that_is_not_there_is_told_at_the_start() -> None:
    client = Client("tests", command=("no-such-worker",), timing=HASTY)

    with pytest.raises(WorkerGoneError, match="no-such-worker can't be started"):
        client.start()


def test_the_worker_is_found_among_pythons_scripts_wherever_they_lie(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "Scripts" / ("ocr-worker.exe" if sys.platform == "win32" else "ocr-worker")
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", {"scripts": str(program.parent)}.get)
    monkeypatch.setenv("PATH", "")

    (found,) = Settings("tests").worker_command()

    assert Path(found) == program


def test_a_worker_that_dies_before_its_hello_tells_its_last_words() -> None:
    dying = "import sys; sys.stderr.write('no room\\n'); sys.exit(3)"
    client = Client("tests", command=(sys.executable, "-c", dying), timing=HASTY)

    with pytest.raises(WorkerGoneError, match=r"exit code 3: no room"):
        client.start()


@pytest.mark.parametrize("is_told", [True, False])
def test_a_job_that_was_told_to_cancel_is_not_gone_on_with_after_a_crash(
    client: Client, material: Material, tmp_path: Path, *, is_told: bool
) -> None:
    job = client.batch([material.held], tmp_path / "out")
    stopped = stop(client)
    if is_told:
        steered = threading.Thread(target=job.cancel)
        steered.start()
    stopped.kill()
    if is_told:
        steered.join(HANG_SECONDS)
    else:
        wait_until_dead(stopped.pid, client)
        job.cancel()

    result = job.result(HANG_SECONDS)

    assert (result["status"], result["total_pages_processed"]) == ("cancelled", 0)
    assert client.interrupted() == []


def test_what_is_no_event_is_passed_over_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    noise = "print('[1]'); print('7'); print('{\"id\": \"c1\"}');"
    hello = (
        "print(json.dumps({'type': 'result', 'id': 'c1', 'data': {'kind': 'hello', 'pid': 1}}), flush=True);"
    )
    program = f"import json, sys; sys.stdin.readline(); {noise} {hello} sys.stdin.read()"
    client = Client("tests", command=(sys.executable, "-c", program), timing=HASTY)

    client.start()
    client.stop()

    assert client.hello == {"kind": "hello", "pid": 1}
    assert [record.message for record in caplog.records if "no event" in record.message] == [
        "the worker wrote a line that is no event: b'[1]'"
    ]
    with pytest.raises(WorkerGoneError, match="was stopped"):
        client.start()


def test_a_client_is_started_once_and_has_one_worker(client: Client) -> None:
    pid = client.worker_pid

    with pytest.raises(RuntimeError, match="started once"):
        client.start()

    assert (client.worker_pid, client.ping()["state"]) == (pid, "idle")


def test_what_is_wanted_while_the_next_worker_starts_is_told_with_the_job(
    client: Client, material: Material, tmp_path: Path
) -> None:
    job = client.batch([material.held, material.quick], tmp_path / "out")
    job.pause()
    kill(client)
    tree.wait_until(lambda: client.metrics.starts == 2, "another worker")  # which cannot have answered yet

    job.resume()
    Hold(tmp_path).let_go()

    result = job.result(HANG_SECONDS)
    assert (result["status"], len(result["successful"])) == ("completed", 2)


SCRIPTED = """
import json, os, sys
def say(**event):
    print(json.dumps(event), flush=True)
hello = {"kind": "hello", "limits": {"max_line_bytes": 8388608}}
for line in sys.stdin:
    command = json.loads(line)
    id, name = command.get("id"), command["command"]
    if name == "hello":
        say(type="result", id=id, data=hello)
    elif name == "ping":
        say(type="result", id=id, data={"kind": "ping", "rss_bytes": 1})
    elif name == "shutdown":
        break
    else:
        exec(sys.argv[1])
"""


def scripted(script: str) -> dict[str, Any]:
    """Settings of a client whose worker carries this out for all commands that are not told here."""
    return {"command": (sys.executable, "-c", SCRIPTED, script), "timing": HASTY}


@pytest.mark.parametrize(
    "answer",
    [
        'say(type="info", id=id, data={"kind": "later"})',
        'say(type="error", id=id, data={})',
        'say(type="info", job_id=["j"], data={"kind": ["j"]}); say(type="error", id=id, data={})',
        'print("[" * 100_000); say(type="error", id=id, data={})',
    ],
)
def test_an_answer_that_is_not_of_the_protocol_costs_no_other(answer: str) -> None:
    client = Client("tests", **scripted(answer))
    client.start()

    with suppress(OcrError):
        assert client.resume("j") is None
    rss = client.ping()["rss_bytes"]
    client.stop()

    assert rss == 1


def test_a_job_that_goes_on_already_is_not_taken_for_ended() -> None:
    script = """
if name == "ocr_batch":
    say(type="info", id=id, job_id="j", data={"kind": "accepted", "message": "", "file_count": 1})
elif name == "list_jobs":
    os._exit(1)
elif name == "resume":
    say(type="info", id=id, job_id="j", data={"kind": "resume", "message": "", "jobs": []})
elif name == "get_job":
    say(type="result", id=id, job_id="j", data={"kind": "job", "state": "running", "stats": {}, "statistics": {}})
    say(type="result", job_id="j", data={"kind": "batch", "status": "completed"})
"""
    client = Client("tests", **scripted(script))
    client.start()
    job = client.batch(["a.png"], "out")

    with pytest.raises(WorkerGoneError):
        client.list_jobs()
    result = job.result(HANG_SECONDS)
    client.stop()

    assert result["status"] == "completed"
