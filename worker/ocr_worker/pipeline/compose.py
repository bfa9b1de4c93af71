"""A file's outputs from its page results, each whole or not at all.

All outputs are completed as temporary files first. Then they are moved into place, the JSON first: it names its
source and lists the others with their sizes and hashes. So a kill between two moves leaves a set that anyone can
tell to be unfinished, and to be this source's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ocr_worker.engines import catalogue, qpdf
from ocr_worker.errors import InternalError, OutputConflictError
from ocr_worker.outputs import searchable_pdf
from ocr_worker.outputs.document import Document, PageWriter, Summary
from ocr_worker.outputs.json_results import JsonWriter, timestamp
from ocr_worker.outputs.model import Page
from ocr_worker.outputs.text import TextWriter
from ocr_worker.outputs.whole import Staged, publish_all, staging
from ocr_worker.pipeline.documents import Documents
from ocr_worker.pipeline.earlier import settings_record
from ocr_worker.pipeline.page_file import read_page
from ocr_worker.pipeline.source_file import glance, require_unchanged
from ocr_worker.pipeline.tasks import Composed, ComposeTask


def compose(task: ComposeTask, documents: Documents) -> Composed:
    """Raises the OcrError that kept the outputs from being written."""
    path, kind = glance(task.source)
    targets = {name: Path(place) for name, place in task.outputs.items()}
    for target in targets.values():
        _refuse_source(path, target)
    summary = Summary()
    for page in read_pages(task):
        summary.add(page)
    document = _describe(task, path, kind, summary)
    with ExitStack() as stack:
        staged = _stage_all(task, document, targets, documents, stack)
        require_unchanged(task.source)
        publish_all(staged[name] for name in sorted(staged, key=_publishing_order))
    return Composed(dict(task.outputs), summary.confidence, summary.characters)


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


def _stage_all(
    task: ComposeTask, document: Document, targets: dict[str, Path], documents: Documents, stack: ExitStack
) -> dict[str, Staged]:
    staged = {}
    for name, target in sorted(targets.items(), key=lambda item: item[0] == "json"):
        if name == "pdf":
            staged[name] = stack.enter_context(
                staging(target, lambda place: _write_pdf(place, task, document, documents))
            )
        elif name != "json":
            write = partial(_write_pages, name=name, task=task, document=document)
            staged[name] = stack.enter_context(staging(target, write))
    if "json" in targets:
        others = {name: (targets[name].name, *one.digest()) for name, one in staged.items()}
        staged["json"] = stack.enter_context(
            staging(targets["json"], lambda place: _write_json(place, task, document, others))
        )
    return staged


def _write_pages(place: Path, name: str, task: ComposeTask, document: Document) -> None:
    with place.open("wb") as stream:
        _feed(_writer(name, stream, document), task)


def _writer(name: str, stream: BinaryIO, document: Document) -> PageWriter:
    match name:
        case "txt":
            return TextWriter(stream)
        case "hocr":
            # Late, as are ALTO and img2pdf: what they import would hold up each page process's first page.
            from ocr_worker.outputs.hocr import HocrWriter

            return HocrWriter(stream, document)
        case "alto":
            from ocr_worker.outputs.alto import AltoWriter

            return AltoWriter(stream, document)
        case _:
            raise InternalError(f"There is no output of the kind {name}")


def _write_json(
    place: Path, task: ComposeTask, document: Document, others: dict[str, tuple[str, int, str]]
) -> None:
    with place.open("wb") as stream:
        writer = JsonWriter(stream, document)
        for name, (file, size, sha256) in others.items():
            writer.list_output(name, file, size, sha256)
        _feed(writer, task)


def _feed(writer: PageWriter, task: ComposeTask) -> None:
    for page in read_pages(task):
        writer.add(page)
    writer.finish()


def _write_pdf(place: Path, task: ComposeTask, document: Document, documents: Documents) -> None:
    with _original(task, document, documents) as (pdf, encryption):
        grafter = searchable_pdf.LayerGrafter(pdf)
        for page in read_pages(task):
            grafter.graft(page)
        grafter.finish()
        searchable_pdf.save(pdf, place, encryption)
    searchable_pdf.require_pages(place, task.pages, task.source.password if encryption else None)


@contextmanager
def _original(task: ComposeTask, document: Document, documents: Documents) -> Iterator[tuple[Any, bool]]:
    """The PDF that layers go onto, and whether it keeps its protection."""
    path = Path(task.source.path)
    if document.kind != "pdf":
        from ocr_worker.engines.picture_pdf import picture_pdf

        dpis = {page.number: page.dpi or None for page in read_pages(task)}
        with picture_pdf(path, document.kind, dpis, task.settings.max_pixels) as pdf:
            yield pdf, False
        return
    # The document is changed here, so nobody may find it in the cache afterwards.
    documents.close()
    with documents.structure(path, task.source.password) as pdf:
        if task.settings.signed == "unsigned_copy":
            qpdf.drop_signatures(pdf)
        yield pdf, bool(pdf.is_encrypted and task.settings.keep_protection)


def _refuse_source(source: Path, target: Path) -> None:
    try:
        same = source.samefile(target)
    except OSError:
        return
    if same:
        raise OutputConflictError(
            f"{target} is the input itself; choose another output folder or on_existing: suffix"
        )


def _describe(task: ComposeTask, path: Path, kind: str, summary: Summary) -> Document:
    return Document(
        path=wire_path(path),
        name=path.name,
        kind=kind,
        bytes=path.stat().st_size,
        sha256=task.sha256,
        pages=task.pages,
        languages=task.settings.languages,
        settings=settings_record(task.settings),
        models=catalogue.models(task.settings.languages, task.settings.tessdata_dir)
        if summary.engines
        else [],
        created=timestamp(),
        warnings=task.warnings,
    )


def wire_path(path: Path) -> str:
    """As on the wire: a file URI where the name is not UTF-8."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return path.absolute().as_uri()
    return str(path)
