"""Hold the Windows worker, under Wine, to the acceptance cases that have a meaning there, and its outputs to those of Linux.

    python -m tools.windows_acceptance KIT CASES [PROGRAM]

KIT is the program that runs the cases, CASES a file that names them, PROGRAM a frozen worker instead of the one of
`make windows`. Ends with a table of times, for orientation only: they are Wine's.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.windows import PYTHON, REPOSITORY, LackingError, make_ready, services, skipped

HELLOS = 5
SCANS = (
    "ocrmypdf-linn.pdf", "eng-book-oldbooks-c-6pages.pdf", "eng-book-oldbooks-d042.tiff",
    "eng-tesseract-phototest.tif", "eng-tesseract-phototest-rotated-L.png", "fra-typewritten-tapuscorpus-4.jpg",
    "paperless-simple-no-dpi.png",
)  # fmt: skip
LINUX = [os.fspath(Path(sys.executable).with_name("ocr-worker"))]
Worker = list[str]


def main(kit: Path, cases: Path, program: Path | None) -> int:
    """1 if a case fails, or an output differs."""
    if not kit.exists():
        print(f"{kit} is not there: none of the cases was run on Windows' worker.")
        return 0
    try:
        make_ready()
    except LackingError as lacking:
        return skipped("the acceptance cases under Wine", lacking)
    own = [os.fspath(PYTHON / "python.exe"), "-m", "ocr_worker"]
    windows = [sys.executable, "-m", "tools.windows_worker", *([os.fspath(program)] if program else own)]
    scans = [kit.resolve().parent.parent / "corpus" / "scans" / name for name in SCANS]
    with services(), tempfile.TemporaryDirectory() as folder:
        differing = _compare(windows, scans, Path(folder))
        return _run_cases(kit, cases, windows) or min(differing, 1)


def _run_cases(kit: Path, cases: Path, windows: Worker) -> int:
    worker = shlex.join(["env", f"PYTHONPATH={REPOSITORY}", *windows])
    tool = [sys.executable, os.fspath(REPOSITORY / "tools" / "acceptance.py")]
    process = subprocess.Popen([*tool, os.fspath(kit), os.fspath(cases), worker], start_new_session=True)
    try:
        return process.wait()
    finally:
        # Should we be ended first, it would start the next worker.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _compare(windows: Worker, scans: list[Path], folder: Path) -> int:
    """How many outputs differ."""
    print("| | answer to hello, median of 5 | batch of 7 files, 12 pages, with the start |\n|---|---|---|")
    outputs = {}
    for name, worker in (("Linux", LINUX), ("Windows' worker under Wine", windows)):
        outputs[name] = folder / name
        hello = statistics.median(_seconds_to_hello(worker, folder) for _ in range(HELLOS))
        print(
            f"| {name} | {hello:.2f} s | {_seconds_of_batch(worker, scans, outputs[name]):.1f} s |",
            flush=True,
        )
    ours, theirs = outputs.values()
    differing = [name for name in _names(ours) + _names(theirs) if _told(ours / name) != _told(theirs / name)]
    words = sum(len(line["words"]) for name in _names(ours) for line in _told(ours / name)[1])
    print(
        f"Text and boxes of {words} words: {'the same' if not differing else f'not the same in {differing}'}"
    )
    return len(differing)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*_ocr_results.json"))


def _told(results: Path) -> tuple[list[Any], list[Any]]:
    """The engine, the texts and the lines of all pages, without what the clock or the last digit of a measure says."""
    if not results.exists():
        return [], []
    told = json.loads(results.read_text(encoding="utf-8"))
    pages = told["pages"]
    lines = [line for page in pages for line in page["lines"]]
    for line in lines:
        for word in line["words"]:
            del word["confidence"]
    plain = results.with_name(results.name.replace("_ocr_results.json", ".txt"))
    return [told["engine"], plain.read_bytes(), *(page["text"] for page in pages)], lines


def _seconds_to_hello(worker: Worker, folder: Path) -> float:
    begun = time.monotonic()
    with _started(worker, folder) as process:
        _send(process, {"command": "hello", "protocol": [1]})
        _wait(process, "hello")
        return time.monotonic() - begun


def _seconds_of_batch(worker: Worker, scans: list[Path], out: Path) -> float:
    begun = time.monotonic()
    with _started(worker, out.parent) as process:
        _send(
            process, {"command": "ocr_batch", "files": [str(scan) for scan in scans], "output_dir": str(out)}
        )
        ended = _wait(process, "batch")
    if len(ended["successful"]) != len(scans):
        print(f"Failed: {ended['failed']}")
    return time.monotonic() - begun


def _started(worker: Worker, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        worker, cwd=REPOSITORY, env={**os.environ, "OCR_WORKER_STATE_DIR": os.fspath(folder / "state")},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _send(process: subprocess.Popen[bytes], command: dict[str, object]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(command).encode("ascii") + b"\n")
    process.stdin.flush()


def _wait(process: subprocess.Popen[bytes], kind: str) -> dict[str, Any]:
    """The data of the result of this kind."""
    assert process.stdout
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] == "error" or (event["type"] == "result" and event["data"]["kind"] == kind):
            return dict(event["data"])
    raise SystemExit(f"The worker ended before its {kind}.")


if __name__ == "__main__":
    sys.exit(
        main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).absolute() if sys.argv[3:] else None)
    )
