"""Lines that a leader joins, as a heading and the number of its page: engines that don't see its dots take them for two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ocr_worker.engines.images.leaders import Dot, Leader, is_of_dashes
from ocr_worker.model.page import Line, Word, around
from ocr_worker.pages.weaving import woven

REACH = 3.0
"""Heights of a word from it to the leader's first or last dot."""
BELOW = 0.3
"""Of its height: the dots beside a word without descenders lie so far below it at most."""
SURE = 100.0
"""Confidence: dots and dashes that were counted are what they are."""


def joined(lines: tuple[Line, ...], leaders: Sequence[Leader]) -> tuple[Line, ...]:
    """The lines, those on both sides of a leader as one. Leaders are no words, but for those alone in their row."""
    found, alone = list(lines), list[list[Line]]()
    for leader in leaders:
        left, right = _nearest(found, leader[0], on_left=True), _nearest(found, leader[-1], on_left=False)
        if left is right is None:
            alone.append([_as_word(leader)])
        elif left and right and left is not right and left.box[2] <= right.box[0]:
            found[found.index(left)] = _as_one(left, right)
            found.remove(right)
    return woven(tuple(found), alone) if leaders else lines


def _nearest(lines: Sequence[Line], dot: Dot, *, on_left: bool) -> Line | None:
    """The line with the word that stands nearest to a dot, on its left or on its right."""
    near = []
    for line in lines:
        for word in line.words:
            left, top, right, foot = word.box
            height = foot - top
            away = dot[0] - right if on_left else left - dot[2]
            is_level = top <= (dot[1] + dot[3]) / 2 <= foot + BELOW * height
            if is_level and -height < away < REACH * height:
                near.append((away, line))
    return min(near, key=lambda one: one[0])[1] if near else None


def _as_word(leader: Leader) -> Line:
    box = around(leader)
    text = ("-" if is_of_dashes(leader) else ".") * len(leader)
    baseline = float(box[0]), float(leader[0][3]), float(box[2]), float(leader[-1][3])
    return Line((Word(text, box, SURE),), box, baseline, 0, 0)


def _as_one(left: Line, right: Line) -> Line:
    runs_left = any(line.words[0].box[0] > line.words[-1].box[0] for line in (left, right))
    first, second = (right.words, left.words) if runs_left else (left.words, right.words)
    # An engine may say that none is before the first word of a line.
    words = (*first, replace(second[0], space_before=True), *second[1:])
    (x0, y0, _, _), (_, _, x1, y1) = left.baseline, right.baseline
    return replace(left, words=words, box=around((left.box, right.box)), baseline=(x0, y0, x1, y1))
