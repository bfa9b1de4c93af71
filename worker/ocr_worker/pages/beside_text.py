"""A page that shows text of its own and pictures as well: what is in the pictures is read, and joins the text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from ocr_worker.engines.pdf import geometry, page_content, pdfium
from ocr_worker.model.page import Box, Line
from ocr_worker.model.tasks import PageSettings, PageTask
from ocr_worker.pages import existing_text
from ocr_worker.pages.rendering import GLANCE_DPI, Sheet
from ocr_worker.pages.weaving import woven

LEAST_SHARE = 0.05
"""Of the page: smaller pictures are logos and signatures."""
LEAST_SHARE_ON_REDO = 0.005
SCAN_SHARE = 0.5
SCAN_CHARACTERS = 400
"""A page with less text, most of which pictures cover, is a scan with a stamp: what is read on its paper counts, however unsure."""
PAPER_SHARE, PAPER_LEVELS = 0.3, 32
"""Print leaves much of a picture at about one level; in a photograph no level is so common."""
LEAST_RANGE = 6
"""Grey levels: so little is no print, but the noise of a flat ground. Faint small print, drawn so small, has little more."""
SURE_CONFIDENCE = 60.0
SURE_CHARACTERS = 10
MOST_GLANCES = 8
FEWEST_WORDS, SAID_AGAIN = 4, 0.5
LEAST_PIECE, PIECE = 3, 6
"""Letters that are compared at once."""
OUTLINES = 60
"""Shapes that may be letters: a page that has as many is looked at for print that was turned into outlines."""
BROKEN = "The page's own text was kept, but a picture beside it could not be read"


def share(sheet: Sheet) -> float:
    """How much of the page its pictures cover."""
    return page_content.covered_share(pictures(sheet), sheet.page) if sheet.page else 0.0


def pictures(sheet: Sheet) -> tuple[page_content.Picture, ...]:
    """Those too that annotations draw."""
    return tuple(
        picture for content in (sheet.content, sheet.stamps) if content for picture in content.images
    )


def is_to_be_read(sheet: Sheet, settings: PageSettings) -> bool:
    """Whether the pictures of a page with text on it are worth a look."""
    if sheet.content is None:
        return False
    outlines = has_outlines(sheet)
    if settings.existing_text == "redo":
        return outlines or has_pictures(sheet) or existing_text.has_layer(sheet.content)
    # What is hidden was read in the pictures before.
    return (outlines or share(sheet) >= LEAST_SHARE) and not existing_text.has_good_layer(sheet.content)


def has_pictures(sheet: Sheet) -> bool:
    """Any that may hold print."""
    return share(sheet) >= LEAST_SHARE_ON_REDO


def has_outlines(sheet: Sheet) -> bool:
    return sheet.content is not None and sheet.content.letters >= OUTLINES


def is_stamped_scan(sheet: Sheet) -> bool:
    content = sheet.content
    return content is not None and content.visible_characters < SCAN_CHARACTERS and share(sheet) >= SCAN_SHARE


def unread(sheet: Sheet) -> str | None:
    """What to say of large pictures in which nothing was read, while the page's text is switched off."""
    fills = tuple(picture for picture in pictures(sheet) if picture.may_be_flat)
    told = tuple(picture for picture in pictures(sheet) if not picture.may_be_flat)
    if fills and _hold_print(fills, sheet):
        told += fills
    covered = page_content.covered_share(told, sheet.page) if sheet.page else 0.0
    if covered < SCAN_SHARE:
        return None
    return f"Pictures cover {covered:.0%} of the page beside its own text, and no words were read in them"


def without_text(sheet: Sheet) -> Sheet:
    """The sheet as it is while the text that it displays is switched off."""
    if sheet.content is None:
        return sheet
    return replace(sheet, content=replace(sheet.content, visible_characters=0, text=""))


def is_said_again(unseen: str, read: tuple[Line, ...]) -> bool:
    """Whether text that nobody sees is what was read: an older layer, in its own way."""
    return len(_words(unseen)) >= FEWEST_WORDS and _is_said(unseen, read)


