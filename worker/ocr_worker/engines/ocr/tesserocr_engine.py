"""Tesseract in the process, through tesserocr: the model is loaded once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# libtesseract reads this when it is loaded: its own threads make pages in parallel slower, not faster.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

import tesserocr
from tesserocr import OEM, PSM

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.layout import Layout, is_strip
from ocr_worker.engines.ocr.tesserocr_lines import layout_rows, lines
from ocr_worker.errors import EngineError, EngineMissingError
from ocr_worker.model.page import Line


class TesserocrEngine:
    """One Tesseract API, kept from page to page."""

    name = "tesserocr"

    def __init__(self, languages: tuple[str, ...], tessdata: Path, stands_in: str = "") -> None:
        self.stands_in = stands_in
        """Why it reads what another engine was chosen for."""
        self.version = tesserocr.tesseract_version().splitlines()[0].removeprefix("tesseract").strip()
        self._api = load_api("+".join(languages), tessdata, PSM.AUTO)
        self._shown: GreyImage | None = None

    def find_layout(self, image: GreyImage) -> Layout:
        """A recognition of the same image goes on from there, so this costs nothing."""
        _show(self._api, image)
        self._shown = image
        return Layout(tuple(layout_rows(self._api.AnalyseLayout())))

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        try:
            if self._shown is not image:
                _show(self._api, image)
            read = _read(self._api)
            return self._read_as_print(image) if not read and is_strip(*image.size) else read
        finally:
            self._shown = None
            self._api.Clear()

    def _read_as_print(self, image: GreyImage) -> tuple[Line, ...]:
        self._api.SetPageSegMode(PSM.SINGLE_BLOCK)
        try:
            _show(self._api, image)
            return _read(self._api)
        finally:
            self._api.SetPageSegMode(PSM.AUTO)


class OrientationFinder:
    """Finds by how much a page is turned; needs `osd.traineddata`."""

    def __init__(self, tessdata: Path) -> None:
        self._api = load_api("osd", tessdata, PSM.OSD_ONLY)

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise to turn the page upright, and how sure that is (0 when nothing is found)."""
        _show(self._api, image)
        found = self._api.DetectOrientationScript()
        self._api.Clear()
        return (-found["orient_deg"] % 360, found["orient_conf"]) if found else (0, 0.0)

    def find_script(self, image: GreyImage) -> str:
        """Empty where too few characters tell it."""
        _show(self._api, image)
        found = self._api.DetectOrientationScript()
        self._api.Clear()
        return str(found["script_name"]) if found else ""


def load_api(languages: str, tessdata: Path, mode: int) -> Any:
    """A PyTessBaseAPI. Raises EngineMissingError."""
    try:
        oem = OEM.DEFAULT if mode == PSM.OSD_ONLY else OEM.LSTM_ONLY
        with _openable(tessdata) as place:
            return tesserocr.PyTessBaseAPI(path=f"{place}{os.sep}", lang=languages, psm=mode, oem=oem)
    except RuntimeError as error:
        raise EngineMissingError(
            f"Tesseract can't load {languages} from {tessdata}; install the data again"
        ) from error


@contextmanager
def _openable(folder: Path) -> Iterator[str]:
    """The folder by a name that Tesseract can open: on Windows it reads UTF-8 as the system's code page."""
    if sys.platform != "win32" or str(folder).isascii():
        yield str(folder)
        return
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield "."
    finally:
        os.chdir(before)


def _show(api: Any, image: GreyImage) -> None:
    width, height = image.size
    api.SetImageBytes(image.picture.tobytes(), width, height, 1, width)
    api.SetSourceResolution(image.engine_dpi)


def _read(api: Any) -> tuple[Line, ...]:
    if not api.Recognize():
        raise EngineError("Tesseract gave up on the page")
    return tuple(lines(api.GetIterator()))
