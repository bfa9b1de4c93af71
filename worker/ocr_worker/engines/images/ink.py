"""Where a page has ink, told without reading it: what was read, or found to be read, is held against it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from operator import mul

from PIL import Image, ImageChops

Box = tuple[int, int, int, int]
Place = tuple[float, float, float, float]
"""Of a word, in pixels that may be parted."""

CELLS = 600
"""On the shorter side: what is smaller than a cell, specks and grain, fades."""
FAINTEST = 24
"""Grey levels by which ink stands out from what is about it."""
OF_STRONGEST = 0.25
"""And beside the strongest ink of the page, so that noise is none."""
BLOCK = 8
"""Cells each way."""
LETTER = 6
"""Cells of a block that stand out where a letter is; a speck makes four at most."""
_STANDING_OUT = [each if (each := round(share * BLOCK**2 / 255)) >= LETTER else 0 for share in range(256)]
"""Cells of a block, by its mean level; those of a block that holds no letter do not count."""
A_WORD = 24
"""Cells: a small word, or a blot as large."""
STRETCH = 64
"""Cells across, a block high: a word of print of any usual size, or a part of one."""
_BLACK = round(0.15 * 255)
"""Of print it is 0.2 and more; what stands out of the boxes of words, and dots of grey, are less."""
_STROKES = round(3 / STRETCH * 255)
"""That a line across it meets on average: of print 3 to 12, of rules and blots fewer."""
MOST_SINGLY = 100
"""Stretches that may be print: of more all are looked at together."""
LEAST_ROW = 3
"""Cells."""
INKED = re.compile(rb"[^\0]+")
"""Of levels from top to bottom."""
NEAR = 4
"""Cells: what is nearer to each other belongs together."""
MOST_SPOTS, MOST_ALONE = 200, 3
"""More are specks, stains or a picture."""
LOWEST, HIGHEST, WIDEST = 0.4, 1.3, 8.0
"""Of the usual line."""
MARGIN = 0.3
"""Of its height, about the box of a word: its stops and accents."""


def cell_px(picture: Image.Image) -> int:
    return max(1, round(min(picture.size) / CELLS))


class Ink:
    """`marks` are white where ink is, in `cells` of so many pixels each way."""

    def __init__(self, picture: Image.Image) -> None:
        self.cell = cell_px(picture)
        self.cells = picture.reduce(self.cell)
        self.marks = marked(ImageChops.difference(self.cells, ground(self.cells)))
        self._count = _count(self.marks)
        self._rest: _Rest | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is more than specks and grain: letters, blots, a picture."""
        return self._count >= A_WORD

    def keep_within(self, boxes: Iterable[Box]) -> None:
        """Ink elsewhere counts no longer."""
        kept = Image.new("L", self.marks.size, 0)
        for box in boxes:
            left, top, right, bottom = (side // self.cell for side in box)
            kept.paste(self.marks.crop((left, top, right, bottom)), (left, top))
        self.marks, self._count, self._rest = kept, _count(kept), None

    def share_outside(self, boxes: Iterable[Place]) -> float:
        """How much of the ink lies in none of these boxes of words."""
        return self._outside(boxes).count / max(A_WORD, self._count)

    def has_print_outside(self, boxes: Iterable[Place]) -> bool:
        """Whether some of it there looks like a word or more: strokes side by side, in a row as high as one of print."""
        return self._outside(boxes).has_print

    def rows_outside(self, boxes: Iterable[Box], height: float) -> list[Box]:
        """Where such a row may lie, each from the top to the foot of its small letters, in pixels.

        Args:
            boxes: of words.
            height: of the page's usual line, in pixels.
        """
        rest = self._outside(boxes)
        if not rest.print_:
            return []
        looks = Image.new("L", rest.ink.size, 0)
        for box in rest.print_:
            looks.paste(255, box)
        reach = max(3, round(height / self.cell))
        return [
            (left * self.cell, top * self.cell, right * self.cell, foot * self.cell)
            for band in INKED.finditer(_across(looks))
            for left, top, right, foot in _rows(rest.ink, looks, band.span(), reach)
        ]

    def alone_outside(self, boxes: Iterable[Box], height: float) -> list[Box]:
        """Marks as high as letters and a few of them wide, with nothing about them, as a page's number; in pixels, none where there are many.

        Args:
            boxes: of words.
            height: of the page's usual line, in pixels.
        """
        rest = self._outside(boxes).ink
        places = set(islice(inked(rest.reduce(NEAR)), MOST_SPOTS + 1))
        if len(places) > MOST_SPOTS:
            return []
        found = []
        for left, top, right, foot in groups(places, 2, 1):
            box = NEAR * left, NEAR * top, NEAR * right, NEAR * foot
            x0, y0, x1, y1 = rest.crop(box).getbbox() or (0, 0, 0, 0)
            across, down = (x1 - x0) * self.cell, (y1 - y0) * self.cell
            if LOWEST * height <= down <= HIGHEST * height and across <= WIDEST * height:
                begin = (box[0] + x0) * self.cell, (box[1] + y0) * self.cell
                found.append((*begin, begin[0] + across, begin[1] + down))
        return found if len(found) <= MOST_ALONE else []

    def _outside(self, boxes: Iterable[Place]) -> _Rest:
        """Several looks at the same words follow on each other."""
        places = tuple(boxes)
        if self._rest is None or self._rest.boxes != places:
            self._rest = _Rest(places, self._without(places))
        return self._rest

    def _without(self, boxes: Iterable[Place]) -> Image.Image:
        rest, cell = self.marks.copy(), self.cell
        for left, top, right, bottom in map(widened, boxes):
            rest.paste(0, (int(left / cell), int(top / cell), int(right / cell) + 1, int(bottom / cell) + 1))
        return rest


@dataclass
class _Rest:
    """The ink that lies in none of these boxes."""

    boxes: tuple[Place, ...]
    ink: Image.Image

    @cached_property
    def count(self) -> int:
        return _count(self.ink)

    @cached_property
    def has_print(self) -> bool:
        return next(_like_print(self.ink), None) is not None

    @cached_property
    def print_(self) -> list[Box]:
        return list(_like_print(self.ink))


def inked(marks: Image.Image) -> Iterator[tuple[int, int]]:
    """Across and down, of each mark."""
    for run in INKED.finditer(marks.tobytes()):
        for at in range(*run.span()):
            yield at % marks.width, at // marks.width


def groups(places: set[tuple[int, int]], reach_across: int, reach_down: int) -> Iterator[Box]:
    """Around those of which each is so near to another. Empties the set."""
    steps = list(product(range(-reach_across, reach_across + 1), range(-reach_down, reach_down + 1)))
    while places:
        group = [places.pop()]
        for x, y in group:
            near = {(x + across, y + down) for across, down in steps} & places
            places -= near
            group += near
        across, down = zip(*group, strict=True)
        yield min(across), min(down), max(across) + 1, max(down) + 1


def ground(cells: Image.Image) -> Image.Image:
    """What is about each cell."""
    return cells.reduce(2 * BLOCK).resize(cells.size, Image.Resampling.BILINEAR)


def marked(differences: Image.Image) -> Image.Image:
    """White where a cell stands out enough from what is about it."""
    least = max(FAINTEST, round(OF_STRONGEST * _strongest(differences)))
    return differences.point([0] * least + [255] * (256 - least))


def _like_print(ink: Image.Image) -> Iterator[Box]:
    """Stretches of cells that look like print."""
    begun = ImageChops.darker(ink, ImageChops.invert(ImageChops.offset(ink, 1, 0)))
    places = list(islice(_may_be_print(ink, begun), MOST_SINGLY + 1))
    size = STRETCH, BLOCK
    if len(places) > MOST_SINGLY:
        places, size = list(product((0, STRETCH // 2), (0, BLOCK // 2))), ink.size
    for left, top in places:
        box = left, top, min(left + size[0], ink.width), min(top + size[1], ink.height)
        if left >= ink.width or top >= ink.height:
            continue
        black, strokes = (one.crop(box).reduce((STRETCH, BLOCK)) for one in (ink, begun))
        for at, (share, count) in enumerate(zip(black.tobytes(), strokes.tobytes(), strict=True)):
            if share >= _BLACK and count >= _STROKES:
                x, y = left + at % black.width * STRETCH, top + at // black.width * BLOCK
                yield x, y, x + STRETCH, y + BLOCK


def _may_be_print(ink: Image.Image, begun: Image.Image) -> Iterator[tuple[int, int]]:
    """Where a stretch begins that may: it is as full as one of its quarters, at most."""
    across, down = STRETCH // 2, BLOCK // 2
    full = (
        _about(one.reduce((across, down)).point([0] * least + [255] * (256 - least)))
        for one, least in ((ink, _BLACK - 1), (begun, _STROKES - 1))
    )
    return ((x * across, y * down) for x, y in inked(ImageChops.darker(*full)))


def _about(marks: Image.Image) -> Image.Image:
    """Where a mark is, or one to the right, below or both."""
    lighter, (width, height) = ImageChops.lighter, marks.size
    wide = lighter(marks, marks.crop((1, 0, width + 1, height)))
    return lighter(wide, wide.crop((0, 1, width, height + 1)))


def _rows(ink: Image.Image, looks: Image.Image, band: tuple[int, int], reach: int) -> Iterator[Box]:
    """The rows of a band: where there is more ink than half-way from the least to the most of what is about."""
    across = looks.crop((0, band[0], looks.width, band[1])).getbbox()
    if across is None:
        return
    left, right = max(0, across[0] - STRETCH // 2), min(ink.width, across[2] + STRETCH // 2)
    top, foot = max(0, band[0] - BLOCK), min(ink.height, band[1] + BLOCK)
    amounts = _across(ink.crop((left, top, right, foot)))
    inked = bytes(
        amount > _middle(amounts[max(0, at - reach) : at + reach + 1]) for at, amount in enumerate(amounts)
    )
    for begin, end in (row.span() for row in INKED.finditer(inked)):
        place = left, top + begin, right, top + end
        if end - begin >= LEAST_ROW and (inner := ink.crop(place).getbbox()):
            yield left + inner[0], top + begin, left + inner[2], top + end


def _middle(amounts: bytes) -> float:
    return max(2.0, (min(amounts) + max(amounts)) / 2)


def _across(picture: Image.Image) -> bytes:
    """The mean level of each row."""
    return picture.reduce((picture.width, 1)).tobytes()


def widened(box: Place) -> Place:
    """The box of a word with what of its letters may stand out."""
    left, top, right, bottom = box
    margin = MARGIN * (bottom - top)
    return left - margin, top - margin, right + margin, bottom + margin


def most_marks(ink: Image.Image) -> int:
    """How often a line across or down a picture meets ink, at most; what is not ink is black there."""
    if 0 in ink.size:
        return 0
    import numpy as np

    _, strongest = ink.getextrema()
    marked = np.asarray(ink) >= max(FAINTEST, int(strongest) // 2)  # type: ignore[arg-type]  # of grey
    across, down = (
        (turned[:, :1].sum(axis=1) + (turned[:, 1:] & ~turned[:, :-1]).sum(axis=1)).max()
        for turned in (marked, marked.T)
    )
    return int(max(across, down))


def _strongest(marks: Image.Image) -> int:
    """Above all but a hundredth."""
    counts, rest = marks.histogram(), 0.01 * marks.width * marks.height
    for level in range(255, 0, -1):
        rest -= counts[level]
        if rest < 0:
            return level
    return 0


def _count(marks: Image.Image) -> int:
    """Cells that stand out, in blocks that hold enough of them."""
    return sum(map(mul, _STANDING_OUT, marks.reduce(BLOCK).histogram()))
