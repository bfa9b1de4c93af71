"""From a bitmap to lines of words: prepared where it helps, turned upright, and carried back into the page's own pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from ocr_worker.engines import pictures
from ocr_worker.engines.engine import Engine, Layout
from ocr_worker.engines.grey import GreyImage
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


def read_bitmap(
    image: GreyImage, engine: Engine, finder: Callable[[], Finder | None], settings: PageSettings
) -> Reading:
    """Recognise a page's bitmap as the settings say."""
    if prepare.is_uniform(image):
        return Reading((), 0)
    prepared = _prepare(image, settings.denoise)
    reading = _read_upright(prepared, engine, finder, settings)
    scale = max(image.size) / max(prepared.size)
    return (
        reading
        if scale == 1
        else replace(reading, lines=map_lines(reading.lines, (scale, 0, 0, scale, 0, 0)))
    )


def _prepare(image: GreyImage, denoise: Switch) -> GreyImage:
    fitted = replace(image, picture=pictures.fit(image.picture))
    upright = prepare.even_light(prepare.dark_on_light(fitted))
    return replace(upright, picture=pictures.remove_speckles(upright.picture)) if denoise == "on" else upright


def _read_upright(
    image: GreyImage, engine: Engine, finder: Callable[[], Finder | None], settings: PageSettings
) -> Reading:
    rotate, deskew = settings.rotate_pages, settings.deskew
    if rotate == "on" and (turn := _find_turn(image, finder)):
        return Reading(_read_straight(_turn(image, turn), engine, deskew), turn)
    lines = _read_straight(image, engine, deskew)
    if rotate == "off" or not prepare.is_doubtful(lines):
        return Reading(lines, 0)
    turn = _find_turn(image, finder)
    again = _read_straight(_turn(image, turn), engine, deskew) if turn else ()
    return Reading(again, turn) if prepare.is_better(again, lines) else Reading(lines, 0)


def _find_turn(image: GreyImage, finder: Callable[[], Finder | None]) -> int:
    found = finder()
    turn, confidence = found.find_turn(image) if found else (0, 0.0)
    return turn if confidence >= SURE else 0


def _read_straight(image: GreyImage, engine: Engine, deskew: Switch) -> tuple[Line, ...]:
    """Level the page for reading if it is clearly tilted: Tesseract reads it anyway, but in a wrong order."""
    least = prepare.DESKEW_FROM_DEGREES[deskew]
    fit, layout = _choose_size(image, engine)
    lines = engine.recognise(fit) if layout is None else ()
    degrees = layout.skew_degrees if layout else skew_degrees(line.baseline for line in lines)
    if least is not None and abs(degrees) >= least:
        straight = replace(fit, picture=pictures.straighten(fit.picture, degrees))
        lines = map_lines(engine.recognise(straight), prepare.rotation_about_centre(fit.size, degrees))
    elif layout is not None:
        lines = engine.recognise(fit)
    scale = image.size[0] / fit.size[0]
    return lines if fit is image else map_lines(lines, (scale, 0, 0, scale, 0, 0))


def _choose_size(image: GreyImage, engine: Engine) -> tuple[GreyImage, Layout | None]:
    """Large print on a large page is read from a smaller bitmap: as well or better, and faster."""
    if prepare.is_large(image):
        small = prepare.shrunk(image)
        layout = engine.find_layout(small)
        if layout is not None and layout.row_px >= prepare.LEAST_ROW_PX:
            return small, layout
    return image, engine.find_layout(image)


def _turn(image: GreyImage, clockwise: int) -> GreyImage:
    return replace(image, picture=pictures.turn(image.picture, clockwise)) if clockwise else image
