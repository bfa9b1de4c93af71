"""From a bitmap to lines of words: prepared where it helps, turned upright, and carried back into the page's own pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.engine import Engine, Hints, OrientationFinder
from ocr_worker.engines.ocr.layout import Layout
from ocr_worker.engines.ocr.page_parts import cut
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.engines.ocr.skew import skew_degrees
from ocr_worker.model.page import Line, map_lines
from ocr_worker.model.tasks import PageSettings, Switch
from ocr_worker.pages import preprocessing
from ocr_worker.pages.denoising import denoised


@dataclass(frozen=True, slots=True)
class Reading:
    lines: tuple[Line, ...]
    """In pixels of the upright page."""
    turned: int
    """Degrees clockwise from the bitmap as it came to the upright page."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """A bitmap as it is shown to the engine, and what that sees before it reads, if it tells."""

    image: GreyImage
    layout: Layout | None
    levelled_by: float = 0.0
    """Degrees counterclockwise."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pages as the settings say, each on at most so many threads."""

    engine: Engine
    finder: Callable[[], OrientationFinder | None]
    settings: PageSettings
    hints: Hints
    threads: int = 1

    def read(self, image: GreyImage) -> Reading:
        """Recognise a page's bitmap."""
        if preprocessing.is_uniform(image):
            return Reading((), 0)
        prepared = _prepare(image, self.settings.denoise, self.hints)
        reading = self._read_upright(prepared)
        before, after = prepared.size, image.size
        if reading.turned in (90, 270):
            before, after = before[::-1], after[::-1]
        return replace(reading, lines=_scaled(reading.lines, before, after))

    def _read_upright(self, image: GreyImage) -> Reading:
        rotate = self.settings.rotate_pages
        if rotate == "on" and (turn := self._find_turn(image)):
            return Reading(self._read_reduced(_turn(image, turn))[0], turn)
        lines, reduced = self._read_reduced(image)
        if not preprocessing.is_doubtful(lines, self.hints):
            return Reading(lines, 0)
        turn = self._find_turn(image) if rotate == "auto" else 0
        again = self._read_reduced(_turn(image, turn))[0] if turn else ()
        if preprocessing.is_better(again, lines):
            return Reading(again, turn)
        return Reading(self._read_straight(self._look(image)) if reduced else lines, 0)

    def _find_turn(self, image: GreyImage) -> int:
        finder = self.finder()
        turn, confidence = finder.find_turn(image) if finder else (0, 0.0)
        return turn if confidence >= self.hints.sure_turn else 0

    def _read_reduced(self, image: GreyImage) -> tuple[tuple[Line, ...], bool]:
        """Read large print on a large page from a smaller bitmap: as well or better, and faster. And whether it was so."""
        row_px = math.inf
        for gate in preprocessing.resolution_gates(image, self.settings.languages, self.hints):
            if row_px * gate.down < gate.least_row_px:
                continue
            small = self._look(preprocessing.shrunk(image, gate))
            small_row_px = small.layout.row_px if small.layout else row_height(small.image.picture)
            if small_row_px >= gate.least_row_px:
                return _scaled(self._read_straight(small), small.image.size, image.size), True
            row_px = small_row_px / gate.down
        return self._read_straight(self._look(image)), False

    def _look(self, image: GreyImage) -> _Sight:
        """Level the page for reading if it is tilted too much for the engine."""
        layout = self.engine.find_layout(image)
        if layout is None or not self._is_tilted(layout.skew_degrees):
            return _Sight(image, layout)
        level = _straightened(image, layout.skew_degrees)
        return _Sight(level, self.engine.find_layout(level), layout.skew_degrees)

    def _read_straight(self, sight: _Sight) -> tuple[Line, ...]:
        lines = self._recognise(sight)
        if sight.layout is None and self._is_tilted(degrees := skew_degrees(line.baseline for line in lines)):
            return self._recognise(_Sight(_straightened(sight.image, degrees), None, degrees))
        return lines

    def _recognise(self, sight: _Sight) -> tuple[Line, ...]:
        area = (0, 0, *sight.image.size)
        lines = self.engine.recognise(
            sight.image, cut(sight.layout, area, self.threads) if sight.layout else ()
        )
        if not sight.levelled_by:
            return lines
        return map_lines(lines, preprocessing.rotation_about_centre(sight.image.size, sight.levelled_by))

    def _is_tilted(self, degrees: float) -> bool:
        least = preprocessing.least_tilt(self.settings.deskew, self.hints)
        return least is not None and abs(degrees) >= least


def _straightened(image: GreyImage, degrees: float) -> GreyImage:
    return replace(image, picture=filters.straighten(image.picture, degrees))


def _prepare(image: GreyImage, denoise: Switch, hints: Hints) -> GreyImage:
    square = preprocessing.squared(image)
    fitted = replace(square, picture=filters.fit(square.picture, hints.longest_side_px))
    upright = preprocessing.dark_on_even_white(fitted)
    return denoised(upright, denoise)


def _turn(image: GreyImage, clockwise: int) -> GreyImage:
    return replace(image, picture=filters.turn(image.picture, clockwise)) if clockwise else image


def _scaled(lines: tuple[Line, ...], old: tuple[int, int], new: tuple[int, int]) -> tuple[Line, ...]:
    return lines if old == new else map_lines(lines, (new[0] / old[0], 0, 0, new[1] / old[1], 0, 0))
