"""Read a whole page, or stretches of it, with both networks."""

from __future__ import annotations

import math
from functools import cached_property

from PIL import Image

from ocr_worker.engines import heap
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.ppocr import models
from ocr_worker.engines.ocr.ppocr.arranging import Piece, arranged
from ocr_worker.engines.ocr.ppocr.detector import Detector
from ocr_worker.engines.ocr.ppocr.recogniser import HEIGHT_PX, Recogniser
from ocr_worker.engines.ocr.ppocr.rectangles import Rectangle
from ocr_worker.engines.ocr.ppocr.runtime import VERSION
from ocr_worker.model.page import Box, Line, Word

NAME = "ppocr"
TALL = 1.5
"""Height to width: text may run down such a rectangle, or be a single narrow letter."""


class PpocrReader:
    """Loads a network when it is first needed. Raises EngineMissingError where a model is missing or damaged."""

    version = f"PP-OCRv6 small, ONNX Runtime {VERSION}"

    def __init__(self) -> None:
        models.require(models.DETECTOR)
        models.require(models.RECOGNISER)

    def close(self) -> None:
        """Unload the networks; the next reading loads them again."""
        for network in ("_detector", "_recogniser"):
            self.__dict__.pop(network, None)
        # The next to read twice is in another process.
        heap.give_back()

    def read_page(self, image: GreyImage, most_line_px: float = math.inf) -> tuple[Line, ...]:
        """All text that there is; none where its lines together are longer than that, at their height for the network."""
        picture = image.picture
        places = self._detector.find(picture)
        if sum(map(_line_px, places)) > most_line_px:
            return ()
        pieces = [self._read_rectangle(picture, place) for place in places]
        return arranged(piece for piece in pieces if piece.words)

    def knows(self, text: str) -> bool:
        return self._recogniser.knows(text)

    def read_stretch(self, image: GreyImage, box: Box) -> list[Word]:
        """A stretch of a level line."""
        left, top, right, bottom = box
        place = Rectangle((left, top), (right, top), (left, bottom))
        return Piece(place, tuple(self._recogniser.read(image.picture.crop(box)))).page_words()

    def _read_rectangle(self, picture: Image.Image, place: Rectangle) -> Piece:
        ways = [place] if place.height < TALL * place.width else [place, _downwards(place)]
        read = [Piece(way, tuple(self._recogniser.read(_cut(picture, way)))) for way in ways]
        return max(read, key=lambda piece: piece.weight / max(1, piece.letters))

    @cached_property
    def _detector(self) -> Detector:
        return Detector(models.require(models.DETECTOR))

    @cached_property
    def _recogniser(self) -> Recogniser:
        return Recogniser(models.require(models.RECOGNISER))


def _line_px(place: Rectangle) -> int:
    longer, shorter = max(place.width, place.height), min(place.width, place.height)
    return round(longer * HEIGHT_PX / max(1.0, shorter))


def _downwards(place: Rectangle) -> Rectangle:
    """The same, its text running down: its beginning is at the top."""
    return Rectangle(place.top_right, place.at(1, 1), place.top_left)


def _cut(picture: Image.Image, place: Rectangle) -> Image.Image:
    """Turned level."""
    width, height = max(1, round(place.width)), max(1, round(place.height))
    (x, y), (x1, y1), (x2, y2) = place.top_left, place.top_right, place.bottom_left
    across, down = ((x1 - x) / width, (y1 - y) / width), ((x2 - x) / height, (y2 - y) / height)
    back = (across[0], down[0], x, across[1], down[1], y)
    return picture.transform((width, height), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR)
