"""From a bitmap to lines of words: prepared where it helps, turned upright, and carried back into the page's own pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ocr_worker.engines import pictures
from ocr_worker.engines.engine import Engine
from ocr_worker.engines.grey import GreyImage
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


def read_bitmap(
    image: GreyImage, engine: Engine, finder: Callable[[], Finder | None], settings: PageSettings
) -> Reading:
    """Recognise a page's bitmap as the settings say."""
    if prepare.is_uniform(image):
        return Reading((), 0)
    prepared = _prepare(image, settings.denoise)
    reading = _read_turned(prepared, engine, finder, settings.rotate_pages)
    reading = _read_straight(_turn(prepared, reading.turned), engine, reading, settings.deskew)
    scale = max(image.size) / max(prepared.size)
    return (
        reading
        if scale == 1
        else replace(reading, lines=map_lines(reading.lines, (scale, 0, 0, scale, 0, 0)))
    )


def _prepare(image: GreyImage, denoise: Switch) -> GreyImage:
    fitted = replace(image, picture=pictures.fit(image.picture))
    upright = prepare.dark_on_light(fitted)
    return replace(upright, picture=pictures.remove_speckles(upright.picture)) if denoise == "on" else upright


def _read_turned(
    image: GreyImage, engine: Engine, finder: Callable[[], Finder | None], rotate: Switch
) -> Reading:
    if rotate == "on" and (turn := _find_turn(image, finder)):
        return Reading(engine.recognise(_turn(image, turn)), turn)
    lines = engine.recognise(image)
    if rotate == "off" or not prepare.is_doubtful(lines):
        return Reading(lines, 0)
    turn = _find_turn(image, finder)
    again = engine.recognise(_turn(image, turn)) if turn else ()
    return Reading(again, turn) if prepare.is_better(again, lines) else Reading(lines, 0)


def _find_turn(image: GreyImage, finder: Callable[[], Finder | None]) -> int:
    found = finder()
    turn, confidence = found.find_turn(image) if found else (0, 0.0)
    return turn if confidence >= SURE else 0


def _read_straight(image: GreyImage, engine: Engine, reading: Reading, deskew: Switch) -> Reading:
    """Only where asked for: Tesseract follows skewed lines by itself."""
    degrees = prepare.skew_degrees(reading.lines) if deskew == "on" else 0.0
    if abs(degrees) < prepare.DESKEW_FROM_DEGREES:
        return reading
    lines = engine.recognise(replace(image, picture=pictures.straighten(image.picture, degrees)))
    back = map_lines(lines, prepare.rotation_about_centre(image.size, degrees))
    return replace(reading, lines=back) if prepare.is_better(back, reading.lines) else reading


def _turn(image: GreyImage, clockwise: int) -> GreyImage:
    return replace(image, picture=pictures.turn(image.picture, clockwise)) if clockwise else image
