"""What the work that is left will take, learned from what was done. Pure: no clock.

Seconds are those of one process, as pages are read side by side: what a page took says more than how many pages have
ended by now, while as many others are half done. A page takes a time of its own and a time by its size; how much of
each is fitted to the pages that have ended. Starting, opening and writing are counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

FIT_FROM = 4
"""Pages that tell their own time from that of their size; from fewer all is taken to go by the size."""
NEARLY = 0.9
"""A page that takes longer than expected is taken to be so far: it is not known how much is left."""


@dataclass(frozen=True, slots=True)
class InWork:
    """What a page process works on now."""

    file: str
    file_index: int
    page: int | None
    """None while the file is opened, or its outputs are written."""
    weight: int | None
    seconds: float
    """How long already."""


@dataclass(slots=True)
class _Line:
    """Seconds by weight: a straight line through what was seen, between all by size and all alike."""

    count: int = 0
    weights: float = 0.0
    seconds: float = 0.0
    squares: float = 0.0
    products: float = 0.0

    def add(self, weight: int, seconds: float) -> None:
        self.count += 1
        self.weights += weight
        self.seconds += seconds
        self.squares += weight * weight
        self.products += weight * seconds

    @property
    def own_and_by_weight(self) -> tuple[float, float]:
        """What each page takes, and what each unit of weight takes."""
        mean_weight, mean_seconds = self.weights / self.count, self.seconds / self.count
        steepest = mean_seconds / mean_weight
        spread = self.squares / self.count - mean_weight**2
        if self.count < FIT_FROM or spread <= 1e-6 * mean_weight**2:
            return 0.0, steepest
        slope = (self.products / self.count - mean_weight * mean_seconds) / spread
        slope = min(max(slope, 0.0), steepest)
        return mean_seconds - slope * mean_weight, slope


@dataclass(slots=True)
class _Left:
    """Of an opened file."""

    pages: int
    weight: int
    to_write: int
    """Its pages, with those that have ended."""


@dataclass(slots=True)
class Effort:
    least_page_seconds: float = 0.0
    """A page is started this long after another: as `pages_per_minute` says."""
    bytes_to_come: int = 0
    """Of the files that were not looked at yet: a long document among letters is known by them."""
    _bytes_seen: int = 0
    _files: dict[int, _Left] = field(default_factory=dict)
    _line: _Line = field(default_factory=_Line)
    _looked_at: int = 0
    """Files, also those without work (skipped, refused): averages are taken over them."""
    _seen: _Left = field(default_factory=lambda: _Left(0, 0, 0))
    """The work of all of these."""
    _lost_seconds: float = 0.0
    """Of tries that failed."""
    _opening_seconds: float = 0.0
    _writing_seconds: float = 0.0
    _opened: int = 0
    _written: int = 0
    """Pages of files that are written."""

    # What happened

    def file_opened(self, number: int, pages: int, left: Sequence[int], size: int | None = None) -> None:
        """Take in an opened file: its pages, the weights of those that are to be read, its bytes as they are stored."""
        found = _Left(len(left), sum(left), pages)
        if number not in self._files:
            self._see(size)
            self._seen.pages += found.pages
            self._seen.weight += found.weight
            self._seen.to_write += found.to_write
        self._files[number] = found

    def page_ended(self, number: int, weight: int) -> None:
        left = self._files[number]
        left.pages -= 1
        left.weight -= weight

    def file_ended(self, number: int, size: int | None = None) -> None:
        if self._files.pop(number, None) is None:
            self._see(size)

    def page_took(self, weight: int, seconds: float) -> None:
        self._line.add(weight, seconds)

    def try_took(self, seconds: float) -> None:
        """A try of a page, or of a step, that failed."""
        self._lost_seconds += seconds

    def opening_took(self, seconds: float) -> None:
        self._opening_seconds += seconds
        self._opened += 1

    def writing_took(self, pages: int, seconds: float) -> None:
        self._writing_seconds += seconds
        self._written += pages

    # What follows

    def seconds_left(self, in_work: Sequence[InWork], processes: int, unopened: int) -> float | None:
        """How long the rest will take; None before the first page.

        Args:
            in_work: what the processes work on now.
            processes: how many may work side by side.
            unopened: files of which nothing is known; they are taken to be like the others.
        """
        if not self._line.count:
            return None
        own, by_weight = self._line.own_and_by_weight
        own += self._lost_seconds / self._line.count
        left = self._left(unopened)
        pages, weight = left.pages, left.weight
        seconds = pages * own + weight * by_weight + self._steps(left.to_write, unopened)
        rests = [0.0]
        for task in in_work:
            expected = own + by_weight * task.weight if task.weight is not None else task.seconds
            spent = min(task.seconds, NEARLY * expected)
            seconds -= spent
            rests.append(expected - spent)
        return max(seconds / max(1, processes), *rests, pages * self.least_page_seconds)

    def _see(self, size: int | None) -> None:
        self._looked_at += 1
        self._bytes_seen += size or 0
        self.bytes_to_come -= size or 0

    def _left(self, unopened: int) -> _Weighed:
        share = unopened / self._looked_at if self._looked_at else 0.0
        if unopened and self.bytes_to_come > 0 and self._bytes_seen:
            share = self.bytes_to_come / self._bytes_seen
        opened = self._files.values()
        return _Weighed(
            sum(left.pages for left in opened) + self._seen.pages * share,
            sum(left.weight for left in opened) + self._seen.weight * share,
            sum(left.to_write for left in opened) + self._seen.to_write * share,
        )

    def _steps(self, to_write: float, unopened: int) -> float:
        """Seconds of opening and writing."""
        opening = self._opening_seconds / self._opened * unopened if self._opened else 0.0
        return opening + (self._writing_seconds / self._written * to_write if self._written else 0.0)


@dataclass(frozen=True, slots=True)
class _Weighed:
    pages: float
    weight: float
    to_write: float
