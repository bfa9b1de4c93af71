"""What every recognition engine offers: one grey bitmap in, lines of words out."""

from __future__ import annotations

from typing import Protocol

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.layout import Layout
from ocr_worker.model.page import Line


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


class OrientationFinder(Protocol):
    """Tells how a page lies."""

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise by which the page is turned (0, 90, 180, 270), and how sure that is."""
        ...
