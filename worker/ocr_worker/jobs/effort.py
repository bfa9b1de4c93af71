"""What the work that is left will take, learned from what was done. Pure: no clock.

Seconds are those of one process, as pages are read side by side: what a page took says more than how many pages have
ended by now, while as many others are half done. A page takes a time of its own and a time by its size; how much of
each is fitted to the pages that have ended. Starting, opening and writing are counted apart. The first of a kind that a
page process does takes longer than the next ones will: how much is learned from these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

FIT_FROM = 4
"""Pages that tell their own time from that of their size."""
PAGE_WEIGHT = 1000
"""Before that, each page is taken to need of its own what a megapixel does."""
WRITING_SHARE = 0.015
"""Of what a page takes to be read: what it takes to be written, before the first file is."""
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
class _Seen:
    """Sums over what was seen of one kind."""

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
    def mean_weight(self) -> float:
        return self.weights / self.count if self.count else 0.0

    @property
    def mean_seconds(self) -> float:
        return self.seconds / self.count if self.count else 0.0

    @property
    def spread(self) -> float:
        return self.squares - self.weights * self.mean_weight

    @property
    def covariation(self) -> float:
        return self.products - self.weights * self.mean_seconds


@dataclass(slots=True)
class _Pace:
    """Seconds by weight: a straight line through what was seen, between all by weight and all alike.

    The first ones of page processes lie above that line, by what the next ones find ready.
    """

    own_weight: float = 0.0
    """What each takes of its own, as so much weight more, while too little was seen to tell."""
    _first: _Seen = field(default_factory=_Seen)
    _next: _Seen = field(default_factory=_Seen)

    def add(self, weight: int, seconds: float, *, is_first: bool) -> None:
        (self._first if is_first else self._next).add(weight, seconds)

    @property
    def count(self) -> int:
        return self._first.count + self._next.count

    @property
    def mean_weight(self) -> float:
        return (self._first.weights + self._next.weights) / self.count

    @property
    def own_and_by_weight(self) -> tuple[float, float]:
        """What each takes, and what each unit of weight takes."""
        weight = self.mean_weight
        slope = self._slope(weight)
        excess = self._excess(slope) * self._first.count
        seconds = (self._first.seconds + self._next.seconds - excess) / self.count
        by_weight = seconds / (weight + self.own_weight) if slope is None else min(slope, seconds / weight)
        return seconds - by_weight * weight, by_weight

    def _slope(self, mean_weight: float) -> float | None:
        """Of both kinds alike; None where too few, or none of another weight, were seen."""
        spread = self._first.spread + self._next.spread
        if self.count < FIT_FROM or spread <= 1e-6 * self.count * mean_weight**2:
            return None
        return max(0.0, (self._first.covariation + self._next.covariation) / spread)

    def _excess(self, slope: float | None) -> float:
        """What first ones take longer, believed the more the more others have ended: these were quick ones so far."""
        first, after = self._first, self._next
        if not first.count or not after.count:
            return 0.0
        if slope is None:
            slope = after.mean_seconds / (after.mean_weight + self.own_weight)
        expected = after.mean_seconds + slope * (first.mean_weight - after.mean_weight)
        return max(0.0, first.mean_seconds - expected) * after.count / (after.count + first.count / 2)


@dataclass(slots=True)
class _Left:
    """Of an opened file, or of all."""

    pages: float
    weight: float
    to_write: float
    """Pages, with those that have ended."""
    files: float = 1


@dataclass(slots=True)
class Effort:
    least_page_seconds: float = 0.0
    """A page is started this long after another: as `pages_per_minute` says."""
    bytes_to_come: int = 0
    """Of the files that were not looked at yet: a long document among letters is known by them."""
    _bytes_seen: int = 0
    _files: dict[int, _Left] = field(default_factory=dict)
    _reading: _Pace = field(default_factory=lambda: _Pace(PAGE_WEIGHT))
    _looked_at: int = 0
    """Files, also those without work (skipped, refused): averages are taken over them."""
    _seen: _Left = field(default_factory=lambda: _Left(0, 0, 0, 0))
    """The work of all of these."""
    _lost_seconds: float = 0.0
    """Of tries that failed."""
    _opening: _Pace = field(default_factory=_Pace)
    """A file."""
    _writing: _Pace = field(default_factory=_Pace)
    """By the pages of a file."""

    # What happened

    def file_opened(self, number: int, pages: int, left: Sequence[int], size: int | None = None) -> None:
        """Take in an opened file: its pages, the weights of those that are to be read, its bytes as they are stored."""
        found = _Left(len(left), sum(left), pages)
        if number not in self._files:
            self._see(size)
            self._seen.pages += found.pages
            self._seen.weight += found.weight
            self._seen.to_write += found.to_write
            self._seen.files += 1
        self._files[number] = found

    def page_ended(self, number: int, weight: int) -> None:
        left = self._files[number]
        left.pages -= 1
        left.weight -= weight

    def file_ended(self, number: int, size: int | None = None) -> None:
        if self._files.pop(number, None) is None:
            self._see(size)

    # `is_first`: of its kind in its page process.

    def page_took(self, weight: int, seconds: float, *, is_first: bool = False) -> None:
        self._reading.add(weight, seconds, is_first=is_first)

    def try_took(self, seconds: float) -> None:
        """A try of a page, or of a step, that failed."""
        self._lost_seconds += seconds

    def opening_took(self, seconds: float, *, is_first: bool = False) -> None:
        self._opening.add(1, seconds, is_first=is_first)

    def writing_took(self, pages: int, seconds: float, *, is_first: bool = False) -> None:
        self._writing.add(pages, seconds, is_first=is_first)

    # What follows

    def seconds_left(self, in_work: Sequence[InWork], processes: int, unopened: int) -> float | None:
        """How long the rest will take; None before the first page.

        Args:
            in_work: what the processes work on now.
            processes: how many may work side by side.
            unopened: files of which nothing is known; they are taken to be like the others.
        """
        if not self._reading.count:
            return None
        rates, left, processes = self._rates(), self._left(unopened), max(1, processes)
        seconds = rates.reading(left) + rates.writing(left) + rates.opening * unopened
        rests, begun = [0.0], dict[int, float]()
        for task in in_work:
            expected = self._expected(task, rates)
            spent = min(task.seconds, NEARLY * expected)
            seconds -= spent
            begun[task.file_index] = begun.get(task.file_index, 0.0) + spent
            rests.append(expected - spent)
        rests += [
            rates.rest_of_file(file, begun.get(number, 0.0), processes)
            for number, file in self._files.items()
        ]
        return max(seconds / processes, *rests, left.pages * self.least_page_seconds)

    def _rates(self) -> _Rates:
        own, by_weight = self._reading.own_and_by_weight
        if self._writing.count:
            by_file, by_page = self._writing.own_and_by_weight
        else:
            by_file, by_page = 0.0, WRITING_SHARE * (own + by_weight * self._reading.mean_weight)
        opening = sum(self._opening.own_and_by_weight) if self._opening.count else 0.0
        return _Rates(own + self._lost_seconds / self._reading.count, by_weight, opening, by_file, by_page)

    def _expected(self, task: InWork, rates: _Rates) -> float:
        if task.weight is not None:
            return rates.reading(_Left(1, task.weight, 0))
        file = self._files.get(task.file_index)
        return rates.opening if file is None else rates.writing(file)

    def _see(self, size: int | None) -> None:
        self._looked_at += 1
        self._bytes_seen += size or 0
        self.bytes_to_come -= size or 0

    def _left(self, unopened: int) -> _Left:
        share = unopened / self._looked_at if self._looked_at else 0.0
        if unopened and self.bytes_to_come > 0 and self._bytes_seen:
            share = self.bytes_to_come / self._bytes_seen
        opened = self._files.values()
        return _Left(
            sum(left.pages for left in opened) + self._seen.pages * share,
            sum(left.weight for left in opened) + self._seen.weight * share,
            sum(left.to_write for left in opened) + self._seen.to_write * share,
            len(opened) + self._seen.files * share,
        )


@dataclass(frozen=True, slots=True)
class _Rates:
    """Seconds of one process."""

    own: float
    by_weight: float
    opening: float
    writing_a_file: float
    writing_a_page: float

    def reading(self, left: _Left) -> float:
        return self.own * left.pages + self.by_weight * left.weight

    def writing(self, left: _Left) -> float:
        return self.writing_a_file * left.files + self.writing_a_page * left.to_write

    def rest_of_file(self, file: _Left, begun: float, processes: int) -> float:
        """Until it is written, which one process does once all its pages have ended; `begun` is done of what is in work."""
        if file.pages:
            return max(0.0, self.reading(file) - begun) / processes + self.writing(file)
        return self.writing(file) - begun
