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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from samples import build
from tests.faults.host import is_alive
from tests.limits import HANG_SECONDS

APP = (
    Path(os.environ.get("CARGO_TARGET_DIR", "~/.cache/ocr-sidecar-target")).expanduser()
    / "debug"
    / "ocr-sidecar-app"
)
REPOSITORY = Path(__file__).resolve().parents[3]
SCANS = 3
BAR = "document.querySelector('article progress')"
STATUS = "document.querySelector('article')?.dataset.status"


class Window:
    """A session of WebDriver with the window of an app."""

    def __init__(
        self, environment: dict[str, str], app: Path = APP, ready: str = "'ready' in document.body.dataset"
    ) -> None:
        port = _free_port()
        self._address = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["WebKitWebDriver", f"--port={port}"], env=environment)
        wait_until(lambda: _is_open(port), "the driver")
        wanted = {"browserName": "wry", "webkitgtk:browserOptions": {"binary": str(app)}}
        session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{session['sessionId']}"
        self._ready, self._name = ready, app.name
        self.wait(f"return {ready}", "the page")

    @property
    def app(self) -> psutil.Process:
        children = psutil.Process(self.driver.pid).children()
        return next(child for child in children if child.name() in self._name)

    def run(self, script: str, *arguments: object) -> Any:
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": arguments})

    def wait(self, script: str, what: str) -> Any:
        return wait_until(lambda: self.run(script), what)

    def reload(self) -> None:
        self._call("POST", f"{self._session}/refresh", {})
        self.wait(f"return {self._ready}", "the page after its reload")

    def press(self, name: str) -> None:
        button = f"document.querySelector('article [name={name}]')"
        self.wait(f"return {button}?.disabled === false", f"a button {name}")
        self.run(f"{button}.click()")

    def drop(self, files: list[Path]) -> None:
        """What the window's frame tells the page when files are dropped."""
        payload = {"paths": [str(file) for file in files], "position": {"x": 1, "y": 1}}
        emit = "window.__TAURI_INTERNALS__.invoke('plugin:event|emit', arguments[0])"
        self.run(emit, {"event": "tauri://drag-drop", "payload": payload})

    def click(self, text: str) -> None:
        """Click the button whose text, with that for screen readers, has this in it."""
        found = (
            "[...document.querySelectorAll('button')].find((one) => one.textContent.includes(arguments[0]))"
        )
        wait_until(lambda: self.run(f"return {found} !== undefined", text), f"a button {text}")
        self.run(f"{found}.click()", text)

    def wait_status(self, status: str) -> None:
        self.wait(f"return {STATUS} === '{status}'", f"status {status}")

    def percent(self) -> float:
        return float(self.run(f"return {BAR}?.value ?? 0"))

    def keep_picture(self, name: str) -> None:
        """Where a folder for screenshots is given."""
        if folder := os.environ.get("OCR_SCREENSHOTS"):
            picture = base64.b64decode(self._call("GET", f"{self._session}/screenshot"))
            Path(folder, f"{name}.png").write_bytes(picture)

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
    """A page, the same again, and four of them in one file."""
    folder = tmp_path_factory.mktemp("scans")
    page = build("clean", folder)[0].path
    files = [Path(shutil.copy(page, folder / f"scan {number}.png")) for number in (1, 2)]
    with Image.open(page) as image:
        files.append(folder / "scan 3.tif")
        image.save(files[-1], save_all=True, append_images=[image] * 3, compression="tiff_lzw")
    return files


@pytest.fixture
def begin(tmp_path: Path, display: str) -> Iterator[Callable[[], Window]]:
    """Start the app; each time with the same data folder."""
    environment = {
        **os.environ,
        "DISPLAY": display,
        "OCR_WORKER": str(REPOSITORY / ".venv" / "bin" / "ocr-worker"),
        "OCR_WORKER_PAGE_PROCESSES": "1",
        "PATH": f"{_opener(tmp_path)}:{os.environ['PATH']}",
        "TAURI_WEBVIEW_AUTOMATION": "true",
        "XDG_DATA_HOME": str(tmp_path),
    }
    windows = []

    def begin() -> Window:
        windows.append(Window(environment))
        return windows[-1]

    yield begin
    for window in windows:
        window.close()


def _opener(folder: Path) -> Path:
    """A program for PDFs, which says what it was to show."""
    opener = folder / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> "{folder}/opened"\n', encoding="utf-8")
    opener.chmod(0o755)
    return opener.parent


