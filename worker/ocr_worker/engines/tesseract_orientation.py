"""How a page is turned, as the Tesseract command tells it: for machines without tesserocr."""

from __future__ import annotations

from pathlib import Path

import pytesseract

from ocr_worker.engines import catalogue
from ocr_worker.engines.grey import GreyImage
from ocr_worker.engines.tesseract_engine import handed_over


class CommandOrientationFinder:
    """Needs `osd.traineddata` in the folder of data; a process a page."""

    def __init__(self, tessdata: Path) -> None:
        pytesseract.pytesseract.tesseract_cmd = str(catalogue.tesseract_command())
        self._tessdata = tessdata

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise to turn the page upright, and how sure that is (0 when nothing is found)."""
        with handed_over(image, self._tessdata) as (bitmap, options):
            try:
                found = pytesseract.image_to_osd(
                    str(bitmap), config=options, output_type=pytesseract.Output.DICT
                )
                return int(found["rotate"]), float(found["orientation_conf"])
            # Too few characters to tell is an error to the command, and no harm to the page.
            except (pytesseract.TesseractError, RuntimeError, OSError, KeyError, ValueError):
                return 0, 0.0
