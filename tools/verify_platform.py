"""Try on this machine what the project promises: `python tools/verify_platform.py`, with the Python that has ocr-sidecar.

Takes about two minutes, writes into a temporary folder alone, and ends with a report to paste into an issue.
"""

from __future__ import annotations

import json
import os
import platform
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from PIL import Image, ImageDraw, ImageFont

LIMIT_SECONDS, PROMISED_SECONDS = 120.0, 2.0
LINE = "Sphinx of black quartz judge my vow"
WORKER = (sys.executable, "-m", "ocr_worker")
Event = dict[str, Any]
if sys.platform == "win32":
    # Ctrl-Break goes to a whole group.
    GROUP_OF_ITS_OWN, ORDER, EXIT_CODE = (
        subprocess.CREATE_NEW_PROCESS_GROUP,
        signal.CTRL_BREAK_EVENT,
        128 + signal.SIGBREAK,
    )
else:
    GROUP_OF_ITS_OWN, ORDER, EXIT_CODE = 0, signal.SIGTERM, 128 + signal.SIGTERM


class FailedError(Exception):
    """A promise that does not hold here."""


class Worker:
    """A worker and what it says, heard by a thread."""

    def __init__(self, folder: Path) -> None:
        environment = {
            **os.environ,
            "OCR_WORKER_STATE_DIR": str(folder / "state"),
            "OCR_WORKER_PAGE_PROCESSES": "2",
        }
        self.process = subprocess.Popen(
            WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            creationflags=GROUP_OF_ITS_OWN,
        )
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def send(self, command: str, **fields: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"command": command, **fields}).encode("ascii") + b"\n")
        self.process.stdin.flush()

    def wait(self, kind: str) -> Event:
        """The data of the next event of a kind."""
        while True:
            event = self._events.get(timeout=LIMIT_SECONDS)
            if event is None:
                raise FailedError(f"the worker ended before it said {kind}")
            if event["type"] == "error":
                raise FailedError(f"the worker said {event['data']}")
            if event["data"].get("kind", event["type"]) == kind:
                data: Event = event["data"]
                return data

    def batch(self, files: list[Path], output_dir: Path) -> None:
        self.send("ocr_batch", files=[str(file) for file in files], output_dir=str(output_dir))
        self.wait("accepted")

    def wait_in_work(self) -> list[psutil.Process]:
        """Wait until a page process has worked for a moment; all processes of the worker."""
        main = psutil.Process(self.process.pid)
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            tree = main.children(recursive=True)
            if any(cpu_seconds(one) > 2 for one in tree if "page-process" in words(one)):
                return [main, *tree]
            time.sleep(0.1)
        raise FailedError("no page was ever in work")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._events.put(json.loads(line))
        self._events.put(None)


