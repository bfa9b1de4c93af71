"""The engine `ppocr`: PP-OCRv6 alone."""

from __future__ import annotations

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.layout import Layout
from ocr_worker.engines.ocr.ppocr.reader import PpocrReader
from ocr_worker.model.page import Line


class PpocrEngine:
    """Both networks, kept from page to page."""

    name = "ppocr"

    def __init__(self) -> None:
        """Raises EngineMissingError for a model that is missing or not the one that was measured."""
        self._reader = PpocrReader()
        self.version = self._reader.version

    def find_layout(self, image: GreyImage) -> Layout | None:
        """None: the page is read as a whole."""
        del image
        return None

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        return self._reader.read_page(image)
