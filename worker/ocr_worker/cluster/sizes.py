"""How many pages make an order: about two seconds of work, by the weights that opening gives and the rate that was measured."""

from __future__ import annotations

from collections.abc import Sequence

from ocr_worker.model.tasks import Opened, PageTask

ORDER_SECONDS = 2.0
MOST_PAGES = 8
SHARE_OF_NEW = 0.1
"""By which each page moves the measured rate."""
REMEMBERED = 4096


class Sizes:
    def __init__(self) -> None:
        self._weights: dict[str, Opened] = {}
        self._page_seconds = self._weight_seconds = 0.0
        """What a page takes, and what a unit of weight does; 0 before one was measured."""

    @property
    def pages_an_order(self) -> int:
        """One before anything was measured: an order of unknown length would keep other slots idle."""
        if not self._page_seconds:
            return 1
        return max(1, min(MOST_PAGES, int(ORDER_SECONDS / self._page_seconds)))

    def opened(self, path: str, opened: Opened) -> None:
        while len(self._weights) >= REMEMBERED:
            del self._weights[next(iter(self._weights))]
        self._weights[path] = opened

    def forget(self, path: str) -> None:
        self._weights.pop(path, None)

    def pages_of(self, path: str) -> int | None:
        """How many it has; None where that is not known any more."""
        opened = self._weights.get(path)
        return opened.pages if opened else None

    def page_took(self, task: PageTask, seconds: float | None) -> None:
        if seconds is None:
            return
        self._page_seconds = _moved(self._page_seconds, seconds)
        if weight := self._weight(task):
            self._weight_seconds = _moved(self._weight_seconds, seconds / weight)

    def fits(self, chosen: Sequence[PageTask], page: PageTask) -> bool:
        """Whether a page may join an order; the first always may."""
        if not chosen:
            return True
        if len(chosen) >= MOST_PAGES or not self._page_seconds:
            return False
        return sum(map(self._seconds, [*chosen, page])) <= ORDER_SECONDS

    def _seconds(self, task: PageTask) -> float:
        weight = self._weight(task)
        return weight * self._weight_seconds if weight and self._weight_seconds else self._page_seconds

    def _weight(self, task: PageTask) -> int | None:
        opened = self._weights.get(task.source.path)
        if opened is None or len(opened.page_weights) < task.page:
            return None
        return opened.page_weights[task.page - 1]


def _moved(rate: float, seen: float) -> float:
    return seen if not rate else rate + SHARE_OF_NEW * (seen - rate)
