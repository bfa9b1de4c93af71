"""From a bitmap to lines of words: prepared where it helps, turned upright, and carried back into the page's own pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ocr_worker.engines import pixels
from ocr_worker.engines.engine import Engine
from ocr_worker.engines.grey import GreyImage
from ocr_worker.engines.layout import Layout
from ocr_worker.engines.parts import cut
from ocr_worker.engines.row_height import row_height
from ocr_worker.engines.skew import skew_degrees
from ocr_worker.outputs.model import Line, map_lines
from ocr_worker.pipeline import prepare
from ocr_worker.pipeline.tasks import PageSettings, Switch

SURE = 2.0
"""From this confidence on, orientation detection alone is enough to turn a page."""


class Finder(Protocol):
    def find_turn(self, image: GreyImage) -> tuple[int, float]: ...


@dataclass(frozen=True, slots=True)
class Reading:
    lines: tuple[Line, ...]
    """In pixels of the upright page."""
    turned: int
    """Degrees clockwise from the bitmap as it came to the upright page."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pages as the settings say, each on at most so many threads."""

    engine: Engine
    finder: Callable[[], Finder | None]
    settings: PageSettings
    threads: int = 1

    def read(self, image: GreyImage) -> Reading:
        """Recognise a page's bitmap."""
        if prepare.is_uniform(image):
            return Reading((), 0)
        prepared = _prepare(image, self.settings.denoise)
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
        if not prepare.is_doubtful(lines):
            return Reading(lines, 0)
        turn = self._find_turn(image) if rotate == "auto" else 0
        again = self._read_reduced(_turn(image, turn))[0] if turn else ()
        if prepare.is_better(again, lines):
            return Reading(again, turn)
        return Reading(self._read_straight(image) if reduced else lines, 0)

    def _find_turn(self, image: GreyImage) -> int:
        finder = self.finder()
        turn, confidence = finder.find_turn(image) if finder else (0, 0.0)
        return turn if confidence >= SURE else 0

    def _read_reduced(self, image: GreyImage) -> tuple[tuple[Line, ...], bool]:
        """Read large print on a large page from a smaller bitmap: as well or better, and faster. And whether it was so."""
        row_px = math.inf
        for gate in prepare.resolution_gates(self.settings.languages) if prepare.is_large(image) else ():
            if row_px * gate.down < gate.least_row_px:
                break
            small = prepare.shrunk(image, gate)
            layout = self.engine.find_layout(small)
            small_row_px = layout.row_px if layout else row_height(small.picture)
            if small_row_px >= gate.least_row_px:
                return _scaled(self._read_straight(small, layout), small.size, image.size), True
            row_px = small_row_px / gate.down
        return self._read_straight(image), False

    def _read_straight(self, image: GreyImage, layout: Layout | None = None) -> tuple[Line, ...]:
        """Level the page for reading if it is clearly tilted: Tesseract reads it anyway, but in a wrong order."""
        least = prepare.DESKEW_FROM_DEGREES[self.settings.deskew]
        layout = layout or self.engine.find_layout(image)
        lines = self.engine.recognise(image) if layout is None else ()
        degrees = layout.skew_degrees if layout else skew_degrees(line.baseline for line in lines)
        if least is not None and abs(degrees) >= least:
            straight = replace(image, picture=pixels.straighten(image.picture, degrees))
            return map_lines(self._read_level(straight), prepare.rotation_about_centre(image.size, degrees))
        return self._read_level(image, layout) if layout else lines

    def _read_level(self, image: GreyImage, layout: Layout | None = None) -> tuple[Line, ...]:
        if self.threads > 1:
            layout = layout or self.engine.find_layout(image)
        parts = cut(layout, (0, 0, *image.size), self.threads) if layout else []
        return self.engine.recognise(image, parts)


def _prepare(image: GreyImage, denoise: Switch) -> GreyImage:
    square = prepare.squared(image)
    fitted = replace(square, picture=pixels.fit(square.picture))
    upright = prepare.even_light(prepare.dark_on_light(fitted))
    return replace(upright, picture=pixels.remove_speckles(upright.picture)) if denoise == "on" else upright


def _turn(image: GreyImage, clockwise: int) -> GreyImage:
    return replace(image, picture=pixels.turn(image.picture, clockwise)) if clockwise else image


def _scaled(lines: tuple[Line, ...], old: tuple[int, int], new: tuple[int, int]) -> tuple[Line, ...]:
    return lines if old == new else map_lines(lines, (new[0] / old[0], 0, 0, new[1] / old[1], 0, 0))
