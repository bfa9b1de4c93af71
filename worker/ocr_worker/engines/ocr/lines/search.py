"""Search a stretch of steps for the characters that it may stand for, the likeliest first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr_worker.engines.ocr.lines.weights import Floats

KEPT = 10
"""So many beginnings are followed at a time."""
LEAST_LIKELY = 0.01
"""What is less likely in a step is not followed."""
MOST_CLASSES = 4
"""Nor are more than these."""
_Text = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Path:
    classes: _Text
    """Those that stand for something, in their order."""
    firsts: tuple[int, ...]
    """The step in which each is first seen."""
    weight: float
    """Logarithm of how likely it is."""


@dataclass(slots=True)
class _Beginning:
    """The likelihoods of some characters up to a step: of all ways that end in a blank, and in the last character."""

    blank: float = 0.0
    last: float = 0.0
    firsts: tuple[int, ...] = ()
    best: float = 0.0
    """Of the ways that were joined in it: `firsts` is of the likeliest."""

    @property
    def whole(self) -> float:
        return self.blank + self.last


def paths(steps: Floats, blank: int) -> list[Path]:
    """Of (steps, classes) likelihoods; the likeliest first."""
    known: dict[_Text, _Beginning] = {(): _Beginning(blank=1.0)}
    weight = 0.0
    for step, likely in enumerate(_likely(steps)):
        known = _followed(known, likely, step, blank)
        most = max(beginning.whole for beginning in known.values())
        weight += math.log(most)
        for beginning in known.values():
            beginning.blank /= most
            beginning.last /= most
    found = (Path(text, one.firsts, weight + math.log(max(one.whole, 1e-300))) for text, one in known.items())
    return sorted(found, key=lambda path: -path.weight)


def _likely(steps: Floats) -> Iterator[list[tuple[int, float]]]:
    """Of each step its likeliest classes."""
    most = min(MOST_CLASSES, steps.shape[1])
    order = steps.argpartition(-most, axis=1)[:, -most:]
    for row, classes in zip(steps, order, strict=True):
        best = sorted(((float(row[one]), int(one)) for one in classes), reverse=True)
        yield [(one, share) for share, one in best if share >= LEAST_LIKELY or share == best[0][0]]


def _followed(
    known: dict[_Text, _Beginning], likely: Sequence[tuple[int, float]], step: int, blank: int
) -> dict[_Text, _Beginning]:
    new: dict[_Text, _Beginning] = {}
    for text, old in known.items():
        last = text[-1] if text else blank
        for one, share in likely:
            if one == blank:
                _add(new, text, old.firsts, blank=old.whole * share)
            elif one != last:
                _add(new, (*text, one), (*old.firsts, step), last=old.whole * share)
            else:
                _add(new, text, old.firsts, last=old.last * share)
                _add(new, (*text, one), (*old.firsts, step), last=old.blank * share)
    best = sorted(new.items(), key=lambda item: -item[1].whole)[:KEPT]
    return dict(best)


def _add(
    new: dict[_Text, _Beginning], text: _Text, firsts: tuple[int, ...], blank: float = 0.0, last: float = 0.0
) -> None:
    if not blank + last:
        return
    there = new.setdefault(text, _Beginning())
    there.blank += blank
    there.last += last
    if blank + last > there.best:
        there.best, there.firsts = blank + last, firsts
