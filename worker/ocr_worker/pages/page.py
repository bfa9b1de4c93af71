"""One page: its own text where it has some, else drawn, read and turned upright. Compose comes later, from the stored result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.engines.pdf import form_values, page_content, page_objects
from ocr_worker.engines.pdf.page_objects import Drawn
from ocr_worker.engines.pdf.pdf_file import PdfFile
from ocr_worker.errors import CorruptError, TooLargeError, UnsupportedTypeError
from ocr_worker.model.page import Affine, Line, Page, PageStatus
from ocr_worker.model.tasks import PageSettings, PageTask
from ocr_worker.outputs import pdf_geometry
from ocr_worker.pages import beside_text, existing_text, layer_check, typed_text, word_lists
from ocr_worker.pages.blank import white_pictures
from ocr_worker.pages.completeness import (
    look_through,
    require_all_decodable,
    require_most,
    require_nothing_missing,
    require_pictures,
    require_sizes,
)
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.page_results import write_picture
from ocr_worker.pages.rendering import (
    MISWRITTEN,
    Sheet,
    choose_dpi,
    draw,
    draw_telling_colour,
    load_sheet,
    paint,
    shows_nothing,
    take_image,
    with_pictures_put_right,
)
from ocr_worker.pages.source_file import glance, require_unchanged
from ocr_worker.pages.weaving import woven

if TYPE_CHECKING:
    from PIL import Image

    from ocr_worker.pages.recognition import Reading
    from ocr_worker.pages.second_reading import Doubts

_Frame = TypeVar("_Frame")
UNREADABLE = "The page's own text can't be read (its characters are not those that are seen); `existing_text: redo` recognises the page instead"

PARTLY = "Some of the page's own text can't be read (its characters are not those that are seen); `existing_text: force` recognises the page instead"

UNREAD = "There is ink on the page, but no word was read, level or turned, dark on light or light on dark: look at it"

BESIDE = "The page's own text, which can't be read, stays in the PDF beside the new layer; `existing_text: force` leaves only the layer"

COVERED = "Text that lies under the page's picture, or that a font without ink shows, stays in the PDF beside the new layer; `existing_text: force` leaves only the layer"

UNSEEN = "Text that nobody sees (white, clear, clipped or tiny) stays in the PDF beside the new layer; `existing_text: force` leaves only the layer"

REPLACED = "The page's hidden text layer does not read like text: the page was recognised anew, and the layer replaced"

Course = Literal["keep", "beside", "read"]


@dataclass(frozen=True, slots=True)
class PageWork:
    """Reads pages, with what a page process keeps between them."""

    documents: Documents
    engines: Engines

    def process(self, task: PageTask) -> Page:
        """Raises OcrError when the page can't be done."""
        start = time.perf_counter()
        path, kind = glance(task.source)
        if task.settings.tells_language:
            task = replace(task, settings=self._told(task, kind))
        page = self._pdf_page(path, task) if kind == "pdf" else self._image_page(path, kind, task)
        require_unchanged(task.source)
        return replace(page, seconds=round(time.perf_counter() - start, 3))

    def _told(self, task: PageTask, kind: str) -> PageSettings:
        """Of a page that is read by itself."""
        from ocr_worker.pages.language_choice import LanguageChoice

        choice = LanguageChoice(self, Path(task.result_path).parent)
        return replace(
            task.settings,
            languages=choice.of_pages(task.source, kind, [task.page], task.settings).languages,
        )

    def _pdf_page(self, path: Path, task: PageTask) -> Page:
        pdf = self.documents.pdf(path, task.source.password, task.source.stamp)
        # First of all: PDFium follows forms that draw each other until its memory is gone.
        found = look_through(pdf, task.page, path)
        sheet = load_sheet(pdf, task.page, found)
        flaws = (*require_most(found, sheet, path), *sheet.remarks)
        content = sheet.content
        kind = existing_text.classify(pdf, task.page, content) if sheet.page and content else "none"
        if kind == "visible" and content and word_lists.make_no_words(content.text, task.settings):
            kind = "doubtful"
        kind, sheet, seen = self._looked_at(kind, pdf, sheet, task, found)
        course = _course(kind, sheet, task.settings)
        if kind == "partly" and course != "read":
            flaws = (*flaws, PARTLY)
        match course:
            case "keep":
                page = _own_text(pdf, sheet, kind, task.settings)
                if content and existing_text.has_good_layer(content):
                    page, is_twice = layer_check.once(page)
                    flaws = (*flaws, layer_check.TWICE) if is_twice else flaws
                    if layer_check.is_doubtful(sheet, page):
                        page = self._held_against(page, pdf, sheet, task, found)
                return replace(page, warnings=(*page.warnings, *flaws))
            case "beside":
                page = self._beside(pdf, sheet, task, found)
            case "read":
                page = _with_values(pdf, sheet, seen or self._whole(pdf, sheet, task, found))
        warnings = (*page.warnings, *flaws, *_remarks(kind, sheet, page, task.settings))
        return replace(
            page,
            hidden_text=bool(content and (content.hidden_characters or content.blots)),
            warnings=warnings,
        )

    def _looked_at(
        self, kind: existing_text.Kind, pdf: PdfFile, sheet: Sheet, task: PageTask, found: Drawn
    ) -> tuple[existing_text.Kind, Sheet, Page | None]:
        """Whether text that may be nonsense is what is seen, and what was read of the page to tell that."""
        content, choice = sheet.content, task.settings.existing_text
        if content is None or choice == "force":
            return kind, sheet, None
        if kind in ("marks", "strange"):
            look = self._checked_marks if kind == "marks" else self._checked_names
            kind, page = look(content.text, partial(self._whole, pdf, sheet, task, found))
            return kind, sheet, page
        if kind in ("drawn", "doubtful"):
            said = (
                page_content.drawn_text(content)
                if kind == "drawn"
                else existing_text.doubted(pdf, task.page, content.text) or content.text
            )
            kind, page = self._checked(kind, said, partial(self._whole, pdf, sheet, task, found))
            return kind, sheet, page
        if kind == "none" and existing_text.has_doubtful_layer(content):
            page = self._whole(pdf, sheet, task, found)
            if choice == "skip" and beside_text.is_seen(content.layer, page.lines):
                return "hidden", replace(sheet, content=replace(content, has_true_layer=True)), page
            return kind, sheet, page
        return kind, sheet, None

    def _checked(
        self, kind: existing_text.Kind, said: str, read: Callable[[], Page]
    ) -> tuple[existing_text.Kind, Page | None]:
        try:
            page = read()
        except (CorruptError, TooLargeError, UnsupportedTypeError):
            return "garbage", None
        if page.status != "ok":
            return "garbage", page
        if beside_text.is_seen(said, page.lines):
            return "visible", page
        return ("drawn" if kind == "drawn" else "garbage"), page

    def _checked_marks(self, said: str, read: Callable[[], Page]) -> tuple[existing_text.Kind, Page | None]:
        """Of text with hardly a letter, by whether there is much more to be read."""
        return self._unless_other(
            read,
            lambda page, seen: (
                page.status == "ok"
                and seen >= layer_check.MUCH_MORE * existing_text.letters_in(said)
                and beside_text.reads_like_print(page.lines)
            ),
        )

    def _checked_names(self, said: str, read: Callable[[], Page]) -> tuple[existing_text.Kind, Page | None]:
        """Of a few words that are no usual ones, by whether as much is surely read, and is something else."""
        return self._unless_other(
            read,
            lambda page, seen: (
                seen >= beside_text.SAID_AGAIN * existing_text.letters_in(said)
                and (page.confidence or 0.0) >= beside_text.SURE_CONFIDENCE
                and not beside_text.is_seen(said, page.lines)
            ),
        )

    def _unless_other(
        self, read: Callable[[], Page], is_other: Callable[[Page, int], bool]
    ) -> tuple[existing_text.Kind, Page | None]:
        """The text is believed unless what is read, with so many letters, is another."""
        try:
            page = read()
        except (CorruptError, TooLargeError, UnsupportedTypeError):
            return "visible", None
        seen = existing_text.letters_in("".join(word.text for line in page.lines for word in line.words))
        return ("garbage", page) if is_other(page, seen) else ("visible", None)

    def _whole(self, pdf: PdfFile, sheet: Sheet, task: PageTask, found: Drawn) -> Page:
        path = Path(task.source.path)
        require_sizes(sheet, task.settings.max_pixels, path)
        if (white := white_pictures(pdf, sheet, task.settings.max_pixels)) is not None:
            # What is there of another may be white, and what is not may hold all its print.
            page = replace(_blank(sheet, task), warnings=require_pictures(found, sheet, path, white))
        else:
            page = self._seen(pdf, sheet, task, found)
        if page.status in ("blank", "unread"):
            require_nothing_missing(found, sheet, path)
        if page.status == "blank" and (word := page_objects.fault(pdf.structure, task.page)):
            page = _with_remark(page, f"{MISWRITTEN} ({word}), and shows nothing: look at it")
        return page

    def _held_against(self, kept: Page, pdf: PdfFile, sheet: Sheet, task: PageTask, found: Drawn) -> Page:
        """A page whose hidden layer may not be that of its scan: as it is, or what is read of it."""
        try:
            if sheet.content and sheet.content.visible_characters:
                # A stamp beside the layer stays.
                redone = replace(task, settings=replace(task.settings, existing_text="redo"))
                page = self._beside(pdf, sheet, redone, found)
            else:
                page = self._whole(pdf, sheet, task, found)
        except (CorruptError, TooLargeError, UnsupportedTypeError) as error:
            return _with_remark(kept, f"{beside_text.BROKEN}: {error.message}")
        verdict = layer_check.judge(kept, page)
        if verdict in layer_check.STAYS:
            return _with_remark(kept, layer_check.STAYS[verdict])
        remark = layer_check.GIVES_WAY[verdict]
        remarks = _remarks("hidden", sheet, page, task.settings)
        return replace(page, hidden_text=True, warnings=(*page.warnings, remark, *remarks))

    def _beside(self, pdf: PdfFile, sheet: Sheet, task: PageTask, found: Drawn) -> Page:
        """The page's own text, and what its pictures show besides."""
        assert sheet.content is not None
        bare, redo = beside_text.without_text(sheet), task.settings.existing_text == "redo"
        kept = _own_text(pdf, sheet, "visible", task.settings)
        with page_content.without(sheet.content.shown + sheet.content.unseen):
            unread = beside_text.unread(bare)
            on_paper = redo or beside_text.may_hold_print(bare)
            if not (on_paper or beside_text.has_outlines(bare) or beside_text.is_stamped_scan(sheet)):
                return _with_remark(kept, unread)
            try:
                require_sizes(sheet, task.settings.max_pixels, Path(task.source.path))
                page = self._seen(pdf, bare, beside_text.as_it_lies(task, bare), found)
            except (CorruptError, TooLargeError, UnsupportedTypeError) as error:
                return _with_remark(kept, f"{beside_text.BROKEN}: {error.message}")
            if page.status in ("blank", "unread") and shows_nothing(bare):
                return kept
        # A drawing without a word may be taken for outlines of letters.
        trusted = (redo and beside_text.has_pictures(sheet)) or (
            on_paper and beside_text.is_stamped_scan(sheet)
        )
        if page.status == "ok" and (trusted or beside_text.reads_like_print(page.lines)):
            own = _own_lines(pdf, sheet, page, task.settings)
            return replace(page, lines=beside_text.joined(page.lines, own))
        return _with_remark(kept, unread)

    def _seen(self, pdf: PdfFile, sheet: Sheet, task: PageTask, found: Drawn) -> Page:
        path = Path(task.source.path)
        image: GreyImage | None = None
        flaws: tuple[str, ...] = ()
        if not (nothing := shows_nothing(sheet)):
            # By the time the page is drawn.
            self.engines.begin(task.settings)
            image = take_image(pdf, sheet, task.settings)
        if image is None:
            flaws = require_pictures(found, sheet, path)
        if nothing and not found.mended:
            page = _blank(sheet, task)
        else:
            if image is None:
                shown = with_pictures_put_right(pdf, sheet, found.mended)
                image = draw(pdf, shown, task.settings, path)
            page = self._read(image, (sheet.inches[0] * 72, sheet.inches[1] * 72), task)
            if page.status == "ok" and _is_repainted(sheet, task.settings):
                write_picture(Path(task.result_path), paint(sheet, image.dpi, image))
                page = replace(page, repainted=True)
        if page.status in ("blank", "unread"):
            require_all_decodable(sheet, path)
            if colour := draw_telling_colour(sheet, task.settings):
                page = self._read(colour, (sheet.inches[0] * 72, sheet.inches[1] * 72), task)
        return replace(page, warnings=(*page.warnings, *flaws))

    def _image_page(self, path: Path, kind: str, task: PageTask) -> Page:
        from ocr_worker.engines.images import image_files

        def frame(read: Callable[[Image.Image, Path], _Frame]) -> _Frame:
            with image_files.opened(path, kind, task.settings.max_pixels) as opened:
                image_files.select_page(opened, path, task.page, task.settings.max_pixels)
                return read(opened, path)

        self.engines.begin(task.settings)
        page = self._read_image(frame(image_files.read_grey), task)
        if page.status in ("blank", "unread") and (colour := frame(image_files.read_telling_colour)):
            return self._read_image(colour, task)
        return page

    def _read_image(self, image: GreyImage, task: PageTask) -> Page:
        if task.settings.dpi and image.dpi_estimated:
            image = replace(image, dpi=float(task.settings.dpi), dpi_estimated=False)
        return self._read(image, image.size_points, task)

    def _read(self, image: GreyImage, points: tuple[float, float], task: PageTask) -> Page:
        # Late, as most pages of real text are not read.
        from ocr_worker.pages import doubtful_text
        from ocr_worker.pages.recognition import Reader

        engine = self.engines.engine(task.settings)
        finder = partial(self.engines.finder, task.settings)
        hints, doubts = self.engines.hints(task.settings), _doubts(task.settings)
        reading = Reader(engine, finder, task.settings, hints, doubts).read(image)
        (width_px, height_px), (width, height), dpi = image.size, points, image.dpi
        if reading.turned in (90, 270):
            width_px, height_px, width, height = height_px, width_px, height, width
            dpi = image.dpi_down or dpi
        return Page(
            number=task.page,
            status=_status(reading),
            width_px=width_px,
            height_px=height_px,
            dpi=round(dpi, 2),
            dpi_estimated=image.dpi_estimated,
            width_points=round(width, 3),
            height_points=round(height, 3),
            turned=reading.turned,
            lines=reading.lines,
            engine=engine.name,
            engine_version=engine.version,
            warnings=(
                *image.warnings,
                *(() if reading.lines or not reading.has_ink else (UNREAD,)),
                *doubtful_text.remarks(image, reading, hints),
            ),
        )


