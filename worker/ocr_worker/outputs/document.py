"""What outputs say about a whole file, beside its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ocr_worker.outputs.model import Page, mean_confidence


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
    engines: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    def add(self, page: Page) -> None:
        words = page.words
        rated = sum(len(w.text) for w in words if w.confidence is not None)
        self.characters += sum(len(w.text) for w in words)
        self.weight += rated * (mean_confidence(words) or 0)
        self.rated += rated
        self.statuses[page.status] = self.statuses.get(page.status, 0) + 1
        if page.engine:
            self.engines[page.engine] = page.engine_version

    @property
    def confidence(self) -> float | None:
        return round(self.weight / self.rated, 2) if self.rated else None
