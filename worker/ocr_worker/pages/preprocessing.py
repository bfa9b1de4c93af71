"""What is done to a bitmap, and to what was read from it, for better reading. Nothing that costs much without a gain."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.model.page import Affine, Line, mean_confidence
from ocr_worker.model.tasks import Switch

UNIFORM_RANGE = 8
"""Grey levels between the darkest and the lightest pixel of a page that holds nothing at all."""
DOUBTFUL_CONFIDENCE = 65.0
MOSTLY_DARK = 0.6
"""Of a page: more of it nearer to black than to white makes it white on black."""
UNEVEN_LEVELS = 45
"""Grey levels by which the paper varies over a page that is flattened. Scans of good light vary by 10 to 40."""
LARGE_PIXELS = 2_400_000
"""A card, a receipt or a small page has fewer: it is never shrunk."""
MEASURED_LANGUAGES = frozenset({"eng", "deu"})
DESKEW_FROM_DEGREES: dict[Switch, float | None] = {"auto": 1.0, "on": 0.1, "off": None}


@dataclass(frozen=True, slots=True)
class ResolutionGate:
    """A large page is read from a bitmap that is smaller by these factors where lines are still so high in it.

    Small print stays as it is. See docs/performance.md.
    """

    across: float
    """Smaller than `down`: the LSTM's time goes with the length of lines, and it reads narrow letters as well."""
    down: float
    least_row_px: float
    joined: tuple[int, int] = (1, 1)
    """So many columns and rows become one before the rest is done bilinearly: fewer slips, in less time, where letters become narrow."""


TALL = ResolutionGate(0.33, 0.38, 20, (2, 2))
TALL_INK_PX = 48
"""Lines this high by their ink are likely to be high enough: a layout takes too long to be searched for in vain."""
NARROW = ResolutionGate(0.42, 1 / 2, 20, (1, 2))
HALF = ResolutionGate(1 / 2, 1 / 2, 17)
UNMEASURED = ResolutionGate(2 / 3, 2 / 3, 25)


def resolution_gates(image: GreyImage, languages: tuple[str, ...]) -> tuple[ResolutionGate, ...]:
    """The ways to read a page smaller, the smallest first: as far as that was measured to read as well in its languages."""
    if image.size[0] * image.size[1] < LARGE_PIXELS:
        return ()
    if not MEASURED_LANGUAGES.issuperset(languages):
        return (UNMEASURED,)
    if languages != ("eng",):
        return (HALF,)
    return (TALL, NARROW, HALF) if row_height(image.picture) >= TALL_INK_PX else (NARROW, HALF)


def is_uniform(image: GreyImage) -> bool:
    """Whether there is nothing to see, not even something faint: anything else is left to the engine to judge."""
    low, high = filters.grey_range(image.picture)
    return high - low <= UNIFORM_RANGE


def dark_on_even_white(image: GreyImage) -> GreyImage:
    """Invert a page that is mostly black, and even out a shadow: one threshold for all of it, as Tesseract takes, would lose the darker part."""
    picture, thumbnail = image.picture, filters.thumbnail(image.picture)
    if filters.dark_share(thumbnail) > MOSTLY_DARK:
        picture, thumbnail = filters.invert(picture), filters.invert(thumbnail)
    backdrop = filters.backdrop(thumbnail)
    if filters.unevenness(backdrop) >= UNEVEN_LEVELS:
        picture = filters.flatten(picture, backdrop)
    return replace(image, picture=picture)


def squared(image: GreyImage) -> GreyImage:
    """Letters as they are on paper: Tesseract reads those of a fax's oblong pixels badly. See docs/decisions/0203."""
    if image.dpi_down is None:
        return image
    picture = filters.squared(image.picture, image.dpi, image.dpi_down)
    dpi = image.dpi * picture.width / image.picture.width
    return replace(image, picture=picture, dpi=dpi, dpi_down=None)


def shrunk(image: GreyImage, gate: ResolutionGate) -> GreyImage:
    small = filters.shrink(image.picture, gate.across, gate.down, gate.joined)
    return replace(image, picture=small, dpi=image.dpi * gate.down)


def is_doubtful(lines: tuple[Line, ...]) -> bool:
    """Whether the page may be turned: little sense in the words, or most lines not level."""
    confidence = mean_confidence(word for line in lines for word in line.words)
    return confidence is not None and (confidence < DOUBTFUL_CONFIDENCE or not is_level(lines))


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
