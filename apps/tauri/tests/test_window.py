"""The real window, driven by WebDriver: jobs begin, outlive a reload, are steered, and nothing outlives the app."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from samples import build
from tests.limits import HANG_SECONDS

APP = (
    Path(os.environ.get("CARGO_TARGET_DIR", "~/.cache/ocr-sidecar-target")).expanduser()
    / "debug"
    / "ocr-sidecar-app"
)
REPOSITORY = Path(__file__).resolve().parents[3]
SCANS = 3


class Window:
    """A session of WebDriver with the app's window."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment)
        wait_until(lambda: _is_open(port), "the driver")
        wanted = {"browserName": "wry", "webkitgtk:browserOptions": {"binary": str(APP)}}
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{session['sessionId']}"
        self.wait(
            "return document.querySelector('#jobs') !== null && 'ready' in document.body.dataset", "the page"
        )

    @property
    def app(self) -> psutil.Process:
        children = psutil.Process(self.driver.pid).children()
        return next(child for child in children if child.name() in APP.name)

    def run(self, script: str, *arguments: object) -> Any:
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": arguments})

    def wait(self, script: str, what: str) -> Any:
        return wait_until(lambda: self.run(script), what)

    def reload(self) -> None:
        self._call("POST", f"{self._session}/refresh", {})
        self.wait("return 'ready' in document.body.dataset", "the page after its reload")

    def press(self, name: str) -> None:
        button = f"document.querySelector('article [name={name}]')"
        self.wait(f"return {button}?.disabled === false", f"a button {name}")
        self.run(f"{button}.click()")

    def drop(self, files: list[Path]) -> None:
        """What the window's frame tells the page when files are dropped."""
        payload = {"paths": [str(file) for file in files], "position": {"x": 1, "y": 1}}
        self.run("window.__TAURI__.event.emit('tauri://drag-drop', arguments[0])", payload)

    def wait_status(self, status: str) -> None:
        self.wait(
            f"return document.querySelector('article')?.dataset.status === '{status}'", f"status {status}"
        )

    def percent(self) -> float:
        return float(self.run("return document.querySelector('article progress')?.value ?? 0"))

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("GET", f"{self._session}/screenshot")))

    def close(self) -> None:
        for process in psutil.Process(self.driver.pid).children(recursive=True):
            process.kill()
        self.driver.kill()
        self.driver.wait(HANG_SECONDS)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=HANG_SECONDS) as answer:
            return json.load(answer)["value"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("scans")
    page = build("clean", folder)[0].path
    return [Path(shutil.copy(page, folder / f"scan {number}.png")) for number in range(1, SCANS + 1)]


@pytest.fixture
def window(tmp_path: Path, display: str) -> Iterator[Window]:
    environment = {
        **os.environ,
        "DISPLAY": display,
        "OCR_WORKER": str(REPOSITORY / ".venv" / "bin" / "ocr-worker"),
        "OCR_WORKER_PAGE_PROCESSES": "1",
        "TAURI_WEBVIEW_AUTOMATION": "true",
        "XDG_DATA_HOME": str(tmp_path),
    }
    window = Window(_free_port(), environment)
    yield window
    window.close()


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    reader, writer = os.pipe()
    screen = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24"]
    server = subprocess.Popen(screen, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    with os.fdopen(reader) as told:
        yield f":{told.readline().strip()}"
    server.kill()
    server.wait(HANG_SECONDS)


def test_dropped_scans_are_read_and_a_reload_in_mid_batch_finds_the_job_again(
    window: Window, scans: list[Path], tmp_path: Path
) -> None:
    window.drop(scans)
    window.wait("return document.querySelector('article progress')?.value > 0", "progress")
    before = window.percent()
    assert before < 100

    window.reload()

    window.wait("return document.querySelectorAll('article').length === 1", "the job after the reload")
    window.wait(
        f"return document.querySelector('article progress').value >= {before}", "the bar where it was"
    )
    window.wait_status("completed")
    assert window.percent() == 100
    rows = window.run("return [...document.querySelectorAll('li')].map((row) => row.dataset.status)")
    assert rows == ["completed"] * SCANS
    assert len([*(scans[0].parent / "ocr").glob("*.pdf")]) == SCANS
    if folder := os.environ.get("OCR_SCREENSHOTS"):
        window.screenshot(Path(folder) / "tauri.png")


def test_a_job_is_paused_stays_so_over_a_reload_goes_on_and_is_cancelled(
    window: Window, scans: list[Path], tmp_path: Path
) -> None:
    window.drop(_copies(scans, tmp_path))
    window.press("pause")
    window.wait_status("paused")

    window.reload()
    window.wait_status("paused")
    window.press("resume")
    window.wait_status("running")
    window.press("cancel")

    window.wait_status("cancelled")


def test_two_seconds_after_the_app_was_killed_no_process_is_left(
    window: Window, scans: list[Path], tmp_path: Path
) -> None:
    window.drop(_copies(scans, tmp_path))
    window.wait("return document.querySelector('li')?.dataset.status === 'working'", "a page in work")
    family = window.app.children(recursive=True)
    assert any("ocr_worker" in " ".join(process.cmdline()) for process in family)

    window.app.send_signal(signal.SIGKILL)

    gone, alive = psutil.wait_procs(family, timeout=2)
    assert alive == []
    assert gone


def _copies(scans: list[Path], folder: Path) -> list[Path]:
    return [Path(shutil.copy(scan, folder)) for scan in scans]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def wait_until(is_so: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + HANG_SECONDS
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"{what}: not within {HANG_SECONDS} s"
        time.sleep(0.05)
    return found
