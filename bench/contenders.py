"""Who is measured: the same job as a command of each contender, with the same traineddata and number of jobs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.meter import Command
from ocr_worker.engines.catalogue import tesseract_command

JOBS = os.cpu_count() or 1
Contender = Callable[[list[Path], Path], Command]
"""Takes the input files and an output folder of its own."""


def ours(files: list[Path], output_dir: Path) -> Command:
    """The worker, cold: commands piped in, stdin closed, all finished, exit."""
    return _worker(files, output_dir, {"outputs": ["pdf", "txt"]})


def ours_first_page(files: list[Path], output_dir: Path) -> Command:
    """The worker, cold: the clock stops at the first page's progress event."""
    return replace(_script("first_page", files, output_dir), own_clock=output_dir / "seconds")


def ours_warm(files: list[Path], output_dir: Path) -> Command:
    """A worker that has done a batch before: the clock runs from the command to its result."""
    return replace(_script("warm", files, output_dir), own_clock=output_dir / "seconds")


def ours_by_command(files: list[Path], output_dir: Path) -> Command:
    """The worker with the same `tesseract` command that the others call."""
    return _worker(files, output_dir, {"outputs": ["pdf", "txt"], "engine": "tesseract"})


def ocrmypdf(files: list[Path], output_dir: Path) -> Command:
    """OCRmyPDF as it is quickest here: no PDF/A, no optimising. It takes one file at a time."""
    return _script("ocrmypdf_batch", files, output_dir)


def naive(files: list[Path], output_dir: Path) -> Command:
    """What one writes first: pdf2image and pytesseract in a loop."""
    return _script("naive", files, output_dir)


def recognition_limit(files: list[Path], output_dir: Path) -> Command:
    """Warm recognition alone, on bitmaps made ready before the clock starts."""
    return replace(_script("limit", files, output_dir), own_clock=output_dir / "seconds")


def _worker(files: list[Path], output_dir: Path, options: dict[str, object]) -> Command:
    command = {"command": "ocr_batch", "files": [str(file) for file in files], "output_dir": str(output_dir)}
    line = json.dumps({**command, "options": {**options, "on_existing": "overwrite", "max_workers": JOBS}})
    state = {"OCR_WORKER_STATE_DIR": str(output_dir / ".state")}
    return Command(
        [str(Path(sys.executable).with_name("ocr-worker"))],
        line.encode() + b"\n",
        _surroundings(output_dir) | state,
    )


def _script(name: str, files: list[Path], output_dir: Path) -> Command:
    argv = [sys.executable, "-m", f"bench.rivals.{name}", str(JOBS), str(output_dir), *map(str, files)]
    return Command(argv, environment=_surroundings(output_dir))


def _surroundings(output_dir: Path) -> dict[str, str]:
    """The same `tesseract` command and thread limit for all. Makes the output folder."""
    output_dir.mkdir(parents=True, exist_ok=True)
    limits = {"OMP_THREAD_LIMIT": "1"}
    command = tesseract_command()
    if shutil.which("tesseract") or command is None:
        return limits
    # The wheel's command finds its data and configurations only when it is told where they are.
    data = command.parent.parent / "share" / "tessdata"
    path = os.pathsep.join([str(command.parent), os.environ.get("PATH", os.defpath)])
    return {**limits, "PATH": path, "TESSDATA_PREFIX": str(data)}
