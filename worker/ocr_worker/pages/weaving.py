"""Lines that were found apart, put where they stand on paper among those of a page."""

from __future__ import annotations

from dataclasses import replace

from ocr_worker.model.page import Line


def woven(lines: tuple[Line, ...], blocks: list[list[Line]]) -> tuple[Line, ...]:
    """The lines as they are, and each block where it stands among them on paper."""
    places: dict[int, list[Line]] = {}
    for block in blocks:
        places.setdefault(_place(block, lines), []).extend(block)
    merged: list[tuple[int, Line]] = []
    for at, line in enumerate(lines):
        merged += [(1, inserted) for inserted in places.get(at, ())]
        merged.append((0, line))
    merged += [(1, inserted) for inserted in places.get(len(lines), ())]
    return _numbered(merged)


def _place(block: list[Line], lines: tuple[Line, ...]) -> int:
    """Before which line the block stands: one of a single line goes into its row, others between two lines of their column."""
    left, right = min(line.box[0] for line in block), max(line.box[2] for line in block)
    middle = (min(line.box[1] for line in block) + max(line.box[3] for line in block)) / 2
    row = [at for at, line in enumerate(lines) if line.box[1] <= middle <= line.box[3]]
    if len(block) == 1 and row:
        before = [at for at in row if lines[at].box[0] < left]
        return before[-1] + 1 if before else row[0]
    for at, line in enumerate(lines):
        if line.box[1] >= middle and line.box[0] < right and line.box[2] > left:
            return at
    above = [at for at, line in enumerate(lines) if line.box[3] <= middle]
    return above[-1] + 1 if above else 0


def _numbered(lines: list[tuple[int, Line]]) -> tuple[Line, ...]:
    """Blocks and paragraphs counted anew, from 0 through the page."""
    found: list[Line] = []
    block = paragraph = -1
    before: tuple[int, int, int] | None = None
    for source, line in lines:
        now = source, line.block, line.paragraph
        if before is None or now[:2] != before[:2]:
            block += 1
        if now != before:
            paragraph += 1
        found.append(replace(line, block=block, paragraph=paragraph))
        before = now
    return tuple(found)
