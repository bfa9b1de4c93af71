"""Progress of a job: pages, a percentage that never falls, rate and remaining time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from ocr_worker.jobs.effort import Effort, InWork
from ocr_worker.model import results
from ocr_worker.model.crew import Crew
from ocr_worker.model.jobs import FileState


@dataclass(frozen=True, slots=True)
class Here:
    """The file of the page that ended last, and how many of its pages have ended."""

    file: str
    name: str
    file_index: int
    page: int
    page_count: int


class Stopwatch:
    """Counts seconds of work, without pauses."""

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
    """Counts pages: those of ended files, and all but the last of files in work."""

    def __init__(
        self, stats: Mapping[str, int], ended_pages: int, total_pages: int, worked: Stopwatch
    ) -> None:
        self.total, self._file_count = total_pages, stats["total"]
        self.counts = {state: stats[state] for state in ("completed", "failed", "skipped")}
        self._ended, self._worked = ended_pages, worked
        self._in_work: dict[int, tuple[int, int]] = {}
        self.effort: Effort = Effort()
        self._fresh, self.percent = 0, 0.0
        self._here: Here | None = None

    @property
    def current(self) -> int:
        return self._ended + sum(min(done, pages - 1) for done, pages in self._in_work.values())

    @property
    def files_ended(self) -> int:
        return sum(self.counts.values())

    def file_begun(self, number: int, pages: int, done: int) -> None:
        """Add a file that an earlier run opened, with its ended pages."""
        self._in_work[number] = (done, pages)

    def opened(
        self, number: int, known: Collection[int], weights: Sequence[int], size: int | None = None
    ) -> None:
        """Count the pages of an opened file, of which the `known` have ended. Before, it counted as one.

        Args:
            number: of the file.
            known: its pages that have ended.
            weights: of all its pages.
            size: its bytes, as they are stored.
        """
        pages = len(weights)
        self.total += pages - self._in_work.get(number, (0, 1))[1]
        self._in_work[number] = (len(known), pages)
        left = [weight for page, weight in enumerate(weights, 1) if page not in known]
        self.effort.file_opened(number, pages, left, size)

    def page_ended(self, number: int, weight: int, here: Here) -> None:
        done, pages = self._in_work[number]
        self.effort.page_ended(number, weight)
        self._in_work[number] = (done + 1, pages)
        self._fresh += 1
        self._here = here

    def file_ended(self, number: int, state: FileState, size: int | None = None) -> None:
        """Count a file that has ended, with all its pages."""
        self._ended += self._in_work.pop(number, (0, 1))[1]
        self.effort.file_ended(number, size)
        self.counts[state] += 1

    def finish(self) -> None:
        """Set 100 percent: the job is complete."""
        self._ended, self.percent = self.total, 100.0

    def snapshot(
        self, in_work: Sequence[InWork] = (), processes: int = 1, crew: Crew | None = None
    ) -> results.Progress:
        """The progress now.

        Args:
            in_work: what the page processes work on.
            processes: how many of them there may be.
            crew: who reads the pages, where that are not this machine's processes alone.
        """
        left = self.effort.seconds_left(in_work, processes, self._uncounted())
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
            eta_seconds=None if left is None else round(left, 1),
            pages_per_second=round(rate, 3),
            working=tuple(results.Working(task.file, task.file_index, task.page) for task in in_work),
            crew=crew,
        )

    def _uncounted(self) -> int:
        """Number of files that were not opened yet."""
        return self._file_count - self.files_ended - len(self._in_work)

    def _message(self) -> str:
        here = self._here
        if here is None:
            return f"Processing {self._file_count} file{'s' * (self._file_count != 1)}"
        return f"Processing file {here.file_index}/{self._file_count}: {here.name} (page {here.page}/{here.page_count})"
