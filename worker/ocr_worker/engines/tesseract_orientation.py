"""How a page is turned, as the Tesseract command tells it: for machines without tesserocr."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_THREAD_LIMIT", "1")

import pytesseract

from ocr_worker.engines import catalogue
from ocr_worker.engines.grey import GreyImage


class CommandOrientationFinder:
    """Needs `osd.traineddata` in the folder of data; a process a page."""

    def __init__(self, tessdata: Path) -> None:
        pytesseract.pytesseract.tesseract_cmd = str(catalogue.tesseract_command())
        self._tessdata = tessdata

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise to turn the page upright, and how sure that is (0 when nothing is found)."""
        options = f"--tessdata-dir {shlex.quote(str(self._tessdata))} --dpi {image.engine_dpi}"
        with tempfile.TemporaryDirectory(prefix="page-") as folder:
            bitmap = Path(folder) / "page.pgm"
            image.picture.save(bitmap)
            try:
                found = pytesseract.image_to_osd(
                    str(bitmap), config=options, output_type=pytesseract.Output.DICT
                )
                return int(found["rotate"]), float(found["orientation_conf"])
            # Too few characters to tell is an error to the command, and no harm to the page.
            except (pytesseract.TesseractError, RuntimeError, OSError, KeyError, ValueError):
                return 0, 0.0
