"""Find how a page is turned with the Tesseract command, for machines without tesserocr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytesseract

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.tesseract_command import handed_over


class CommandOrientationFinder:
    """Needs `osd.traineddata` in the folder of data; a process a page."""

    def __init__(self, folder: Path) -> None:
        pytesseract.pytesseract.tesseract_cmd = str(tessdata.tesseract_command())
        self._tessdata = folder

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise to turn the page upright, and how sure that is (0 when nothing is found)."""
        found = self._found(image)
        try:
            return int(found["rotate"]), float(found["orientation_conf"])
        except (KeyError, ValueError):
            return 0, 0.0

    def find_script(self, image: GreyImage) -> str:
        """Empty where too few characters tell it."""
        return str(self._found(image).get("script", ""))

    def _found(self, image: GreyImage) -> dict[str, Any]:
        with handed_over(image, self._tessdata) as (bitmap, options):
            try:
                found: dict[str, Any] = pytesseract.image_to_osd(
                    str(bitmap), config=options, output_type=pytesseract.Output.DICT
                )
            # Too few characters to tell is an error to the command, and no harm to the page.
            except (pytesseract.TesseractError, RuntimeError, OSError, KeyError, ValueError):
                return {}
            return found
