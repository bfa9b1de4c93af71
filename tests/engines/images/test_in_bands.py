"""Large pictures are worked on in bands: what comes of it is the same as of the whole, and takes little beside it."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest
from PIL import Image, ImageChops

from ocr_worker.engines.images import specks
from ocr_worker.engines.images.filters import grey_level
from ocr_worker.engines.images.specks import ERASED_PX, RADIUS_PX

_TAKEN = """
from PIL import Image, ImageMath
from ocr_worker.engines.images import filters, specks

def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

side = 5000
picture = Image.linear_gradient("L").resize((side, side))
thumbnail = picture.reduce(16)
# What both need once, whatever the size of the picture.
specks.without_specks(picture.crop((0, 0, 64, 64)))
filters.flatten_both(picture.crop((0, 0, 64, 64)), thumbnail)
before = peak()
{call}
print((peak() - before) / side**2)
"""


@pytest.mark.parametrize("height", [1, RADIUS_PX, ERASED_PX, ERASED_PX + 1, 2 * ERASED_PX + RADIUS_PX])
def test_specks_between_two_bands_are_erased_and_letters_stay(height: int) -> None:
    dirty = Image.frombytes(
        "L", (90, height), bytes(Random(height).choices((0, 255), (1, 40), k=90 * height))
    )
    # A letter, over the border.
    dirty.paste(0, (40, max(0, ERASED_PX - 9), 44, ERASED_PX + 9))

    clean = specks.without_specks(dirty)

    assert clean.tobytes() == _at_once(dirty).tobytes()
    if height > ERASED_PX:
        assert specks.speck_share(dirty) > 0
        assert clean.getpixel((42, ERASED_PX)) == 0


def _at_once(picture: Image.Image) -> Image.Image:
    return ImageChops.lighter(picture, specks._specks(picture, grey_level(picture, 0.5)))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize(
    ("call", "most"),
    [
        # The result, and bands: all at once it took 3.0.
        ("specks.without_specks(picture)", 2.0),
        # The ink, what is light of it, and where: it took 4.4.
        ("filters.flatten_both(picture, thumbnail)", 3.6),
    ],
)
def test_it_takes_little_beside_the_picture(call: str, most: float) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _TAKEN.format(call=call)], capture_output=True, text=True, check=True
    ).stdout

    assert 0.9 < float(said) < most
