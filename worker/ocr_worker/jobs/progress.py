"""How far a job is: pages, percent that never falls, rate and time left. On a clock that never jumps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ocr_worker.model import results
from ocr_worker.model.jobs import FileState


@dataclass(frozen=True, slots=True)
class Here:
    """Where the work is: the file of which a page ended last, and how many of its pages have ended."""

    file: str
    name: str
    file_index: int
    page: int
    page_count: int


class Stopwatch:
    """Seconds of work: those of a pause do not count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._since, self._before = clock, clock(), 0.0
        self._paused = False

    @property
    def seconds(self) -> float:
        return self._before + (0.0 if self._paused else self._clock() - self._since)

    def pause(self) -> None:
        self._before, self._paused = self.seconds, True

    def unpause(self) -> None:
        if self._paused:
            self._since, self._paused = self._clock(), False


class Progress:
    """Counts pages: `current` of ended files plus the ended pages of files in work, but for each one's last."""

    def __init__(
        self, stats: Mapping[str, int], ended_pages: int, total_pages: int, worked: Stopwatch
    ) -> None:
        self.total, self._file_count = total_pages, stats["total"]
        self.counts = {state: stats[state] for state in ("completed", "failed", "skipped")}
        self._ended, self._worked = ended_pages, worked
        self._in_work: dict[int, tuple[int, int]] = {}
        self._work = _Work()
        self._fresh, self.percent = 0, 0.0
        self._here: Here | None = None

    @property
    def current(self) -> int:
        return self._ended + sum(min(done, pages - 1) for done, pages in self._in_work.values())

    @property
    def files_ended(self) -> int:
        return sum(self.counts.values())

    def begun(self, number: int, pages: int, done: int) -> None:
        """A file that an earlier run counted, and of which some pages have ended."""
        self._in_work[number] = (done, pages)

    def opened(self, number: int, pages: int, known: Collection[int], weights: Sequence[int]) -> None:
        """A file's pages are counted, of which the `known` have ended; an uncounted file stood for one."""
        self.total += pages - self._in_work.get(number, (0, 1))[1]
        self._in_work[number] = (len(known), pages)
        self._work.add_file(
            number, sum(weight for page, weight in enumerate(weights, 1) if page not in known)
        )

    def page_ended(self, number: int, weight: int, here: Here) -> None:
        done, pages = self._in_work[number]
        self._work.page_ended(number, weight)
        self._in_work[number] = (done + 1, pages)
        self._fresh += 1
        self._here = here

    def file_ended(self, number: int, state: FileState) -> None:
        """A file has ended, well or not; all that it stood for is done."""
        self._ended += self._in_work.pop(number, (0, 1))[1]
        if self._work.left.pop(number, None) is None:
            self._work.files += 1
        self.counts[state] += 1

    def finish(self) -> None:
        """The job is complete: only now 100 percent."""
        self._ended, self.percent = self.total, 100.0

    def snapshot(self) -> results.Progress:
        """How far it is now."""
        share = 100.0 * self.current / max(1, self.total)
        self.percent = max(self.percent, min(round(share, 2), 99.99))
        elapsed, here = self._worked.seconds, self._here
        rate = self._fresh / elapsed if elapsed > 0 else 0.0
        return results.Progress(
            current=self.current,
            total=self.total,
            message=self._message(),
            percent=self.percent,
            file=here.file if here else None,
            file_index=here.file_index if here else None,
            page=here.page if here else None,
            page_count=here.page_count if here else None,
            file_count=self._file_count,
            **self.counts,
            elapsed_seconds=round(elapsed, 3),
            eta_seconds=self._work.seconds_left(elapsed, self._uncounted()),
            pages_per_second=round(rate, 3),
        )

    def _uncounted(self) -> int:
        """Files that nobody has opened yet."""
        return self._file_count - self.files_ended - len(self._in_work)

    def _message(self) -> str:
        here = self._here
        if here is None:
            return f"Processing {self._file_count} file{'s' * (self._file_count != 1)}"
        return f"Processing file {here.file_index}/{self._file_count}: {here.name} (page {here.page}/{here.page_count})"


@dataclass(slots=True)
class _Work:
    """Work done in this run and work known to be left, weighted by the size of pages."""

    files: int = 0
    """All that were looked at, those that needed no work (skipped, refused) too: so much are the others taken to need."""
    known: int = 0
    done: int = 0
    left: dict[int, int] = field(default_factory=dict)
    """Of each file in work."""

    def add_file(self, number: int, weight: int) -> None:
        self.files += 1
        self.known += weight
        self.left[number] = weight

    def page_ended(self, number: int, weight: int) -> None:
        self.done += weight
        self.left[number] -= weight

    def seconds_left(self, elapsed: float, uncounted_files: int) -> float | None:
        """A file that nobody has looked at is taken for as much work as the others were on average."""
        if not self.done:
            return None
        left = sum(self.left.values()) + uncounted_files * self.known / self.files
        return round(left * elapsed / self.done, 1)
