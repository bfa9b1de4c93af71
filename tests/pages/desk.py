"""A file taken through opening, pages and composing as the worker takes it, in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ocr_worker.errors import OcrError
from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    FailedPage,
    Inspected,
    InspectTask,
    Opened,
    OpenTask,
    PageDone,
    PageSettings,
    PageTask,
    Source,
)
from ocr_worker.pages.executor import Workbench

SUFFIXES = {"pdf": ".pdf", "txt": ".txt", "json": "_ocr_results.json", "hocr": ".hocr", "alto": ".xml"}


@dataclass(frozen=True)
class Done:
    opened: Opened
    pages: list[PageDone]
    outputs: dict[str, Path]
    composed: Composed

    @property
    def text(self) -> str:
        return self.outputs["txt"].read_text(encoding="utf-8")

    @property
    def record(self) -> Any:
        return json.loads(self.outputs["json"].read_text(encoding="ascii"))


class Desk:
    """Outputs go into `folder`/out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bench = Workbench(folder / "cache")

    def open(self, path: Path, settings: PageSettings | None = None, password: str | None = None) -> Opened:
        outcome = self.bench.run(OpenTask(Source(str(path), password), settings or PageSettings()))
        assert isinstance(outcome, Opened)
        return outcome

    def inspect(self, path: Path, password: str | None = None) -> dict[str, Any]:
        outcome = self.bench.run(InspectTask(Source(str(path), password)))
        assert isinstance(outcome, Inspected)
        return outcome.report

    def reopen(self, path: Path, done: Done, settings: PageSettings | None = None) -> Opened:
        existing = {kind: str(place) for kind, place in done.outputs.items()}
        outcome = self.bench.run(OpenTask(Source(str(path)), settings or PageSettings(), existing))
        assert isinstance(outcome, Opened)
        return outcome

    def process(self, path: Path, settings: PageSettings | None = None, password: str | None = None) -> Done:
        settings = settings or PageSettings()
        opened = self.open(path, settings, password)
        source = Source(str(path), password, opened.stamp)
        results = self.folder / "pages" / path.name
        results.mkdir(parents=True, exist_ok=True)
        pages, failed = [], []
        for number in range(1, opened.pages + 1):
            task = PageTask(source, settings, number, str(results / f"{number}.page"))
            try:
                page = self.bench.run(task)
                assert isinstance(page, PageDone)
                pages.append(page)
            except OcrError as error:
                failed.append(FailedPage(number, "failed", error.code, error.message))
        outputs = self.targets(path, settings)
        task_ = ComposeTask(
            source, settings, opened.pages, opened.sha256, str(results),
            {kind: str(place) for kind, place in outputs.items()}, tuple(failed), opened.warnings,
        )  # fmt: skip
        composed = self.bench.run(task_)
        assert isinstance(composed, Composed)
        return Done(opened, pages, outputs, composed)

    def targets(self, path: Path, settings: PageSettings) -> dict[str, Path]:
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        return {kind: out / f"{path.stem}{SUFFIXES[kind]}" for kind in settings.outputs}


ALL_OUTPUTS = replace(PageSettings(), outputs=("pdf", "txt", "json", "hocr", "alto"))
