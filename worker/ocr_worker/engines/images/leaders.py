"""Leaders: the rows of dots or dashes that lead the eye from a heading to its page, or that a form is to be filled in on.

Engines read letters in them and lose the words beside: of tables of contents more than half. See docs/decisions/0225.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import add, sub
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from ocr_worker.engines.images.filters import grey_level
from ocr_worker.engines.images.ink import ground, groups, inked, marked
from ocr_worker.model.page import around

if TYPE_CHECKING:
    from ocr_worker.engines.images.grey_image import GreyImage

Dot = tuple[int, int, int, int]
"""Its box, or that of a dash."""
Leader = tuple[Dot, ...]
"""Its dots from left to right, in pixels."""
FINER = 2
"""Times as fine as the cells of a page's ink, at least: of those a dot has one, or parts of four."""
LOW = 3
"""Cells: a dot is lower, and so far above and below it lies no ink."""
STRETCH = 36
"""Cells across."""
LEAST_IN_STRETCH = 4
"""Dots: print seldom has as many stops and hyphens there."""
SHORT, LEAST_IN_SHORT = 12, 2
"""The same on a page that has some."""
FEWEST = 8
"""Dots of a leader that tells that the page has them."""
FEWEST_OF_KIND = 4
"""Of others whose dots are as large and as far apart: three are an ellipsis."""
NEAREST, WIDEST_GAP = 4, 40
"""Finer cells from dot to dot: nearer ones are a grey of dots."""
CLIMB = 0.15
"""Of the way from dot to dot: what climbs more is no row, however the page is tilted."""
PITCH_SLACK = 0.25
"""Of the usual way from dot to dot."""
SIZE_SLACK = 1
"""Finer cells."""
APART = 0.5
"""Heights of a dot between two: letters stand closer."""
CLOSE = 0.8
"""Of the gap between two dashes."""
DASH, LONGEST_DASH = 1.6, 12
"""Heights: as wide is a dash; what is wider than that is a rule."""
FULL = 0.6
"""Of the box of a round dot, at least."""
ABOVE = 2
"""Heights of a dot: between two of a leader there is no ink as far up."""
PAPER = 0.6
"""Of the pixels of a leader's strip are darker than most of its paper; dots are less."""


