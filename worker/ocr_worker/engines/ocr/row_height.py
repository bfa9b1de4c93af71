"""Estimate how high the lines of a page are from its ink alone, without a layout analysis."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PIL import Image

from ocr_worker.engines.images import filters

STRIPS = 12
"""Side by side, at most, each so narrow that a tilted line stays clear of the next one."""
LEAST_INK = 0.03
"""Of the page's contrast: what darkens a strip's row by more is ink. Grain averages out to less."""
LEAST_RUNS = 24
"""Fewer rows of ink tell of no print."""
_RUN = re.compile(rb"\x01{4,}")
"""Thinner ones are rules and specks."""
USUAL_RUN = 0.7
"""As many of the runs are no higher than this one: a shorter one is of words without high and deep letters."""
SMALL_RUN = 0.5
"""Of the usual one: 0 to 0.11 of the runs of a page of one print are lower, and 0.3 to 0.6 of one with small print beside large."""
STOP_RUN = 0.2
"""A full stop's, beside the usual one."""
MANY = 0.15
ROW_OF_RUN = 1.25
"""A strip is too narrow to hold the highest and the deepest letters of each line."""


def row_height(picture: Image.Image) -> float:
    """Pixels from the deepest descender to the highest ascender of the usual line, of the smaller ones where there are two kinds, a little less rather than more; 0 where it can't be told."""
    runs = sorted(_runs(picture))
    if len(runs) < LEAST_RUNS:
        return 0.0
    usual = runs[int(USUAL_RUN * len(runs))]
    small = [run for run in runs if STOP_RUN * usual < run < SMALL_RUN * usual]
    if len(small) > MANY * len(runs):
        usual = small[int(USUAL_RUN * len(small))]
    return ROW_OF_RUN * usual


def _runs(picture: Image.Image) -> Iterator[int]:
    """The heights of unbroken ink, strip by strip."""
    darkest, _ = filters.grey_range(picture)
    strips = picture.reduce((-(-picture.width // STRIPS), 1))
    for at in range(strips.width):
        strip = strips.crop((at, 0, at + 1, strips.height))
        paper = filters.grey_level(strip, 0.9)
        ink = paper - max(3.0, (paper - darkest) * LEAST_INK)
        rows = strip.tobytes().translate(bytes(level < ink for level in range(256)))
        yield from map(len, _RUN.findall(rows))
