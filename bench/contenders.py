"""Who is measured: the same job as a command of each contender, with the same traineddata and number of jobs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.meter import Command

JOBS = os.cpu_count() or 1
OUTPUTS = ("pdf", "txt")
FROZEN = Path(__file__).parents[1] / "build" / "sidecar"
"""What `make sidecar` leaves."""
TESSERACT_JS = Path(__file__).parent / "rivals" / "tesseractjs"
Contender = Callable[[list[Path], Path], Command]
"""Takes the input files and an output folder of its own, which it makes."""


def ours(files: list[Path], output_dir: Path) -> Command:
    """The worker, cold: commands piped in, stdin closed, all finished, exit."""
    return _worker(files, output_dir, {})


def ours_frozen(files: list[Path], output_dir: Path) -> Command:
    """The worker as an app carries it."""
    return replace(_worker(files, output_dir, {}), argv=[str(FROZEN / "ocr-worker" / "ocr-worker")])


def ours_by_command_line(files: list[Path], output_dir: Path) -> Command:
    """`ocr-worker batch`, as a person or a script calls it."""
    argv = [_program(), "batch", *map(str, files), "--output-dir", str(output_dir)]
    options = ["--outputs", ",".join(OUTPUTS), "--on-existing", "overwrite", "--max-workers", str(JOBS)]
    return Command([*argv, *options], environment=_state(output_dir))


def ours_first_page(files: list[Path], output_dir: Path) -> Command:
    """The worker, cold: the clock stops at the first page's progress event."""
    return _with_own_clock("first_page", files, output_dir)


def ours_warm(files: list[Path], output_dir: Path) -> Command:
    """A worker that has done a batch before: the clock runs from the command to its result."""
    return _with_own_clock("warm", files, output_dir)


def ours_by_command(files: list[Path], output_dir: Path) -> Command:
    """The worker with the same `tesseract` command that the others call."""
    return _worker(files, output_dir, {"engine": "tesseract"})


def ours_by_lines(files: list[Path], output_dir: Path) -> Command:
    """The worker with Tesseract's network in ONNX Runtime."""
    return _worker(files, output_dir, {"engine": "lines"})


def ours_by_tesserocr(files: list[Path], output_dir: Path) -> Command:
    """The worker with libtesseract in its page processes."""
    return _worker(files, output_dir, {"engine": "tesserocr"})


def bare(files: list[Path], output_dir: Path) -> Command:
    """Ours' page work in plain processes, a file each, without worker and store."""
    return _script("bare", files, output_dir)


def ocrmypdf(files: list[Path], output_dir: Path) -> Command:
    """OCRmyPDF as it is quickest here: no PDF/A, no optimising. It takes one file at a time."""
    return _script("ocrmypdf_batch", files, output_dir)


def tesseract_js(files: list[Path], output_dir: Path) -> Command:
    """tesseract.js in Node, with as many workers; its core and its data from npm."""
    output_dir.mkdir(parents=True, exist_ok=True)
    script = TESSERACT_JS / "recognise.mjs"
    return Command(["node", str(script), str(JOBS), str(output_dir), *map(str, files)])


def naive(files: list[Path], output_dir: Path) -> Command:
    """What one writes first: pdf2image and pytesseract in a loop."""
    return _script("naive", files, output_dir)


def recognition_limit(files: list[Path], output_dir: Path) -> Command:
    """Warm recognition alone, on the bitmaps that ours recognises, made ready before the clock starts."""
    return _with_own_clock("limit", files, output_dir)


def _worker(files: list[Path], output_dir: Path, options: dict[str, object]) -> Command:
    command = {"command": "ocr_batch", "files": [str(file) for file in files], "output_dir": str(output_dir)}
    fixed = {"outputs": OUTPUTS, "on_existing": "overwrite", "max_workers": JOBS}
    line = json.dumps({**command, "options": {**fixed, **options}})
    return Command([_program()], line.encode() + b"\n", _state(output_dir))


def _program() -> str:
    return str(Path(sys.executable).with_name("ocr-worker"))


def _state(output_dir: Path) -> dict[str, str]:
    """A state folder within the output folder, which is made."""
    output_dir.mkdir(parents=True, exist_ok=True)
    return {"OCR_WORKER_STATE_DIR": str(output_dir / ".state")}


def _with_own_clock(name: str, files: list[Path], output_dir: Path) -> Command:
    return replace(_script(name, files, output_dir), own_clock=output_dir / "clock.json")


def _script(name: str, files: list[Path], output_dir: Path) -> Command:
    output_dir.mkdir(parents=True, exist_ok=True)
    return Command(
        [sys.executable, "-m", f"bench.rivals.{name}", str(JOBS), str(output_dir), *map(str, files)]
    )