def find_leaders(image: GreyImage) -> list[Leader]:
    """Of a page that does not lie on its side; it may be tilted a little."""
    ink = image.ink
    if not any(_bands(ink.marks, STRETCH, LEAST_IN_STRETCH)):
        return []
    px = max(1, ink.cell // FINER)
    finer = ink.cell / px
    cells = image.picture.reduce(px)
    # Dark alone: beside bold print white stands out as well.
    marks = marked(ImageChops.subtract(ground(cells), cells))
    rows, listed = list[Leader](), list[bool]()
    for top, foot in _bands(ink.marks, SHORT, LEAST_IN_SHORT):
        begin = int(finer * top)
        band = marks.crop((0, begin, marks.width, int(finer * foot)))
        for row in _rows(band, round(finer * LOW)):
            rows.append(tuple((left, top + begin, right, foot + begin) for left, top, right, foot in row))
            if is_of_dashes(row):
                listed.append(_touches(row, band))
    if 2 * sum(listed) > len(listed):
        # Those of tables and comments in a listing.
        rows = [row for row in rows if not is_of_dashes(row)]
    told = [row for row in rows if len(row) >= FEWEST]
    return [
        tuple((left * px, top * px, right * px, foot * px) for left, top, right, foot in row)
        for row in rows
        if any(_are_alike(row, other) for other in told)
    ]


def without(picture: Image.Image, leaders: Sequence[Leader]) -> Image.Image:
    """Paper in place of the dots."""
    clean = picture.copy()
    for leader in leaders:
        strip = picture.crop(_grown(around(leader)))
        paper = grey_level(strip, PAPER)
        for one, after in pairwise((*leader, leader[-1])):
            clean.paste(paper, _grown(around((one, after))))
    return clean


def is_of_dashes(leader: Leader) -> bool:
    return statistics.median((right - left) / (foot - top) for left, top, right, foot in leader) >= DASH


def _grown(box: Dot) -> Dot:
    """With the blur about its dots."""
    left, top, right, foot = box
    margin = 1 + (foot - top) // 3
    return max(0, left - margin), max(0, top - margin), right + margin, foot + margin


def _bands(marks: Image.Image, stretch: int, least: int) -> Iterator[tuple[int, int]]:
    """From where to where down the page so many low marks stand side by side in some stretch, with nothing above and below."""
    across = marks.width // stretch
    if not across:
        return
    whole = marks.crop((0, 0, across * stretch, marks.height))
    begun = ImageChops.subtract(whole, ImageChops.offset(whole, 1, 0))
    enough = round(255 * least / stretch)
    ink, lone = (
        one.reduce((stretch, 1)).point([0] * level + [255] * (256 - level))
        for one, level in ((whole, 1), (begun, enough))
    )
    for away in range(LOW - 1, 2 * LOW - 1):
        for step in (-away, away):
            lone = ImageChops.subtract(lone, ink.crop((0, step, across, step + ink.height)))
    rows = {row for _, row in inked(lone)}
    for top, foot in _joined((row - 2 * LOW, row + 2 * LOW) for row in sorted(rows)):
        yield max(0, top), min(marks.height, foot)


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that touch as one."""
    begin = end = 0
    for top, foot in spans:
        if top > end and end:
            yield begin, end
        begin, end = (begin if top <= end and end else top), foot
    if end:
        yield begin, end


def _low(marks: Image.Image, most: int) -> Image.Image:
    """The marks with nothing above and below from so many cells on, up to as many and a half."""
    offset = ImageChops.offset
    beside = ImageChops.lighter(marks, ImageChops.lighter(offset(marks, 1, 0), offset(marks, -1, 0)))
    low = marks
    for away in range(most, most + (most + 1) // 2):
        for step in (away, -away):
            low = ImageChops.subtract(low, offset(beside, 0, step))
    return low


def _rows(marks: Image.Image, most: int) -> Iterator[Leader]:
    """Dots of one size at one distance, in cells."""
    dots = sorted(_dots(_low(marks, most), most))
    lefts = [dot[0] for dot in dots]
    followers: dict[Dot, Dot] = {}
    for at, dot in enumerate(dots):
        near = dots[at + 1 : bisect_right(lefts, dot[0] + WIDEST_GAP)]
        after = next((other for other in near if _follows(dot, other)), None)
        if after and not _is_ink_between(dot, after, marks):
            followers[dot] = after
    taken = set[Dot]()
    while followers:
        dot = next(iter(followers))
        row = [dot]
        while after := followers.pop(row[-1], None):
            row.append(after)
        for leader in _even(row):
            if leader[0] not in taken:
                longer = (*_further(leader[::-1], marks)[::-1], *leader, *_further(leader, marks))
                taken.update(longer)
                yield longer


def _dots(low: Image.Image, most: int) -> Iterator[Dot]:
    """What hangs together, as far as it is low."""
    for left, top, right, foot in groups(set(inked(low)), 1, 1):
        width, height = right - left, foot - top
        if height <= min(most, 2 * width) and width <= LONGEST_DASH * height:
            yield left, top, right, foot


def _follows(dot: Dot, other: Dot) -> bool:
    """Whether it stands to the right in the same row."""
    across, down = other[0] - dot[0], (other[1] + other[3] - dot[1] - dot[3]) / 2
    is_level = abs(down) <= max(1.5, CLIMB * across)
    return is_level and other[0] > dot[2]


def _is_ink_between(dot: Dot, other: Dot, marks: Image.Image) -> bool:
    top, foot = min(dot[1], other[1]), max(dot[3], other[3])
    return _holds_ink(marks, (dot[2], top - ABOVE * (foot - top), other[0], foot))


def _holds_ink(marks: Image.Image, box: Dot) -> bool:
    return marks.crop(box).getbbox() is not None


def _even(row: list[Dot]) -> Iterator[Leader]:
    """The stretches of it whose dots stand as far apart as usual in it."""
    pitch = _pitch(row)
    stretch = row[:1]
    for one, after in pairwise(row):
        if abs(after[0] - one[0] - pitch) > max(1.5, PITCH_SLACK * pitch) or not _are_as_large(one, after):
            yield from (tuple(stretch),) if _is_leader(stretch) else ()
            stretch = []
        stretch.append(after)
    yield from (tuple(stretch),) if _is_leader(stretch) else ()


def _further(row: Leader, marks: Image.Image) -> list[Dot]:
    """The dots that follow it where they are to be expected, though other ink hangs over them."""
    steps = [tuple(map(sub, after, one)) for one, after in pairwise(row)]
    across, down = (round(statistics.median(step[at] for step in steps)) for at in (0, 1))
    found = list[Dot]()
    while True:
        left, top, right, foot = map(add, found[-1] if found else row[-1], (across, down) * 2)
        near = [(left + aside, top, right + aside, foot) for aside in (0, -1, 1)]
        dot = next((box for box in near if _is_lone(box, marks)), None)
        if dot is None:
            return found
        found.append(dot)


def _is_lone(box: Dot, marks: Image.Image) -> bool:
    """Whether the box is mostly full, and what is about it empty."""
    left, top, right, foot = box
    inside, about = (
        marks.crop(one).histogram()[255] for one in (box, (left - 1, top - 1, right + 1, foot + 1))
    )
    return about == inside >= FULL * (right - left) * (foot - top)


def _is_leader(row: Sequence[Dot]) -> bool:
    if len(row) < FEWEST_OF_KIND or _pitch(row) < NEAREST:
        return False
    return _gap(row) >= APART * (row[0][3] - row[0][1])


def _touches(row: Leader, marks: Image.Image) -> bool:
    """Whether another character stands as close to one of its ends as its dashes to each other."""
    gap, width = _gap(row), row[0][2] - row[0][0]
    reach = round(CLOSE * gap)
    (left, top, _, foot), (_, other, right, _) = row[0], row[-1]
    sides = (
        (left - reach, top - reach, left, foot + reach),
        (right, other - reach, right + reach, foot + reach),
    )
    return gap <= width and any(_holds_ink(marks, side) for side in sides)


def _gap(row: Sequence[Dot]) -> float:
    return statistics.median(after[0] - one[2] for one, after in pairwise(row))


def _pitch(row: Sequence[Dot]) -> float:
    return statistics.median(after[0] - one[0] for one, after in pairwise(row))


def _are_as_large(one: Dot, other: Dot) -> bool:
    widths, heights = (abs(one[at + 2] - one[at] - other[at + 2] + other[at]) for at in (0, 1))
    return max(widths, heights) <= SIZE_SLACK


def _are_alike(one: Leader, other: Leader) -> bool:
    """Whether their dots are as large, and stand as far apart."""
    pitch = _pitch(other)
    return _are_as_large(one[0], other[0]) and abs(_pitch(one) - pitch) <= max(1.5, PITCH_SLACK * pitch)
