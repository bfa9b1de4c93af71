"""docs/hosts.md, followed word for word: what a section has run and written, in its order.

    python -m tests.clients.followed "A Tauri app" FOLDER      # prints how long each step took

A block of `sh` is run by bash in one folder after another, as one types it. Another block is the file that the sentence
before it names, or is added to that file, if it is JSON and the sentence says so. `OCR` is the checkout.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from apps.tauri.tests.test_window import Window, screen, wait_until
from samples import build
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS

ROW = "document.querySelector('li')?.innerText"
COLD_BUILD_SECONDS = 1_800  # 4 to 5 minutes with nothing compiled and two cores at rest
PAGE = REPOSITORY / "docs" / "hosts.md"
_BLOCK = re.compile(r"^(?P<sentence>[^\n]*)\n+```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?P<adds>\b[Aa]dd to )?`(?P<path>[^`]+)`:$")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, or a file with its text."""

    command: str = ""
    path: str = ""
    text: str = ""
    adds: bool = False


def steps(title: str) -> Iterator[Step]:
    """Of the section with this title."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].partition("\n## ")[0]
    for block in _BLOCK.finditer(section):
        if block["kind"] == "sh":
            yield from (Step(command=line) for line in block["text"].splitlines() if line.strip())
            continue
        named = _FILE.search(block["sentence"])
        assert named, f"no file is named before: {block['text'][:60]}"
        yield Step(path=named["path"], text=block["text"], adds=bool(named["adds"]))


class Follower:
    """One who does what the page says, in a folder that is empty at first."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._environment = {**os.environ, "OCR": str(REPOSITORY), **environment}

    def do(self, step: Step) -> None:
        if step.command:
            self._run(step.command)
        elif step.adds:
            self._add(self.folder / step.path, json.loads(step.text))
        else:
            (self.folder / step.path).write_text(step.text, encoding="utf-8")

    def _run(self, command: str) -> None:
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}:\n{done.stdout[-4000:]}"

    def _add(self, path: Path, more: dict[str, dict[str, object]]) -> None:
        known = json.loads(path.read_text(encoding="utf-8"))
        for name, fields in more.items():
            known[name] = {**known.get(name, {}), **fields}
        path.write_text(json.dumps(known, indent=2), encoding="utf-8")


def main(title: str, folder: Path) -> None:
    """Follow a section with a clock; a Tauri app is then given a scan."""
    folder.mkdir(parents=True)
    follower, begin = Follower(folder, {}), time.monotonic()
    for step in steps(title):
        before = time.monotonic()
        if step.command == "npm run tauri dev":
            _see_pdf(follower.folder)
        elif step.command != "npx electron .":
            follower.do(step)
        what = step.command or f"write {step.path}"
        print(f"{time.monotonic() - before:6.1f} s  {what}", flush=True)
    print(f"{time.monotonic() - begin:6.1f} s  in all")


def _see_pdf(app: Path) -> None:
    """Run the app until its window is there; then once more, by WebDriver, as only that can tell the page of a drop."""
    scan = build("clean", app.parent / "scans")[0].path
    with screen() as display:
        environment = {
            **os.environ, "DISPLAY": display, "XDG_DATA_HOME": str(app.parent / "data"), "TAURI_WEBVIEW_AUTOMATION": "true",
        }  # fmt: skip
        with _running(["npm", "run", "tauri", "dev"], app, environment) as dev:
            wait_until(lambda: _has_window(dev), "the window of tauri dev", within=COLD_BUILD_SECONDS)
        with _running(["npm", "run", "dev"], app, environment):
            wait_until(_serves_page, "the page's server")
            target = os.environ.get("CARGO_TARGET_DIR", app / "src-tauri" / "target")
            program = Path(target, "debug", app.name)
            window = Window(environment, program, "document.querySelector('#jobs') !== null")
            try:
                wait_until(lambda: _is_taken(window, scan), "a job")
                window.wait(f"return {ROW} === 'completed 100 %'", "the end")
            finally:
                window.close()
    made = scan.parent / "ocr" / f"{scan.stem}.pdf"
    print(f"          {made}: {made.stat().st_size} bytes")


@contextmanager
def _running(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[psutil.Process]:
    process = psutil.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        tree = [*process.children(recursive=True), process]
        for one in tree:
            one.kill()
        psutil.wait_procs(tree, HANG_SECONDS)  # Vite refuses to start beside one that has not quite ended


def _serves_page() -> bool:
    """Whether the template's server is there: a window that opens before shows an error for good."""
    try:
        socket.create_connection(("localhost", 1420)).close()
    except OSError:
        return False
    return True


def _is_taken(window: Window, scan: Path) -> bool:
    """A drop before the page listens is lost, and nothing on the page tells when it does."""
    window.drop([scan])
    return bool(window.run(f"return {ROW} !== undefined"))


def _has_window(dev: psutil.Process) -> bool:
    return any(_name(child).startswith("WebKitWebProc") for child in dev.children(recursive=True))


def _name(process: psutil.Process) -> str:
    """Nothing of one that has ended meanwhile: a compiler starts and ends hundreds."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
