"""What every recognition engine offers: one grey bitmap in, lines of words out."""

from __future__ import annotations

from typing import Protocol

from ocr_worker.engines.grey import GreyImage
from ocr_worker.outputs.model import Line


class Engine(Protocol):
    """Loaded with its languages and kept from page to page."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def find_skew(self, image: GreyImage) -> float | None:
        """Degrees clockwise by which the lines are tilted; None when that takes a whole recognition."""
        ...

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        """All text of the bitmap in reading order, in the bitmap's pixels. Raises EngineError."""
        ...
