"""A file's outputs from its page results, each whole or not at all.

All outputs are completed as temporary files first. Then they are moved into place, the JSON first: it names its
source and lists the others with their sizes and hashes. So a kill between two moves leaves a set that anyone can
tell to be unfinished, and to be this source's. A move that fails takes those before it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ocr_worker.errors import InternalError, OutputConflictError
from ocr_worker.files.atomic import Staged, drafting, require_same_folder, translated
from ocr_worker.files.bounded import Look
from ocr_worker.files.paths import written
from ocr_worker.model.page import Page
from ocr_worker.model.tasks import Composed, ComposeTask
from ocr_worker.outputs.document import Document, PageWriter, Summary
from ocr_worker.outputs.json_results import JsonWriter, timestamp
from ocr_worker.outputs.publishing import publish_set
from ocr_worker.outputs.text import TextWriter
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.overwrite_rule import note_published, replacing_rule
from ocr_worker.pages.page_results import read_page
from ocr_worker.pages.pdf_output import PdfWriter, open_original
from ocr_worker.pages.source_file import glance, require_unchanged
from ocr_worker.pages.up_to_date import settings_record


def compose(task: ComposeTask, documents: Documents) -> Composed:
    """Raises the OcrError that kept the outputs from being written."""
    path, kind = glance(task.source)
    targets = {name: Path(place) for name, place in task.outputs.items()}
    for target in targets.values():
        _refuse_source(path, target)
    _require_same_folder(task)
    document, summary = _describe(task, path, kind), Summary()
    with ExitStack() as stack:
        opening = _Opening(task, documents, stack)
        drafts = {
            name: _begin(name, targets[name], document, opening)
            for name in sorted(targets, key=_publishing_order)
        }
        # One pass for all of them: to read a page's result takes longer than to write it.
        for page in read_pages(task):
            summary.add(page)
            for draft in drafts.values():
                draft.add(page)
        _complete(drafts, task, summary)
        require_unchanged(task.source)
        _publish(task, [draft.staged for draft in drafts.values()])
    return Composed(dict(task.outputs), summary.confidence, summary.characters, summary.warnings)


def _publish(task: ComposeTask, staged: list[Staged]) -> None:
    rule = replacing_rule(task)
    note_published(task, staged)
    publish_set(staged, rule, task.folder)


def _require_same_folder(task: ComposeTask) -> None:
    for place in task.outputs.values():
        require_same_folder(Path(place).parent, task.folder)


def read_pages(task: ComposeTask) -> Iterator[Page]:
    """All pages in order, one at a time; those that failed are empty and say why."""
    failed = {page.page: page for page in task.failed_pages}
    for number in range(1, task.pages + 1):
        if number in failed:
            page = failed[number]
            yield Page(number, page.status, error_code=page.code, error=page.error)
        else:
            yield read_page(Path(task.result_dir) / f"{number}.page")


def _publishing_order(name: str) -> int:
    return {"json": 0, "pdf": 2}.get(name, 1)


@dataclass(frozen=True, slots=True)
class _Draft:
    """An output in the making."""

    staged: Staged
    writer: PageWriter
    close: Callable[[], None]

    def add(self, page: Page) -> None:
        with translated(self.staged.target):
            self.writer.add(page)

    def finish(self) -> None:
        with translated(self.staged.target):
            self.writer.finish()
            self.close()

    def sync(self) -> None:
        with translated(self.staged.target):
            self.staged.sync()


class _Opening(NamedTuple):
    """What outputs are begun with; the stack closes them."""

    task: ComposeTask
    documents: Documents
    stack: ExitStack


def _begin(name: str, target: Path, document: Document, opening: _Opening) -> _Draft:
    task, stack, kind = opening.task, opening.stack, document.kind
    staged = stack.enter_context(drafting(target, task.folder))
    with translated(target):
        if name == "pdf":
            sizes = {page.number: _stored_points(page) for page in read_pages(task)} if kind != "pdf" else {}
            original = stack.enter_context(open_original(task, kind, sizes, opening.documents))
            return _Draft(staged, PdfWriter(original, staged, task), lambda: None)
        stream = staged.create()
        stack.callback(_abandon, stream)
        return _Draft(staged, _writer(name, stream, document), stream.close)


def _stored_points(page: Page) -> tuple[float, float] | None:
    """The size of the page before recognition turned it; None for a page that failed."""
    points = page.width_points, page.height_points
    if not all(points):
        return None
    return points[::-1] if page.turned in (90, 270) else points


def _abandon(stream: BinaryIO) -> None:
    """Close what was not completed: on a full disk that fails too, and what failed first is what counts."""
    with suppress(OSError):
        stream.close()


def _writer(name: str, stream: BinaryIO, document: Document) -> PageWriter:
    match name:
        case "txt":
            return TextWriter(stream)
        case "json":
            return JsonWriter(stream, document)
        case "hocr":
            # Late, as are ALTO and img2pdf: what they import would hold up each page process's first page.
            from ocr_worker.outputs.hocr import HocrWriter

            return HocrWriter(stream, document)
        case "alto":
            from ocr_worker.outputs.alto import AltoWriter

            return AltoWriter(stream, document)
        case _:
            raise InternalError(f"There is no output of the kind {name}")


def _complete(drafts: dict[str, _Draft], task: ComposeTask, summary: Summary) -> None:
    """The JSON last, as it lists the others."""
    others = {name: draft for name, draft in drafts.items() if name != "json"}
    for draft in others.values():
        draft.finish()
    if "json" in drafts:
        writer = drafts["json"].writer
        assert isinstance(writer, JsonWriter)
        for name, draft in others.items():
            writer.list_output(name, draft.staged.target.name, *draft.staged.digest())
        if summary.engines:
            from ocr_worker.engines.ocr import registry

            writer.list_models(registry.models(task.settings))
        drafts["json"].finish()
    _sync(list(drafts.values()))


def _sync(drafts: list[_Draft]) -> None:
    """Side by side, as a disk that writes one of them writes the others meanwhile."""
    looks = [Look(draft.sync, daemon=False) for draft in drafts[1:]]
    try:
        drafts[0].sync()
    finally:
        for look in looks:
            look.wait(None)
    for draft, look in zip(drafts[1:], looks, strict=True):
        look.answer(draft.staged.target)


def _refuse_source(source: Path, target: Path) -> None:
    try:
        same = source.samefile(target)
    except OSError:
        return
    if same:
        raise OutputConflictError(
            f"{target} is the input itself; choose another output folder or `on_existing: suffix`"
        )


def _describe(task: ComposeTask, path: Path, kind: str) -> Document:
    return Document(
        path=written(task.source.path),
        name=path.name,
        kind=kind,
        bytes=path.stat().st_size,
        sha256=task.sha256,
        pages=task.pages,
        languages=task.settings.languages,
        settings=settings_record(task.settings) if "json" in task.outputs else {},
        created=timestamp(),
        warnings=task.warnings,
    )