@pytest.fixture
def window(begin: Callable[[], Window]) -> Window:
    return begin()


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with screen() as name:
        yield name


@contextmanager
def screen() -> Iterator[str]:
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.kill()
        server.wait(HANG_SECONDS)


def test_dropped_scans_are_read_and_a_reload_in_mid_batch_finds_the_bar_where_it_was_and_it_goes_on(
    window: Window, scans: list[Path]
) -> None:
    window.drop(scans)
    window.wait(f"return {BAR}?.value > 0", "progress")
    before = window.percent()
    assert before < 100

    window.reload()

    # The first that can be seen of it, so a bar that begins anew would be caught.
    window.wait("return document.querySelectorAll('article').length === 1", "the job after the reload")
    assert window.percent() >= before
    assert window.run(f"return {STATUS}") == "running"
    window.wait(f"return {STATUS} === 'running' && {BAR}.value > {before}", "a bar that goes on")
    window.keep_picture("tauri")
    window.wait_status("completed")
    assert window.percent() == 100
    rows = window.run("return [...document.querySelectorAll('li')].map((row) => row.dataset.status)")
    assert rows == ["completed"] * SCANS
    assert len([*(scans[0].parent / "ocr").glob("*.pdf")]) == SCANS


def test_the_words_of_a_scan_are_seen_beside_its_picture_and_its_pdf_is_opened(
    window: Window, scans: list[Path], tmp_path: Path
) -> None:
    window.drop(_copies(scans[:1], tmp_path))
    window.wait_status("completed")

    window.click("Words of scan 1.png")

    window.wait("return document.querySelectorAll('dialog figure rect.good').length > 100", "boxes of words")
    picture = "document.querySelector('dialog figure image')"
    window.wait(f"return {picture}?.href.baseVal.startsWith('blob:')", "the page's picture")
    size = (
        "const one = new Image(); one.src = arguments[0]; await one.decode(); return [one.width, one.height]"
    )
    shown = window.run(f"return (async () => {{ {size} }})()", window.run(f"return {picture}.href.baseVal"))
    with Image.open(scans[0]) as scan:
        assert shown == [*scan.size]
    words = window.run("return document.querySelector('dialog .text').innerText.split(/\\s+/)")
    written = (tmp_path / "ocr" / "scan 1.txt").read_text(encoding="utf-8").split()
    assert [word for word in words if word] == written
    window.keep_picture("tauri-words")
    window.run("document.querySelector('dialog').close()")
    window.click("Open the PDF of scan 1.png")
    opened = wait_until(lambda: _text(tmp_path / "opened"), "the PDF's program")
    assert opened == f"{tmp_path}/ocr/scan 1.pdf\n"


def test_a_job_is_paused_stays_so_over_a_reload_goes_on_and_is_cancelled(
    window: Window, scans: list[Path], tmp_path: Path
) -> None:
    window.drop(_copies(scans, tmp_path))
    window.wait(f"return {BAR}?.value > 0", "progress")
    window.press("pause")
    window.wait_status("paused")
    before = window.percent()

    window.reload()
    window.wait_status("paused")
    assert window.percent() >= before
    window.press("resume")
    window.wait_status("running")
    window.press("cancel")

    window.wait_status("cancelled")
    assert window.percent() < 100


def test_soon_after_the_app_was_killed_no_process_is_left_and_its_batch_is_offered_again(
    begin: Callable[[], Window], scans: list[Path], tmp_path: Path
) -> None:
    window = begin()
    window.drop(_copies(scans, tmp_path))
    window.wait("return document.querySelector('li')?.dataset.status === 'working'", "a page in work")
    family = window.app.children(recursive=True)
    assert any("ocr_worker" in " ".join(process.cmdline()) for process in family)

    window.app.send_signal(signal.SIGKILL)

    # The promise is 2 s, which a loaded machine may not keep. What is dead may wait for init to say so.
    wait_until(lambda: not any(map(is_alive, family)), "no process is left")
    window = begin()
    window.click("Resume the batch in")
    window.wait_status("completed")
    assert len([*(tmp_path / "ocr").glob("*.pdf")]) == SCANS


def _copies(scans: list[Path], folder: Path) -> list[Path]:
    return [Path(shutil.copy(scan, folder)) for scan in scans]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def wait_until(is_so: Callable[[], Any], what: str, within: float = HANG_SECONDS) -> Any:
    """What `is_so` finds at last, asked again and again for `within` seconds; AssertionError after these."""
    deadline = time.monotonic() + within
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"{what}: not within {within} s"
        time.sleep(0.05)
    return found
