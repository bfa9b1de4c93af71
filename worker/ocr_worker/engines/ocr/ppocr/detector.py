"""Find text on a page, tilted or upright, light or dark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ocr_worker.engines.ocr.ppocr.rectangles import Rectangle, rectangles
from ocr_worker.engines.ocr.ppocr.runtime import Network, three_channels

LONGEST_PX = 960
BRIGHTEST_PERCENT = 1
"""Of the pixels, that may be glare and say nothing of the light. Ink may be as few."""
STEP_PX = 32
"""Sides that the network takes are a multiple of it."""


class Detector:
    def __init__(self, file: Path) -> None:
        self._network = Network(file)

    def find(self, picture: Image.Image) -> list[Rectangle]:
        """In the picture's pixels, likeliest first."""
        scale = LONGEST_PX / max(picture.size)
        width, height = (max(STEP_PX, round(side * scale / STEP_PX) * STEP_PX) for side in picture.size)
        small = picture.resize((width, height), Image.Resampling.BILINEAR)
        # In poor light it overlooks what is small; letters are read as well as they came.
        small = ImageOps.autocontrast(small, cutoff=(0, BRIGHTEST_PERCENT))
        (likelihood,) = self._network.run(three_channels(np.asarray(small)))[0]
        across, down = picture.width / width, picture.height / height
        return [one.scaled(across, down) for one in rectangles(likelihood)]
