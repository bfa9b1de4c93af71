"""What every recognition engine offers: one grey bitmap in, lines of words out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ocr_worker.engines.grey import GreyImage
from ocr_worker.outputs.model import Line


@dataclass(frozen=True, slots=True)
class Layout:
    """What the lines of a page look like, before they are read."""

    skew_degrees: float
    """Clockwise tilt of the lines."""
    row_px: float
    """Median height of a line from the deepest descender to the highest ascender; 0 without lines."""


class Engine(Protocol):
    """Loaded with its languages and kept from page to page."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def find_layout(self, image: GreyImage) -> Layout | None:
        """The lines of the bitmap; None when that takes a whole recognition."""
        ...

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        """All text of the bitmap in reading order, in the bitmap's pixels. Raises EngineError."""
        ...
