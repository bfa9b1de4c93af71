"""Tesseract inside the process (tesserocr): the model is loaded once, a page costs its recognition only."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# libtesseract reads this when it is loaded: its own threads make pages in parallel slower, not faster.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

import tesserocr
from tesserocr import OEM, PSM, RIL

from ocr_worker.engines.engine import Layout
from ocr_worker.engines.grey import GreyImage
from ocr_worker.engines.skew import skew_degrees
from ocr_worker.errors import EngineError, EngineMissingError
from ocr_worker.outputs.model import Line, Word


class TesserocrEngine:
    name = "tesserocr"

    def __init__(self, languages: tuple[str, ...], tessdata: Path) -> None:
        self.version = tesserocr.tesseract_version().splitlines()[0].removeprefix("tesseract").strip()
        self._api = _load("+".join(languages), tessdata, PSM.AUTO)
        self._shown: GreyImage | None = None

    def find_layout(self, image: GreyImage) -> Layout:
        """A recognition of the same image goes on from there, so this costs nothing."""
        _show(self._api, image)
        self._shown = image
        found = self._api.AnalyseLayout()
        rows = tesserocr.iterate_level(found, RIL.TEXTLINE) if found else ()
        seen = [(at.Baseline(RIL.TEXTLINE), at.BoundingBox(RIL.TEXTLINE)) for at in rows]
        skew = skew_degrees((*ends[0], *ends[1]) for ends, _ in seen if ends)
        heights = [box[3] - box[1] for _, box in seen if box]
        return Layout(skew, statistics.median(heights) if heights else 0.0)

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        if self._shown is not image:
            _show(self._api, image)
        try:
            if not self._api.Recognize():
                raise EngineError("Tesseract gave up on the page")
            return tuple(_lines(self._api.GetIterator()))
        finally:
            self._shown = None
            self._api.Clear()


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


@dataclass(slots=True)
class _Row:
    """A line under construction, while the iterator walks its words."""

    box: tuple[int, int, int, int]
    baseline: tuple[float, float, float, float]
    block: int
    paragraph: int
    words: list[Word] = field(default_factory=list)

    def line(self) -> Line:
        return Line(tuple(self.words), self.box, self.baseline, self.block, self.paragraph)


def _lines(iterator: Any) -> Iterator[Line]:
    if iterator is None:
        return
    block = paragraph = -1
    row: _Row | None = None
    for at in tesserocr.iterate_level(iterator, RIL.WORD):
        block += at.IsAtBeginningOf(RIL.BLOCK)
        paragraph += at.IsAtBeginningOf(RIL.PARA)
        if at.IsAtBeginningOf(RIL.TEXTLINE):
            if row and row.words:
                yield row.line()
            row = _row(at, block, paragraph)
        word = _word(at)
        if row and word:
            row.words.append(word)
    if row and row.words:
        yield row.line()


def _row(at: Any, block: int, paragraph: int) -> _Row | None:
    box = at.BoundingBox(RIL.TEXTLINE)
    if box is None:
        return None
    ends = at.Baseline(RIL.TEXTLINE) or ((box[0], box[3]), (box[2], box[3]))
    (x0, y0), (x1, y1) = ends
    return _Row(box, (float(x0), float(y0), float(x1), float(y1)), block, paragraph)


def _word(at: Any) -> Word | None:
    box = None if at.Empty(RIL.WORD) else at.BoundingBox(RIL.WORD)
    if box is None or not (text := at.GetUTF8Text(RIL.WORD).strip()):
        return None
    return Word(text, box, round(at.Confidence(RIL.WORD), 1), at.BlanksBeforeWord() > 0)