def _is_said(text: str, read: tuple[Line, ...]) -> bool:
    """Whether most of a text's words were read."""
    words, found = _words(text), _words(" ".join(word.text for line in read for word in line.words))
    return bool(words) and len(words & found) >= SAID_AGAIN * len(words)


def is_seen(text: str, read: tuple[Line, ...]) -> bool:
    """Whether what was read of a page is its own text: long words, as of numbers of parts, are compared piece by piece."""
    seen = "".join(unmarked(word.text) for line in read for word in line.words)
    words = {unmarked(word) for word in text.split()} - {""}
    least = min(LEAST_PIECE, max(map(len, words), default=0))
    pieces = {word[at : at + PIECE] for word in words for at in range(0, len(word) - least + 1, PIECE)}
    return bool(pieces) and sum(piece in seen for piece in pieces) >= SAID_AGAIN * len(pieces)


def unmarked(text: str) -> str:
    """Letters without their marks, which readers of another language lose."""
    return _plain("".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)))


def _words(text: str) -> set[str]:
    return {_plain(word) for word in text.split()} - {""}


def as_it_lies(task: PageTask, sheet: Sheet) -> PageTask:
    """Outlines lie as the text beside them does: a drawing is not turned about in search of words."""
    if has_pictures(sheet):
        return task
    return replace(task, settings=replace(task.settings, rotate_pages="off", deskew="off"))


def may_hold_print(sheet: Sheet) -> bool:
    """By the levels of its pictures, drawn small."""
    return _hold_print(pictures(sheet), sheet)


def _hold_print(drawn: tuple[page_content.Picture, ...], sheet: Sheet) -> bool:
    try:
        glance = pdfium.render(sheet.page, GLANCE_DPI)
    except pdfium.PdfiumError:
        return True
    largest = sorted(drawn, key=lambda one: geometry.area(one.shown))[-MOST_GLANCES:]
    for picture in largest:
        left, top, right, bottom = geometry.pixels(picture.shown, sheet.page, glance.size)
        if left >= right or top >= bottom:
            continue
        levels = glance.crop((left, top, right, bottom)).histogram()
        common = max(sum(levels[at : at + PAPER_LEVELS]) for at in range(256 - PAPER_LEVELS + 1))
        found = [level for level, count in enumerate(levels) if count]
        if common >= PAPER_SHARE * sum(levels) and found[-1] - found[0] >= LEAST_RANGE:
            return True
    return False


def reads_like_print(lines: Iterable[Line]) -> bool:
    """Whether most of what was read in a picture is sure: in one without print, marks are taken for letters."""
    words = [word for line in lines for word in line.words]
    counts = [(sum(map(str.isalnum, word.text)), word.confidence or 0.0) for word in words]
    sure = sum(count for count, confidence in counts if count >= 3 and confidence >= SURE_CONFIDENCE)
    return sure >= SURE_CHARACTERS and sure >= 0.5 * sum(count for count, _ in counts)


def joined(read: tuple[Line, ...], own: tuple[Line, ...]) -> tuple[Line, ...]:
    """What was read and what the page has itself, each word once: the shorter in its places within the longer."""
    read = _not_twice(read, own)
    if _length(own) >= _length(read):
        return woven(
            own, [list(block) for _, block in groupby(read, key=lambda line: (line.block, line.paragraph))]
        )
    # PDFium tells of no blocks: a heading and a page number are lines of one.
    return woven(read, [[line] for line in own])


def _length(lines: Iterable[Line]) -> int:
    return sum(len(word.text) for line in lines for word in line.words)


def _not_twice(read: tuple[Line, ...], own: tuple[Line, ...]) -> tuple[Line, ...]:
    """What was read without the words that the page itself has in the same place."""
    places: dict[str, list[Box]] = {}
    for line in own:
        for word in line.words:
            places.setdefault(_plain(word.text), []).append(word.box)
    found = []
    for line in read:
        words = tuple(
            word for word in line.words if not _lies_on(word.box, places.get(_plain(word.text), []))
        )
        if words:
            found.append(line if len(words) == len(line.words) else replace(line, words=words))
    return tuple(found)


def _lies_on(box: Box, boxes: list[Box]) -> bool:
    return any(geometry.lie_on_each_other(box, other) for other in boxes)


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