def _doubts(settings: PageSettings) -> Doubts | None:
    from ocr_worker.engines.ocr import second_reader
    from ocr_worker.pages.second_reading import Doubts

    if not second_reader.takes_part(settings):
        return None
    return Doubts(settings.second_reader, partial(second_reader.opened, settings))


def _status(reading: Reading) -> PageStatus:
    if reading.lines:
        return "ok"
    return "unread" if reading.has_ink else "blank"


def _course(kind: existing_text.Kind, sheet: Sheet, settings: PageSettings) -> Course:
    """Whether the page's own text is all, or is joined by what its pictures show, or gives way to what is seen."""
    if settings.existing_text == "force" or kind in ("none", "drawn"):
        return "read"
    redo = settings.existing_text == "redo"
    if kind == "hidden":
        return "read" if redo else "keep"
    pictures = beside_text.is_to_be_read(sheet, settings)
    if kind == "garbage":
        return "read" if redo or (pictures and beside_text.is_stamped_scan(sheet)) else "keep"
    return "beside" if pictures else "keep"


def _remarks(kind: existing_text.Kind, sheet: Sheet, page: Page, settings: PageSettings) -> Iterator[str]:
    if page.status != "ok" or sheet.content is None or settings.existing_text == "force":
        return
    if kind in ("garbage", "drawn"):
        yield BESIDE
    if sheet.content.covered and existing_text.has_layer(sheet.content):
        yield COVERED
    if beside_text.is_said_again(sheet.content.unseen_text, page.lines):
        yield UNSEEN
    if settings.existing_text == "skip" and existing_text.has_garbage_layer(sheet.content):
        yield REPLACED


