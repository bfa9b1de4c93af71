"""Read pages by lines: the layout is Tesseract's, and so is the network, but not what runs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

# libtesseract and NumPy's library read these when they are loaded.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import tesserocr
from PIL import Image
from tesserocr import PSM

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.engine import Engine
from ocr_worker.engines.ocr.layout import Layout, is_strip
from ocr_worker.engines.ocr.lines.bands import Band, are_plain, plain_print
from ocr_worker.engines.ocr.lines.crops import Pixels, scaled
from ocr_worker.engines.ocr.lines.directions import in_reading_order
from ocr_worker.engines.ocr.lines.model import Model
from ocr_worker.engines.ocr.lines.network import CPU
from ocr_worker.engines.ocr.lines.placing import Place
from ocr_worker.engines.ocr.lines.reader import Reader
from ocr_worker.engines.ocr.lines.reading import ReadWord
from ocr_worker.engines.ocr.lines.runs import Row, Run, find_told, made_rows
from ocr_worker.engines.ocr.lines.together import Readers
from ocr_worker.engines.ocr.lines.two_tones import TwoTones, in_two_tones
from ocr_worker.model.page import Line, Word

FEW_CHARACTERS = 400
"""On a page of fewer, a single word weighs much, and Tesseract itself reads it in little time."""
DOUBTED_BELOW = 90.0
"""Points of confidence: a line with such a word is read once more, where its crop may be another."""
LEAST_PX = 3
"""Lower and narrower stretches hold no letters."""
_Turned = tuple[Run, int]
"""And by how many quarters clockwise it is turned."""
_UPRIGHT = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}


class LinesEngine:
    """A layout finder, and the networks of languages; for small pages that are open to doubt, Tesseract itself."""

    name = "lines"

    def __init__(
        self, models: Sequence[Model], tesseract: Callable[[], Engine], provider: str = CPU, api: Any = None
    ) -> None:
        """Networks that see lines alike; `api` finds the layout, if it takes a language to do so."""
        self._tesseract = cache(tesseract)
        self._api = api or tesserocr.PyTessBaseAPI(init=False)
        if api is None:
            self._api.InitForAnalysePage()
        network = models[0].network
        self._height, (self._across, _) = network.height, network.pool
        self._is_right_to_left = models[0].is_right_to_left
        rates = len(models) > 1
        self._readers = Readers(tuple(Reader(model, provider, rates=rates) for model in models))
        self._shown: tuple[GreyImage, tuple[Row, ...]] | None = None

    @property
    def version(self) -> str:
        tesseract = tesserocr.tesseract_version().splitlines()[0].removeprefix("tesseract").strip()
        return f"{tesseract}, {self._readers.version}"

    def find_layout(self, image: GreyImage) -> Layout:
        """A recognition of the same image goes on from there, so this costs nothing."""
        rows = self._look(image)
        self._shown = image, rows
        return Layout(tuple(row.layout for row in rows))

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        shown, self._shown = self._shown, None
        rows = shown[1] if shown and shown[0] is image else self._look(image)
        runs = [(run, row.turns) for row in rows for run in row.runs]
        words = self._words(image, runs)
        if self._is_small(words):
            for number, other in self._read_otherwise(image, runs, words):
                likelier = self._spaced(words[number], other)
                if likelier is None:
                    return self._tesseract().recognise(image)
                words[number] = likelier
        left = iter(words)
        lines = [_line(row, [word for _ in row.runs for word in next(left)]) for row in rows]
        if self._is_right_to_left:
            lines = in_reading_order(lines)
        return tuple(line for line in lines if line.words)

    def _is_small(self, words: Sequence[list[Word]]) -> bool:
        return sum(len(word.text) for one in words for word in one) < FEW_CHARACTERS

    def _read_otherwise(
        self, image: GreyImage, runs: Sequence[_Turned], words: Sequence[list[Word]]
    ) -> list[tuple[int, list[Word]]]:
        """The lines in doubt that read otherwise by the other crop that may be meant, and how."""
        doubted = {
            number: (replace(run, crop=run.other_crop), turns)
            for number, (run, turns) in enumerate(runs)
            if run.other_crop and any((word.confidence or 0) < DOUBTED_BELOW for word in words[number])
        }
        read = zip(doubted, self._words(image, list(doubted.values())), strict=True)
        return [(number, other) for number, other in read if _texts(other) != _texts(words[number])]

    def _spaced(self, read: list[Word], other: list[Word]) -> list[Word] | None:
        """Of two that differ in spaces alone the one with more of them, if these make words of the list; None where letters differ."""
        if "".join(_texts(read)) != "".join(_texts(other)):
            return None
        fewer, more = sorted((read, other), key=len)
        parts = set(_texts(more)).difference(_texts(fewer))
        return more if all(map(self._readers.knows, parts)) else fewer

    def _words(self, image: GreyImage, runs: Sequence[_Turned]) -> list[list[Word]]:
        """Of each run."""
        cut = [self._cut(image.picture, run, turns) for run, turns in runs]
        read = iter(self._readers.read([pixels for pixels, _ in cut if pixels is not None]))
        return [_placed(place, next(read)) if pixels is not None else [] for pixels, place in cut]

    def _look(self, image: GreyImage) -> tuple[Row, ...]:
        page = in_two_tones(image.picture)
        # What belongs to a line was only measured of letters from left to right.
        if not self._is_right_to_left and (plain := plain_print(page)):
            rows = self._rows(*plain, image.engine_dpi, PSM.SINGLE_BLOCK)
            if are_plain(rows):
                return rows
        whole = [(0, page.height)]
        rows = self._rows(page, whole, image.engine_dpi, PSM.AUTO)
        if is_strip(page.width, page.height) and not any(row.runs for row in rows):
            return self._rows(page, whole, image.engine_dpi, PSM.SINGLE_BLOCK)
        return rows

    def _rows(self, page: TwoTones, parts: Iterable[Band], dpi: int, mode: int) -> tuple[Row, ...]:
        told = []
        self._api.SetPageSegMode(mode)
        for top, bottom in parts:
            self._api.SetImageBytesBmp(page.bitmap(top, bottom))
            self._api.SetSourceResolution(dpi)
            try:
                told += find_told(self._api, top)
            finally:
                self._api.Clear()
        return made_rows(told)

    def _cut(self, picture: Image.Image, run: Run, turns: int) -> tuple[Pixels | None, Place]:
        """What the network is to read, None where that is nothing, and the place that it came from."""
        left, top, right, bottom = run.crop
        crop = max(0, left), max(0, top), min(picture.width, right), min(picture.height, bottom)
        stretch = picture.crop(crop)
        if turns:
            stretch = stretch.transpose(_UPRIGHT[turns])
        place = Place(run, crop, turns, self._across * stretch.height / self._height)
        if min(stretch.size) < LEAST_PX:
            return None, place
        line = scaled(np.asarray(stretch), self._height)
        return (line if line is not None and line.shape[1] >= 2 * self._across else None), place


def _placed(place: Place, read: Sequence[ReadWord]) -> list[Word]:
    return [Word(word.text, box, word.confidence) for word, box in zip(read, place.boxes(read), strict=True)]


def _texts(words: Sequence[Word]) -> list[str]:
    return [word.text for word in words]


def _line(row: Row, words: Iterable[Word]) -> Line:
    return Line(tuple(words), row.layout.box, row.baseline, row.block, row.paragraph)
