"""How far a page is from level, by its ink alone: for pages whose lines no layout search finds."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter

LONGEST_PX = 640
"""Side of the small picture that is turned about: a line of small print is still two pixels high."""
STEEPEST_DEGREES = 22.0
STRIPS = 4
"""Side by side, so that lines need not be level over the whole page to show."""
OUTSTANDING = 1.25
"""How much clearer the rows must stand apart at the best angle than they do at most."""


def ink_tilt(picture: Image.Image) -> float:
    """Degrees clockwise by which the rows of ink lie askew; 0 where none stand out."""
    ink = _ink(picture)
    coarse = {degrees: _clarity(ink, degrees) for degrees in _range(0, STEEPEST_DEGREES, 1.0)}
    best = max(coarse, key=coarse.__getitem__)
    usual = sorted(coarse.values())[len(coarse) // 2]
    if coarse[best] < OUTSTANDING * usual or abs(best) >= STEEPEST_DEGREES:
        return 0.0
    return max(_range(best, 0.8, 0.2), key=lambda degrees: _clarity(ink, degrees))


def _ink(picture: Image.Image) -> Image.Image:
    """Light on black, whichever way it was."""
    cells = picture.reduce(max(1, -(-max(picture.size) // LONGEST_PX)))
    ground = cells.filter(ImageFilter.BoxBlur(8))
    return ImageChops.difference(cells, ground)


def _clarity(ink: Image.Image, degrees: float) -> float:
    """How much each row of pixels differs from the next once the picture is turned back."""
    level = ink.rotate(degrees, Image.Resampling.NEAREST, expand=True)
    strips = level.resize((STRIPS, level.height), Image.Resampling.BOX).tobytes()
    return float(sum((one - next_) ** 2 for one, next_ in zip(strips, strips[STRIPS:], strict=False)))


def _range(middle: float, reach: float, step: float) -> list[float]:
    count = round(reach / step)
    return [middle + step * number for number in range(-count, count + 1)]
