"""How high a page's lines are, by its ink alone: for an engine that tells no layout before it has read the page."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from itertools import groupby

from PIL import Image

from ocr_worker.engines.pixels import grey_range

STRIPS = 12
"""Side by side, each so narrow that a tilted line stays clear of the next one."""
LEAST_INK = 0.03
"""Of the page's contrast: what darkens a strip's row by more is ink. Grain averages out to less."""
LEAST_RUNS = 24
"""Fewer rows of ink tell of no print."""
LEAST_RUN_PX = 4
"""Thinner ones are rules and specks."""
ROW_OF_RUN = 1.25
"""A strip is too narrow to hold the highest and the deepest letters of each line."""


def row_height(picture: Image.Image) -> float:
    """Pixels from the deepest descender to the highest ascender of the median line, a little less rather than more; 0 where it can't be told."""
    runs = list(_runs(picture))
    return ROW_OF_RUN * statistics.median(runs) if len(runs) >= LEAST_RUNS else 0.0


def _runs(picture: Image.Image) -> Iterator[int]:
    """The heights of unbroken ink, strip by strip."""
    height, (darkest, _) = picture.height, grey_range(picture)
    rows = picture.resize((STRIPS, height), Image.Resampling.BOX).tobytes()
    for strip in (rows[start::STRIPS] for start in range(STRIPS)):
        paper = sorted(strip)[height * 9 // 10]
        ink = paper - max(3.0, (paper - darkest) * LEAST_INK)
        runs = ((is_ink, sum(1 for _ in run)) for is_ink, run in groupby(strip, ink.__gt__))
        yield from (length for is_ink, length in runs if is_ink and length >= LEAST_RUN_PX)
