"""All page work behind one door: a task in, an outcome out. Keeps engines and the last document warm between tasks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import ocr_worker.engines.pdf  # noqa: F401  # ahead of all that loads libraries
from ocr_worker.errors import CorruptError
from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    CorrectTask,
    Drawn,
    Inspected,
    InspectTask,
    Opened,
    OpenTask,
    Outcome,
    OverlayTask,
    PageDone,
    PageTask,
    PictureTask,
    Task,
    Warmed,
    WarmTask,
)

if TYPE_CHECKING:
    from ocr_worker.engines.ocr.loaded import Engines
    from ocr_worker.pages.open_documents import Documents


class Workbench:
    """Cheap to make; libraries are imported by the first task that needs them. For one thread."""

    def __init__(self, scratch: Path) -> None:
        """`scratch` is a folder for files that go with this process."""
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        self._scratch = scratch
        self._documents: Documents | None = None
        self._engines: Engines | None = None

    def run(self, task: Task) -> Outcome:
        """Raises OcrError; anything else is a fault of ours."""
        if isinstance(task, WarmTask):
            return self._run(task)
        from ocr_worker.pages.source_file import held

        with held(task.source, self._scratch) as source:
            return self._run(replace(task, source=source))

    def _run(self, task: Task) -> Outcome:
        try:
            return self._do(task)
        except CorruptError as error:
            if isinstance(task, OpenTask | PageTask | ComposeTask | InspectTask):
                from ocr_worker.pages.source_file import require_readable

                # A library that could not read on takes what it has for the whole file.
                require_readable(task.source, error)
            raise

    def _do(self, task: Task) -> Outcome:
        match task:
            case WarmTask():
                return self._warm(task)
            case OpenTask():
                return self._open(task)
            case PageTask():
                return self._page(task)
            case ComposeTask() | CorrectTask():
                return self._compose(task)
            case InspectTask():
                return _inspect(task)
            case OverlayTask() | PictureTask():
                return _draw(task)

    @property
    def engines(self) -> Engines:
        from ocr_worker.engines.ocr.loaded import Engines

        self._engines = self._engines or Engines(self._scratch)
        return self._engines

    @property
    def documents(self) -> Documents:
        from ocr_worker.pages.open_documents import Documents

        self._documents = self._documents or Documents()
        return self._documents

    def close(self) -> None:
        if self._documents is not None:
            self._documents.close()

    def _warm(self, task: WarmTask) -> Warmed:
        import ocr_worker.pages.inspection

        settings = task.settings
        if settings is None:
            return Warmed()
        import ocr_worker.pages.compose
        import ocr_worker.pages.page  # noqa: F401

        # A job may be of pages that nobody need read.
        if settings.tells_language or not task.with_engine:
            return Warmed()
        self.engines.engine(settings)
        # No page has waited for it.
        self.engines.loading_seconds()
        return Warmed(self.engines.news())

    def _open(self, task: OpenTask) -> Opened:
        from ocr_worker.pages.opening import open_source

        opened = open_source(task, self.documents, self.engines, self._scratch)
        if not task.survey:
            return opened
        from ocr_worker.pages.survey import survey

        if opened.languages:
            task = replace(task, settings=replace(task.settings, languages=opened.languages))

        return replace(opened, survey=survey(task, opened, self.documents))

    def _page(self, task: PageTask) -> PageDone:
        from ocr_worker.pages.page import PageWork
        from ocr_worker.pages.page_results import write_page

        page = PageWork(self.documents, self.engines).process(task)
        write_page(Path(task.result_path), page)
        return PageDone(
            page.number,
            page.status,
            len(page.words),
            page.confidence,
            page.seconds,
            page.warnings,
            self.engines.news(),
            self.engines.loading_seconds(),
        )

    def _compose(self, task: ComposeTask | CorrectTask) -> Composed:
        if isinstance(task, CorrectTask):
            from ocr_worker.pages.correcting import correct

            return correct(task, self.documents)
        from ocr_worker.pages.compose import compose

        return compose(task, self.documents)


def _draw(task: OverlayTask | PictureTask) -> Drawn:
    from ocr_worker.pages.overlay import draw_overlay, draw_picture

    return draw_overlay(task) if isinstance(task, OverlayTask) else draw_picture(task)


def _inspect(task: InspectTask) -> Inspected:
    from ocr_worker.pages.inspection import inspect

    return inspect(task)
