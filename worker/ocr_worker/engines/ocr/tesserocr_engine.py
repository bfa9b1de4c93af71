"""Tesseract in the process, through tesserocr: the model is loaded once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

# libtesseract reads this when it is loaded: its own threads make pages in parallel slower, not faster.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

import tesserocr
from tesserocr import OEM, PSM

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.layout import Layout
from ocr_worker.engines.ocr.page_parts import Part
from ocr_worker.engines.ocr.tesserocr_lines import joined, layout_rows, lines
from ocr_worker.errors import EngineError, EngineMissingError
from ocr_worker.model.page import Line, map_lines


class TesserocrEngine:
    """One Tesseract API, and one more for each further thread, loaded when first wanted: one serves one thread."""

    name = "tesserocr"

    def __init__(self, languages: tuple[str, ...], tessdata: Path) -> None:
        self.version = tesserocr.tesseract_version().splitlines()[0].removeprefix("tesseract").strip()
        self._new_api = partial(_load, "+".join(languages), tessdata, PSM.AUTO)
        self._apis = [self._new_api()]
        self._shown: GreyImage | None = None

    def find_layout(self, image: GreyImage) -> Layout:
        """A recognition of the same image in one part goes on from there, so this costs nothing."""
        _show(self._apis[0], image)
        self._shown = image
        return Layout(tuple(layout_rows(self._apis[0].AnalyseLayout())))

    def recognise(self, image: GreyImage, parts: Sequence[Part] = ()) -> tuple[Line, ...]:
        try:
            if len(parts) > 1:
                return self._read_parts(image, parts)
            if self._shown is not image:
                _show(self._apis[0], image)
            return _read(self._apis[0])
        finally:
            self._shown = None
            self._apis[0].Clear()

    def _read_parts(self, image: GreyImage, parts: Sequence[Part]) -> tuple[Line, ...]:
        """Each part as a bitmap of its own: given a rectangle instead, Tesseract 5.5 reads the wrong lines."""
        self._apis += [None] * (len(parts) - len(self._apis))

        def read(number: int) -> tuple[Line, ...]:
            box = parts[number].box
            api = self._apis[number] = self._apis[number] or self._new_api()
            _show(api, replace(image, picture=image.picture.crop(box)))
            try:
                return map_lines(_read(api), (1, 0, 0, 1, box[0], box[1]))
            finally:
                api.Clear()

        # Tesseract holds no lock of Python's while it reads.
        with ThreadPoolExecutor(len(parts)) as threads:
            read_lines = list(threads.map(read, range(len(parts))))
        return joined(read_lines, [part.begins_paragraph for part in parts])


class OrientationFinder:
    """Finds by how much a page is turned; needs `osd.traineddata`."""

    def __init__(self, tessdata: Path) -> None:
        self._api = _load("osd", tessdata, PSM.OSD_ONLY)

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise to turn the page upright, and how sure that is (0 when nothing is found)."""
        _show(self._api, image)
        found = self._api.DetectOrientationScript()
        self._api.Clear()
        return (-found["orient_deg"] % 360, found["orient_conf"]) if found else (0, 0.0)


def _load(languages: str, tessdata: Path, mode: int) -> Any:
    try:
        oem = OEM.DEFAULT if mode == PSM.OSD_ONLY else OEM.LSTM_ONLY
        return tesserocr.PyTessBaseAPI(path=f"{tessdata}{os.sep}", lang=languages, psm=mode, oem=oem)
    except RuntimeError as error:
        raise EngineMissingError(
            f"Tesseract can't load {languages} from {tessdata}; install the data again"
        ) from error


def _show(api: Any, image: GreyImage) -> None:
    width, height = image.size
    api.SetImageBytes(image.picture.tobytes(), width, height, 1, width)
    api.SetSourceResolution(image.engine_dpi)


def _read(api: Any) -> tuple[Line, ...]:
    if not api.Recognize():
        raise EngineError("Tesseract gave up on the page")
    return tuple(lines(api.GetIterator()))
