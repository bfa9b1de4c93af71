"""Values of form fields as lines of a page: where their letters stand within a field is estimated from its box."""

from __future__ import annotations

from collections.abc import Iterator

from ocr_worker.engines.pdf.form_values import Value
from ocr_worker.model.page import Affine, Box, Line, Word, around, map_point

LEADING, ADVANCE, INSET = 1.2, 0.5, 2.0
"""Of a line and of a letter, in sizes of the font; and the field's margin in points."""


def blocks(values: list[Value], to_pixels: Affine) -> list[list[Line]]:
    """One for each value."""
    return [list(_lines(value, to_pixels, number)) for number, value in enumerate(values)]


def unread_blocks(values: list[Value], read: tuple[Line, ...], to_pixels: Affine) -> list[list[Line]]:
    """Those in whose fields no word was read."""
    middles = [
        ((left + right) / 2, (top + bottom) / 2)
        for line in read
        for left, top, right, bottom in (word.box for word in line.words)
    ]
    fields = [_box(value.box, to_pixels) for value in values]
    return [
        block
        for block, (left, top, right, bottom) in zip(blocks(values, to_pixels), fields, strict=True)
        if block and not any(left <= x <= right and top <= y <= bottom for x, y in middles)
    ]


def _lines(value: Value, to_pixels: Affine, paragraph: int) -> Iterator[Line]:
    left, bottom, right, top = value.box
    rows = list(_rows(value))
    step = min(value.size * LEADING, (top - bottom) / len(rows)) if rows else 0.0
    # A single line stands in the middle, several begin at the top.
    upper = (top + bottom + step) / 2 if len(rows) == 1 else top
    for row in rows:
        scale = min(ADVANCE * value.size, max(1e-3, right - left - 2 * INSET) / max(1, len(row)))
        words, at = [], 0
        for text in row.split():
            at = row.index(text, at)
            start = left + INSET + at * scale
            words.append(
                Word(text, _box((start, upper - step, start + len(text) * scale, upper), to_pixels), None)
            )
            at += len(text)
        box = around([word.box for word in words])
        yield Line(tuple(words), box, (box[0], box[3], box[2], box[3]), 0, paragraph)
        upper -= step


def _rows(value: Value) -> Iterator[str]:
    """As a viewer breaks them, about."""
    across = max(1, int((value.box[2] - value.box[0] - 2 * INSET) / (ADVANCE * value.size)))
    wraps = value.box[3] - value.box[1] >= 2 * LEADING * value.size
    for line in value.text.splitlines():
        row = ""
        for word in line.split():
            if row and wraps and len(row) + 1 + len(word) > across:
                yield row
                row = ""
            row = f"{row} {word}" if row else word
        if row:
            yield row


def _box(box: tuple[float, float, float, float], to_pixels: Affine) -> Box:
    corners = [map_point(x, y, to_pixels) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = zip(*corners, strict=True)
    return round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
