"""The searchable PDF of a file: its original, or its pictures as one, with the words of each page laid on it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ocr_worker.engines.pdf import passwords, qpdf
from ocr_worker.engines.pdf.pdf_file import is_locked_by_damage
from ocr_worker.errors import CorruptError, OcrError, is_of_data
from ocr_worker.files.atomic import Staged
from ocr_worker.model.page import Line, Page
from ocr_worker.model.tasks import ComposeTask
from ocr_worker.outputs import modified, searchable_pdf
from ocr_worker.outputs.repaint import repaint
from ocr_worker.outputs.structure_tree import prune
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.page_results import read_picture

Points = tuple[float, float]


class Original(NamedTuple):
    """The PDF that layers go onto."""

    pdf: Any
    is_protected: bool
    """Whether it keeps its protection."""
    is_new: bool = False
    """Whether it was made from a picture."""


@contextmanager
def open_original(
    task: ComposeTask, kind: str, sizes: Mapping[int, Points | None], documents: Documents
) -> Iterator[Original]:
    """A PDF as it is; of an image file, a page for each in `sizes`, which are points."""
    path = Path(task.source.place)
    if kind != "pdf":
        # Late, as what it imports would hold up each page process's first page.
        from ocr_worker.engines.images.image_to_pdf import picture_pdf

        with picture_pdf(path, kind, sizes, task.settings.max_pixels) as pdf:
            yield Original(pdf, is_protected=False, is_new=True)
        return
    # The document is changed here, so nobody may find it in the cache afterwards.
    documents.close()
    with documents.structure(path, task.source.password) as pdf:
        if task.settings.signed == "unsigned_copy":
            qpdf.drop_signatures(pdf)
        yield Original(pdf, _keeps_protection(pdf, path, task))


def _keeps_protection(pdf: Any, path: Path, task: ComposeTask) -> bool:
    """Whether the output is protected as its source is: not by what keeps every reader but one out though there is no password."""
    if not (pdf.is_encrypted and task.settings.keep_protection):
        return False
    return task.source.password is not None or not is_locked_by_damage(path)


class PdfWriter:
    """Written at the end, and opened again to prove it."""

    def __init__(self, original: Original, staged: Staged, task: ComposeTask) -> None:
        self._original, self._staged, self._task = original, staged, task
        self._grafter = searchable_pdf.LayerGrafter(original.pdf)
        self._is_changed, self._repainted = False, set[tuple[int, int]]()

    def add(self, page: Page) -> None:
        with _damage_told(self._task):
            self._add(page)

    def _add(self, page: Page) -> None:
        if page.repainted:
            self._repaint(page.number)
        if page.repainted or page.turned:
            modified.drop_thumbnail(self._original.pdf.pages[page.number - 1])
        self._is_changed |= page.status == "ok"
        self._is_changed |= page.status == "blank" and (bool(page.turned) or page.hidden_text)
        if page.status in searchable_pdf.LAYERED:
            self._grafter.graft(replace(page, lines=_new_lines(page)))

    def _repaint(self, number: int) -> None:
        from ocr_worker.engines.images.image_to_pdf import image_object

        pdf = self._original.pdf
        picture = read_picture(Path(self._task.result_dir) / f"{number}.page")
        page = pdf.pages[number - 1]
        self._repainted.add(page.objgen)
        repaint(pdf, page, image_object(pdf, picture))

    def finish(self) -> None:
        with _damage_told(self._task):
            self._grafter.finish()
            self._describe()
        password = self._task.source.password if self._original.is_protected else None
        with self._staged.create() as place:
            with _damage_told(self._task):
                searchable_pdf.save(self._original.pdf, place, self._original.is_protected)
            searchable_pdf.require_pages(place, self._task.pages, passwords.spellings(password))

    def _describe(self) -> None:
        pdf, now = self._original.pdf, modified.agreed_moment() or datetime.now().astimezone()
        prune(pdf, self._repainted)
        if self._original.is_new:
            modified.describe_new(pdf, Path(self._task.source.path), now)
        elif self._is_changed:
            modified.mark_modified(pdf, now)


@contextmanager
def _damage_told(task: ComposeTask) -> Iterator[None]:
    """What a damaged PDF makes its library raise is that file's failure."""
    try:
        yield
    except (OcrError, OSError):
        raise
    except Exception as error:
        if not is_of_data(error):
            raise
        raise CorruptError(
            f"{task.source.name} is too damaged to be written again ({type(error).__name__}); "
            "get the file again, or ask for txt and json alone",
            traceback=traceback.format_exc(),
        ) from error


def _new_lines(page: Page) -> tuple[Line, ...]:
    """Without the page's own words, which have no confidence: in the PDF they are what they were."""
    parts = ((line, tuple(word for word in line.words if word.confidence is not None)) for line in page.lines)
    return tuple(replace(line, words=words) for line, words in parts if words)
