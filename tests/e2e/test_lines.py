"""The engine `lines` reads in confined page processes, the same alone and in company, and leaves the worker light."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

from samples import build
from tests.e2e.host import Host, Launch, StartWorker

FATAL_IMPORT = """
import ctypes, os, signal
if os.name == "nt":
    ctypes.windll.kernel32.TerminateProcess(ctypes.c_void_p(-1), 0xC000001D)
os.kill(os.getpid(), signal.SIGILL)
"""
"""What an instruction does that the processor has not."""
_IMPORTED = re.compile(rb"^import time: .*\| *(numpy|onnxruntime|tesserocr|PIL)$", re.MULTILINE)


def test_pages_read_the_same_alone_and_side_by_side_and_the_worker_imports_no_runtime(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    pages = [build(kind, tmp_path / "in")[0].path for kind in ("receipt", "cards", "two_columns")]
    told = tmp_path / "told.log"
    with told.open("wb") as log:
        command = (sys.executable, "-X", "importtime", "-m", "ocr_worker")
        worker = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "2"}, command, stderr=log))

        alone = [read(worker, [page], tmp_path / page.stem, 2)[0] for page in pages]
        side_by_side = read(worker, pages, tmp_path / "two", 2)

    assert alone == side_by_side
    assert [engine for engine, _ in alone] == ["lines"] * len(pages)
    assert all(words for _, words in alone)
    assert b"import time:" in told.read_bytes()
    assert not _IMPORTED.search(told.read_bytes())


def test_where_the_runtime_can_not_be_loaded_the_worker_says_so_once_and_tesserocr_reads(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    hook, told = tmp_path / "hook", tmp_path / "told.log"
    hook.mkdir()
    (hook / "onnxruntime.py").write_text("raise ImportError('not for this processor')", encoding="utf-8")
    pages = [build(kind, tmp_path / "in")[0].path for kind in ("receipt", "cards")]
    with told.open("wb") as log:
        launch = {"OCR_WORKER_PAGE_PROCESSES": "2", "PYTHONPATH": str(hook)}
        worker = start_worker(Launch(launch, stderr=log))

        engines = [engine for engine, _ in read(worker, pages, tmp_path / "out", 2, engine="auto")]

    assert engines == ["tesserocr"] * 2
    assert told.read_text(encoding="utf-8").count("not for this processor") == 1


def test_what_an_engine_says_for_the_log_is_there_once(start_worker: StartWorker, tmp_path: Path) -> None:
    told = tmp_path / "told.log"
    pages = [build(kind, tmp_path / "in")[0].path for kind in ("receipt", "cards")]
    with told.open("wb") as log:
        launch = {"OCR_WORKER_PAGE_PROCESSES": "2", "OCR_WORKER_PROVIDER": "openvino"}
        worker = start_worker(Launch(launch, stderr=log))

        engines = [engine for engine, _ in read(worker, pages, tmp_path / "out", 2)]

    assert engines == ["lines"] * 2
    assert told.read_text(encoding="utf-8").count("openvino fails, so lines are read on the CPU") == 1


def test_where_the_runtime_ends_the_process_that_loads_it_the_worker_says_so_once_and_tesserocr_reads(
    start_worker: StartWorker, tmp_path: Path
) -> None:
    hook, told = tmp_path / "hook", tmp_path / "told.log"
    hook.mkdir()
    (hook / "onnxruntime.py").write_text(FATAL_IMPORT, encoding="utf-8")
    pages = [build(kind, tmp_path / "in")[0].path for kind in ("receipt", "cards")]
    with told.open("wb") as log:
        launch = {"OCR_WORKER_PAGE_PROCESSES": "2", "PYTHONPATH": str(hook)}
        worker = start_worker(Launch(launch, stderr=log))

        engines = [engine for engine, _ in read(worker, pages, tmp_path / "out", 2, engine="auto")]
        engines += [engine for engine, _ in read(worker, pages, tmp_path / "again", 2, engine="auto")]

    assert engines == ["tesserocr"] * 4
    said = told.read_text(encoding="utf-8")
    assert said.count("pages are read without ONNX Runtime") == said.count("ONNX Runtime") == 1


def read(
    worker: Host, pages: list[Path], out: Path, processes: int, *, engine: str = "lines"
) -> list[tuple[str, object]]:
    """Of each page the engine, and all that it has read, boxes and confidences too."""
    job = worker.batch(pages, out, max_workers=processes, outputs=["json"], engine=engine)
    assert worker.wait_end(job)["status"] == "completed"
    found = [json.loads((out / f"{page.stem}_ocr_results.json").read_bytes()) for page in pages]
    return [(one["engine"], [page["lines"] for page in one["pages"]]) for one in found]
