"""Print that a layout leaves out, as where a stamp's ring runs through it, or a page's number: looked for in the ink, and read row by row."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.model.page import Box, Line, map_lines, mean_confidence
from ocr_worker.pages.preprocessing import word_boxes
from ocr_worker.pages.weaving import woven

MOST_ROWS = 24
"""More of them are a picture."""
ABOVE = 0.7
"""Of the usual line, above the small letters of a row and below: what stands out of them, and some paper."""
SURE = 75.0
"""Mean confidence of a line: what is read in pictures and scribbles has 60 at most."""
SURE_ALONE = 85.0
"""The same of a page's number."""
_NUMBER = re.compile(r"\d{1,4}|[ivxlc]{1,7}")
_ABOUT = "-\u2010\u2013\u2014 .[]()"
FEWEST_CHARACTERS = 3
"""Letters and figures of a line."""


def with_what_was_left_out(
    image: GreyImage, lines: tuple[Line, ...], read: Callable[[GreyImage], tuple[Line, ...]]
) -> tuple[tuple[Line, ...], bool]:
    """The lines, and among them what is read for sure where the page has print besides.

    Args:
        image: of the upright page.
        lines: that were read, at least one.
        read: an engine's `recognise`.

    Returns:
        All lines; and whether more print is likely to lie among what was found so, but could not be read.
    """
    boxes = word_boxes(lines)
    height = statistics.median(line.box[3] - line.box[1] for line in lines)
    margin = round(ABOVE * height)
    rows = image.ink.rows_outside(boxes, height)
    found, unread = list[Line](), 0
    for row in rows if len(rows) <= MOST_ROWS else ():
        more = tuple(_sure(_read(image, row, margin, boxes, read), row))
        # Rows are so near each other that the next one may show this one as well.
        boxes += word_boxes(more)
        found += more
        unread += not more
    leaves_print = bool(found and unread)
    for place in image.ink.alone_outside(boxes, height):
        found += filter(_is_number, _read(image, place, margin, boxes, read))
    return (woven(lines, [[line] for line in found]) if found else lines), leaves_print


def _read(
    image: GreyImage,
    row: Box,
    margin: int,
    boxes: Sequence[Box],
    read: Callable[[GreyImage], tuple[Line, ...]],
) -> tuple[Line, ...]:
    """A row alone, on its paper, without the words that were read."""
    (width, height), (left, top, right, foot) = image.size, row
    left, top = max(0, left - margin), max(0, top - margin)
    strip = image.picture.crop((left, top, min(width, right + margin), min(height, foot + margin)))
    paper = filters.grey_level(strip, filters.PAPER_SHARE)
    for x0, y0, x1, y1 in boxes:
        strip.paste(paper, (x0 - left, y0 - top, x1 - left, y1 - top))
    return map_lines(read(replace(image, picture=strip)), (1, 0, 0, 1, left, top))


def _sure(lines: tuple[Line, ...], row: Box) -> Iterator[Line]:
    for line in lines:
        is_in_row = row[1] <= (line.box[1] + line.box[3]) / 2 <= row[3]
        enough = sum(map(str.isalnum, line.text)) >= FEWEST_CHARACTERS
        if is_in_row and enough and (mean_confidence(line.words) or 0) >= SURE:
            yield line


def _is_number(line: Line) -> bool:
    """Whether it is likely a page's, and not a stroke or a blot."""
    core = line.text.strip(_ABOUT)
    is_bare_strokes = core == line.text and not core.strip("1il")
    return (
        bool(_NUMBER.fullmatch(core))
        and not is_bare_strokes
        and (mean_confidence(line.words) or 0) >= SURE_ALONE
    )
