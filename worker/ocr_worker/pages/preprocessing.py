"""What is done to a bitmap, and to what was read from it, for better reading. Nothing that costs much without a gain."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.engine import Hints, ResolutionGate
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.model.page import Affine, Line, mean_confidence
from ocr_worker.model.tasks import Switch

UNIFORM_RANGE = 8
"""Grey levels between the darkest and the lightest pixel of a page that holds nothing at all."""
MOSTLY_DARK = 0.6
"""Of a page: more of it nearer to black than to white makes it white on black."""
UNEVEN_LEVELS = 45
"""Grey levels by which the paper varies over a page that is flattened. Scans of good light vary by 10 to 40."""


def resolution_gates(
    image: GreyImage, languages: tuple[str, ...], hints: Hints
) -> tuple[ResolutionGate, ...]:
    """The ways to read a page smaller, the smallest first: as far as that was measured to read as well in its languages."""
    if image.size[0] * image.size[1] < hints.shrink_from_pixels:
        return ()
    gates = next((one.gates for one in hints.gate_sets if _holds(one.languages, languages)), ())
    if not any(gate.least_ink_px for gate in gates):
        return gates
    ink_px = row_height(image.picture)
    return tuple(gate for gate in gates if ink_px >= gate.least_ink_px)


def _holds(measured: frozenset[str] | None, languages: tuple[str, ...]) -> bool:
    return measured is None or measured.issuperset(languages)


def least_tilt(switch: Switch, hints: Hints) -> float | None:
    """Degrees from which on a page is levelled; None: never."""
    return {"auto": hints.deskew_auto_degrees, "on": hints.deskew_on_degrees, "off": None}[switch]


def is_uniform(image: GreyImage) -> bool:
    """Whether there is nothing to see, not even something faint: anything else is left to the engine to judge."""
    low, high = filters.grey_range(image.picture)
    return high - low <= UNIFORM_RANGE


def dark_on_even_white(image: GreyImage) -> GreyImage:
    """Invert a page that is mostly black, and even out a shadow: one threshold for all of it, as engines take, would lose the darker part."""
    picture, thumbnail = image.picture, filters.thumbnail(image.picture)
    if filters.dark_share(thumbnail) > MOSTLY_DARK:
        picture, thumbnail = filters.invert(picture), filters.invert(thumbnail)
    backdrop = filters.backdrop(thumbnail)
    if filters.unevenness(backdrop) >= UNEVEN_LEVELS:
        picture = filters.flatten(picture, backdrop)
    return replace(image, picture=picture)


def squared(image: GreyImage) -> GreyImage:
    """Letters as they are on paper: engines read those of a fax's oblong pixels badly. See docs/decisions/0203."""
    if image.dpi_down is None:
        return image
    picture = filters.squared(image.picture, image.dpi, image.dpi_down)
    dpi = image.dpi * picture.width / image.picture.width
    return replace(image, picture=picture, dpi=dpi, dpi_down=None)


def shrunk(image: GreyImage, gate: ResolutionGate) -> GreyImage:
    small = filters.shrink(image.picture, gate.across, gate.down, gate.joined)
    return replace(image, picture=small, dpi=image.dpi * gate.down)


def is_doubtful(lines: tuple[Line, ...], hints: Hints) -> bool:
    """Whether the page may be turned: little sense in the words, or most lines not level."""
    confidence = mean_confidence(word for line in lines for word in line.words)
    return confidence is not None and (confidence < hints.doubtful_confidence or not is_level(lines))


def is_level(lines: Iterable[Line]) -> bool:
    """Whether most characters stand in lines that run across the page."""
    level = steep = 0
    for line in lines:
        x0, y0, x1, y1 = line.baseline
        if abs(y1 - y0) > abs(x1 - x0):
            steep += len(line.text)
        else:
            level += len(line.text)
    return level >= steep


def is_better(new: tuple[Line, ...], old: tuple[Line, ...]) -> bool:
    """More sense in it, and not by having read next to nothing. Level lines beat steep ones of the same sense."""
    return _sense(new) > _sense(old)


def _sense(lines: tuple[Line, ...]) -> float:
    words = [word for line in lines for word in line.words]
    sense = sum(len(w.text) * max(0.0, (w.confidence or 0.0) - 30) for w in words)
    return sense if is_level(lines) else sense * 0.9


def rotation_about_centre(size: tuple[int, int], degrees: float) -> Affine:
    """Turn the plane clockwise (y down) about the middle of a bitmap."""
    (width, height), angle = size, math.radians(degrees)
    cos, sin, x, y = math.cos(angle), math.sin(angle), width / 2, height / 2
    return cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y
