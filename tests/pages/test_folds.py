"""A page that was folded reads on across its folds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops

from samples import Sample
from samples.scores import score
from tests.pages.desk import Desk


def folded(picture: Image.Image, at: float) -> Image.Image:
    """With a shadow from top to bottom that fades to the right."""
    edge, fade = round(at * picture.width), 0.02 * picture.width
    row = Image.new("L", (picture.width, 1), 255)
    for x in range(edge, picture.width):
        row.putpixel((x, 0), round(255 * (1 - 0.7 * 2 ** (-(x - edge) / fade))))
    return ImageChops.multiply(picture, row.resize(picture.size))


def test_lines_are_not_parted_at_folds(sample: Callable[[str], Sample], desk: Desk, tmp_path: Path) -> None:
    clean = sample("clean")
    with Image.open(clean.path) as picture:
        once = folded(picture.convert("L"), 0.5)
    turned = folded(once.transpose(Image.Transpose.TRANSPOSE), 0.33)
    turned.transpose(Image.Transpose.TRANSPOSE).save(path := tmp_path / "folded.png", dpi=(300, 300))

    assert score(clean.truth, desk.process(path).text).cer < 0.5
