"""The bitmap that is recognised: one grey picture of a page, with its resolution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from ocr_worker.engines.images.ink import Ink

UNSTATED_DPI = 96


@dataclass(frozen=True)
class GreyImage:
    """A page in grey, and what is known of its pixels."""

    picture: Image.Image
    """Mode L, in the displayed frame."""
    dpi: float
    dpi_estimated: bool = False
    dpi_down: float | None = None
    """Where pixels are not square, as on a fax; `dpi` is then the one across."""
    warnings: tuple[str, ...] = ()
    """What was out of the ordinary in making it."""

    @cached_property
    def ink(self) -> Ink:
        """Looked for once, however often what was read is held against it."""
        # Late, as many pages are not read.
        from ocr_worker.engines.images.ink import Ink

        return Ink(self.picture)

    @property
    def size_points(self) -> tuple[float, float]:
        width, height = self.size
        return width * 72 / self.dpi, height * 72 / (self.dpi_down or self.dpi)

    @property
    def engine_dpi(self) -> int:
        """What an engine is told: a layout search errs less with a low figure than with a wrong guess."""
        return UNSTATED_DPI if self.dpi_estimated else round(self.dpi)

    @property
    def size(self) -> tuple[int, int]:
        return self.picture.size