def words(process: psutil.Process) -> list[str]:
    """Its command line; none of one that is gone, or that the system does not show to us."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def cpu_seconds(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:2])
    except psutil.Error:
        return 0.0


@contextmanager
def worker_in(folder: Path) -> Iterator[Worker]:
    worker = Worker(folder)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()


def seconds_until_gone(processes: list[psutil.Process]) -> float:
    begun = time.monotonic()
    while left := [process for process in processes if is_alive(process)]:
        if time.monotonic() - begun > LIMIT_SECONDS / 4:
            for process in left:
                process.kill()
            raise FailedError(f"left over: {[process.pid for process in left]}")
        time.sleep(0.01)
    return time.monotonic() - begun


def is_alive(process: psutil.Process) -> bool:
    """A dead one may wait for a moment until somebody asks how it ended; it does nothing any more."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def write_page(path: Path, lines: int) -> Path:
    """A page of print; a hundred lines and more take an engine some seconds."""
    size = 24 if lines > 10 else 48
    image = Image.new("L", (2400, 200 + lines * size * 2), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for number in range(lines):
        pen.text(
            (100, 100 + number * size * 2), " ".join([LINE] * (5 if lines > 10 else 1)), fill=0, font=font
        )
    image.save(path, dpi=(300, 300))
    return path


def check_doctor(_: Path) -> str:
    """`ocr-worker doctor` finds all that is needed."""
    done = subprocess.run(
        [*WORKER, "doctor", "--json"], capture_output=True, timeout=LIMIT_SECONDS, check=False
    )
    findings = json.loads(done.stdout)["findings"]
    if bad := [finding for finding in findings if finding["required"] and not finding["ok"]]:
        raise FailedError(str(bad))
    return "; ".join(
        f"{finding['name']}: {finding['detail']}" for finding in findings if "engine" in finding["name"]
    )


def check_hello(folder: Path) -> str:
    """The worker says hello."""
    begun = time.monotonic()
    with worker_in(folder) as worker:
        worker.send("hello", protocol=[1])
        worker.wait("hello")
        return f"{time.monotonic() - begun:.2f} s"


def check_batch(folder: Path) -> str:
    """A batch of pictures and a PDF is read, under names that are hard, and nothing else is left in the output folder."""
    names = ("plain.png", "Ünï 日本.jpg", "a" * 120 + ".tif", "scan.pdf")
    files = [write_page(folder / name, 3) for name in names]
    begun = time.monotonic()
    with worker_in(folder) as worker:
        worker.batch(files, folder / "out")
        ended = worker.wait("batch")
        seconds = time.monotonic() - begun
    texts = [Path(done["outputs"]["txt"]).read_text(encoding="utf-8") for done in ended["successful"]]
    if len(texts) != len(names) or not all(LINE in text for text in texts):
        raise FailedError(f"{len(texts)} of {len(names)} were read: {ended['failed']}")
    if left := [path.name for path in (folder / "out").iterdir() if path.name.startswith(".")]:
        raise FailedError(f"left in the output folder: {left}")
    return f"{seconds:.2f} s with the start"


def check_cancel(folder: Path) -> str:
    """A cancel in mid-page is carried out within a second."""
    with worker_in(folder) as worker:
        worker.batch([write_page(folder / "slow.png", 150)], folder / "out")
        worker.wait_in_work()
        begun = time.monotonic()
        worker.send("cancel")
        worker.wait("batch")
        return in_time(time.monotonic() - begun, 1.0)


def check_order(folder: Path) -> str:
    """SIGTERM, or Ctrl-Break on Windows, ends job and worker, and the exit code says so."""
    with worker_in(folder) as worker:
        worker.batch([write_page(folder / "slow.png", 150)], folder / "out")
        processes = worker.wait_in_work()
        begun = time.monotonic()
        worker.process.send_signal(ORDER)
        reason = worker.wait("batch")["reason"]
        code = worker.process.wait(LIMIT_SECONDS)
        seconds_until_gone(processes[1:])
        if code != EXIT_CODE:
            raise FailedError(f"exit code {code} where {EXIT_CODE} is due; the reason was {reason}")
        return in_time(time.monotonic() - begun, PROMISED_SECONDS)


def check_worker_killed(folder: Path) -> str:
    """The worker is killed in mid-page: its processes go within 2 s."""
    with worker_in(folder) as worker:
        worker.batch([write_page(folder / "slow.png", 150)], folder / "out")
        processes = worker.wait_in_work()
        worker.process.kill()
        worker.process.wait()
        return in_time(seconds_until_gone(processes[1:]), PROMISED_SECONDS)


def check_host_killed(folder: Path) -> str:
    """The host is killed in mid-page: the worker and its processes go within 2 s."""
    page = write_page(folder / "slow.png", 150)
    host = subprocess.Popen(
        [sys.executable, __file__, "--host", str(folder), str(page)], stdout=subprocess.PIPE
    )
    assert host.stdout is not None
    processes = [psutil.Process(int(pid)) for pid in host.stdout.readline().split()]
    host.kill()
    host.wait()
    if not processes:
        raise FailedError("the host ended before a page was in work")
    return in_time(seconds_until_gone(processes), PROMISED_SECONDS)


def be_host(folder: Path, page: Path) -> None:
    """Start a worker, name its processes once a page is in work, and wait to be killed."""
    worker = Worker(folder)
    worker.batch([page], folder / "out")
    sys.stdout.write(" ".join(str(process.pid) for process in worker.wait_in_work()) + "\n")
    sys.stdout.flush()
    worker.process.wait()


def in_time(seconds: float, promised: float) -> str:
    if seconds > promised:
        raise FailedError(f"{seconds:.2f} s, where {promised:g} s are promised")
    return f"{seconds:.2f} s"


CHECKS = (
    check_doctor, check_hello, check_batch, check_cancel, check_order, check_worker_killed, check_host_killed,
)  # fmt: skip


def report(check: Callable[[Path], str]) -> tuple[str, bool]:
    """A row of the table, and whether the promise holds."""
    with tempfile.TemporaryDirectory(prefix="ocr-verify-", ignore_cleanup_errors=True) as folder:
        try:
            held, detail = True, check(Path(folder))
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs into the report
            held, detail = False, f"{type(error).__name__}: {error}"
    promise = (check.__doc__ or "").rstrip(".")
    return f"| {promise} | {'yes' if held else '**NO**'} | {detail.replace('|', '/')} |\n", held


def main() -> int:
    """Run all checks, print the report; 1 where a promise does not hold."""
    sys.stdout.write(f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}\n\n")
    sys.stdout.write("| promise | holds | detail |\n|---|---|---|\n")
    all_hold = True
    for check in CHECKS:
        row, held = report(check)
        sys.stdout.write(row)
        sys.stdout.flush()
        all_hold &= held
    return 0 if all_hold else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--host"]:
        be_host(Path(sys.argv[2]), Path(sys.argv[3]))
        sys.exit()
    sys.exit(main())
