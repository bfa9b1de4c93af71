"""The bitmap that is recognised: one grey picture of a page, with its resolution."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, slots=True)
class GreyImage:
    picture: Image.Image
    """Mode L, in the displayed frame."""
    dpi: float
    dpi_estimated: bool = False

    @property
    def size(self) -> tuple[int, int]:
        return self.picture.size