def _with_remark(page: Page, remark: str | None) -> Page:
    return replace(page, warnings=(*page.warnings, remark)) if remark else page


def _is_repainted(sheet: Sheet, settings: PageSettings) -> bool:
    """Under `force` text that is in the page would be found twice, once as it is and once as it was read."""
    content = sheet.content
    twice = content is not None and (
        content.visible_characters > 0 or content.covered or bool(content.unseen_text.strip())
    )
    return settings.existing_text == "force" and "pdf" in settings.outputs and twice


def _own_text(pdf: PdfFile, sheet: Sheet, kind: existing_text.Kind, settings: PageSettings) -> Page:
    page = _sized(sheet, choose_dpi(sheet, settings), "has_text")
    lines = _own_lines(pdf, sheet, page, settings)
    return replace(page, lines=lines, warnings=(UNREADABLE,) if kind == "garbage" else ())


def _own_lines(pdf: PdfFile, sheet: Sheet, page: Page, settings: PageSettings) -> tuple[Line, ...]:
    """What is displayed, and under `skip` what a good hidden layer says; and what was typed into the page's form."""
    content, to_pixels = sheet.content, _to_pixels(pdf, sheet, page)
    if content is None:
        return ()
    if settings.existing_text == "skip" and existing_text.has_good_layer(content):
        # Of a layer that lies on other words that is told.
        lines = existing_text.read_lines(*page_content.with_layer(sheet.page, content), to_pixels)
    else:
        lines = existing_text.without_repeats(
            existing_text.read_lines(content.text, content.texts, to_pixels)
        )
    blots = content.blots
    if sheet.stamps and sheet.stamps.shapes:
        blots += page_content.plain_places(sheet.page, sheet.stamps.shapes)
    if blots:
        lines = existing_text.without_blots(lines, blots, to_pixels)
    blocks = typed_text.blocks(_values(pdf, sheet), to_pixels)
    if stamps := sheet.stamps:
        blocks += [[line] for line in existing_text.read_lines(stamps.text, stamps.texts, to_pixels)]
    return woven(lines, blocks) if blocks else lines


