"""Ours without the worker around it: plain processes that each take a file, open it, do its pages and write its outputs."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from ocr_worker.model.tasks import ComposeTask, Opened, OpenTask, PageSettings, PageTask, Source
from ocr_worker.pages.executor import Workbench

SETTINGS = PageSettings(outputs=("pdf", "txt"))


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        pool.starmap(process, [(file, output_dir) for file in files], chunksize=1)


def process(file: Path, output_dir: Path) -> None:
    """No store, no events, no retries, no limits."""
    bench = _workbench(output_dir)
    opened = bench.run(OpenTask(Source(str(file)), SETTINGS))
    assert isinstance(opened, Opened)
    source = replace(Source(str(file)), stamp=opened.stamp)
    outputs = {kind: str(output_dir / f"{file.stem}.{kind}") for kind in SETTINGS.outputs}
    with tempfile.TemporaryDirectory(dir=output_dir) as results:
        for page in range(1, opened.pages + 1):
            bench.run(PageTask(source, SETTINGS, page, f"{results}/{page}.page"))
        bench.run(ComposeTask(source, SETTINGS, opened.pages, opened.sha256, results, outputs))


@cache
def _workbench(output_dir: Path) -> Workbench:
    return Workbench(output_dir / ".cache")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
