"""Which way the ink of a picture stands out from its ground, and whether one threshold for all of it parts the two: told tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import sub

from PIL import Image, ImageChops, ImageFilter

_Pick = Callable[[Image.Image, Image.Image], Image.Image]
TILE = 32
"""Pixels of the measured picture: a line and what is about it."""
FULL_SIDE_PX = 1000
"""A picture whose sides are this long is measured at half its size: fine noise averages out."""
FAINTEST = 12
"""Grey levels within a tile that holds ink."""
OF_STRONGEST = 0.4
"""Contrast beside that of the strongest tiles: as much is ink too, however light its ground is."""
OF_GROUND = 0.3
"""Or contrast beside the tile's lightest pixel: ink takes its share of the light in shadow as well."""
IN_SHADOW = 0.12
"""But so much of that of the strongest at least: the grain of a black scanner bed is none."""
GROUND = 0.35
"""Of a tile's range: its mean is so near to the one end where the other is ink."""
PARTED = 0.15
"""Of a tile's range: a threshold nearer to one end of it thins the letters or runs them together."""


@dataclass(frozen=True, slots=True)
class Tones:
    tiles: int = 0
    """That hold ink."""
    light: float = 0.0
    """Share of them whose ink is lighter than its ground."""
    lost: float = 0.0
    """Share of them whose ink one threshold for the whole picture would not part from its ground."""
    threshold: int = 0
    """That one."""


def look(picture: Image.Image) -> Tones:
    near = picture.reduce(2) if min(picture.size) >= FULL_SIDE_PX else picture
    width, height = (side - side % TILE for side in near.size)
    if not width or not height:
        return Tones()
    threshold = otsu(near.histogram())
    near = near.crop((0, 0, width, height))
    # The thresholds were found with tiles that lie so.
    moved = ImageChops.offset(near, 1 - TILE, 1 - TILE)
    low, high = _blocks(moved, ImageChops.darker), _blocks(moved, ImageChops.lighter)
    bottoms, tops = low.tobytes(), high.tobytes()
    contrasts = list(map(sub, tops, bottoms))
    strongest = sorted(contrasts)[int(0.95 * len(contrasts))]
    floors = low.filter(ImageFilter.MinFilter(3)).tobytes()
    ceilings = high.filter(ImageFilter.MaxFilter(3)).tobytes()
    means = near.reduce(TILE).filter(ImageFilter.BoxBlur(1)).tobytes()
    inked = dark = light = lost = 0
    for at, contrast in enumerate(contrasts):
        # Most tiles hold nothing.
        if contrast < FAINTEST:
            continue
        in_shadow = max(OF_GROUND * tops[at], IN_SHADOW * strongest)
        if contrast < min(OF_STRONGEST * strongest, in_shadow):
            continue
        inked += 1
        lost += not bottoms[at] + PARTED * contrast <= threshold <= tops[at] - PARTED * contrast
        ground = (means[at] - floors[at]) / max(1, ceilings[at] - floors[at])
        dark += ground > 1 - GROUND
        light += ground < GROUND
    return Tones(inked, light / max(1, dark + light), lost / max(1, inked), threshold)


def otsu(counts: list[int]) -> int:
    """The threshold that parts a histogram into the two most even classes, by Otsu's method; in the middle where several do."""
    total, sum_ = sum(counts), sum(level * count for level, count in enumerate(counts))
    below = sum_below = 0
    best, first, last = -1.0, 0, 0
    for level, count in enumerate(counts):
        below += count
        sum_below += level * count
        above = total - below
        if not below or not above:
            continue
        spread = below * above * (sum_below / below - (sum_ - sum_below) / above) ** 2
        if spread > best:
            best, first, last = spread, level, level
        elif spread == best:
            last = level
    return (first + last) // 2


def _blocks(picture: Image.Image, pick: _Pick) -> Image.Image:
    """The darkest or lightest pixel of each tile."""
    across = _joined(picture, pick).transpose(Image.Transpose.TRANSPOSE)
    return _joined(across, pick).transpose(Image.Transpose.TRANSPOSE)


def _joined(picture: Image.Image, pick: _Pick) -> Image.Image:
    """Of each tile's rows one, with the darkest or lightest pixel of each column."""
    width, rows = picture.width * TILE, picture.height // TILE
    # The rows of a tile as one, halved again and again, and the halves laid on each other.
    folded = Image.frombytes("L", (width, rows), picture.tobytes())
    while width > picture.width:
        width //= 2
        folded = pick(folded.crop((0, 0, width, rows)), folded.crop((width, 0, 2 * width, rows)))
    return folded