def _with_values(pdf: PdfFile, sheet: Sheet, page: Page) -> Page:
    """A page that was read, and values of its fields in whose places nothing was: of one letter a box, say."""
    values = _values(pdf, sheet)
    if not values:
        return page
    unread = typed_text.unread_blocks(values, page.lines, _to_pixels(pdf, sheet, page))
    if not unread:
        return page
    return replace(page, status="ok", lines=woven(page.lines, unread))


def _values(pdf: PdfFile, sheet: Sheet) -> list[form_values.Value]:
    """Those that are displayed: neither on layers that are off, nor beyond the page, nor in fields without a size."""
    found = form_values.values(pdf.structure, sheet.number, sheet.layers.is_off)
    if not found:
        return []
    left, bottom, right, top = pdf_geometry.visible_box(pdf.structure.pages[sheet.number - 1])
    return [
        value
        for value in found
        if max(left, value.box[0]) < min(right, value.box[2])
        and max(bottom, value.box[1]) < min(top, value.box[3])
    ]


def _blank(sheet: Sheet, task: PageTask) -> Page:
    """Told without an engine."""
    return _sized(sheet, choose_dpi(sheet, task.settings), "blank")


def _sized(sheet: Sheet, dpi: float, status: PageStatus) -> Page:
    """A page as large as the sheet, of which nothing was drawn."""
    width, height = sheet.inches
    return Page(
        number=sheet.number,
        status=status,
        width_px=max(1, round(width * dpi)),
        height_px=max(1, round(height * dpi)),
        dpi=round(dpi, 2),
        width_points=round(width * 72, 3),
        height_points=round(height * 72, 3),
    )


def _to_pixels(pdf: PdfFile, sheet: Sheet, page: Page) -> Affine:
    """From the PDF page's user space to the pixels of the page as it stands upright."""
    built = pdf.structure.pages[sheet.number - 1]
    turned = (pdf_geometry.rotation(built) + page.turned) % 360
    return pdf_geometry.to_displayed(pdf_geometry.visible_box(built), turned, (page.width_px, page.height_px))
