"""What outputs say about a file as a whole, beside its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ocr_worker.model.page import Page, mean_confidence

_LISTED_PAGES = 10


@dataclass(frozen=True, slots=True)
class Document:
    """The source and how it was read."""

    path: str
    """As it goes over the wire: a file URI where its bytes are not UTF-8."""
    name: str
    kind: str
    bytes: int
    sha256: str
    pages: int
    languages: tuple[str, ...]
    settings: dict[str, Any]
    created: str
    """ISO 8601, UTC: when composing began."""
    warnings: tuple[str, ...] = ()


class PageWriter(Protocol):
    """An output in the making: pages one at a time, so that a long document never lies in memory."""

    def add(self, page: Page) -> None: ...

    def finish(self) -> None: ...


@dataclass(slots=True)
class Summary:
    """What adds up while pages go by."""

    characters: int = 0
    weight: float = 0
    rated: int = 0
    engines: list[tuple[str, str]] = field(default_factory=list)
    """With their versions, each once: a file's pages may be read by one on a graphics card and on the CPU."""
    statuses: dict[str, int] = field(default_factory=dict)
    warned: dict[str, list[int]] = field(default_factory=dict)
    """The pages of each warning."""

    def add(self, page: Page) -> None:
        words = page.words
        rated = sum(len(w.text) for w in words if w.confidence is not None)
        self.characters += sum(len(w.text) for w in words)
        self.weight += rated * (mean_confidence(words) or 0)
        self.rated += rated
        self.statuses[page.status] = self.statuses.get(page.status, 0) + 1
        for warning in page.warnings:
            self.warned.setdefault(warning, []).append(page.number)
        if page.engine and (engine := (page.engine, page.engine_version)) not in self.engines:
            self.engines.append(engine)

    @property
    def confidence(self) -> float | None:
        return round(self.weight / self.rated, 2) if self.rated else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of all pages, each once."""
        return tuple(f"{warning} ({_listed(pages)})" for warning, pages in self.warned.items())


def _listed(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:_LISTED_PAGES]))
    more = f" and {len(pages) - _LISTED_PAGES} more" if len(pages) > _LISTED_PAGES else ""
    return f"page {shown}{more}" if len(pages) == 1 else f"pages {shown}{more}"
