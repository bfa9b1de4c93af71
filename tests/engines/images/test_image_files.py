"""Images of every make become one grey bitmap, dark on light, right side up."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from ocr_worker.engines.images import filters, headers, image_files
from ocr_worker.errors import TooLargeError
from tests.faults import pictures as made


def _grey(path: Path, kind: str) -> Image.Image:
    with image_files.opened(path, kind, 10**8) as image:
        return image_files.read_grey(image, path).picture


def _at(picture: Image.Image, x: int, y: int) -> float:
    value = picture.getpixel((x, y))
    assert isinstance(value, (int, float))
    return value


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tiff", "webp"])
def test_exif_orientation_is_applied_once(orientation: int, kind: str, tmp_path: Path) -> None:
    upright = _marked()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{kind}"
    made.undone(upright, orientation).save(path, exif=exif, lossless=True)

    assert _grey(path, kind).tobytes() == upright.tobytes()


def test_orientation_of_a_packed_tiff_is_applied_once(tmp_path: Path) -> None:
    made.undone(_marked(), 6).convert("1").save(
        tmp_path / "a.tif", compression="group4", tiffinfo={0x0112: 6}
    )

    assert _grey(tmp_path / "a.tif", "tiff").tobytes() == _marked().tobytes()


def test_each_frame_of_a_tiff_has_its_own_orientation(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(made.one_turned_frame())

    with image_files.opened(tmp_path / "a.tif", "tiff", 10**8) as image:
        image_files.select_page(image, tmp_path / "a.tif", 3, 10**8)
        grey = image_files.read_grey(image, tmp_path / "a.tif").picture

    assert grey.tobytes() == made.sheet("Third").tobytes()


def _marked() -> Image.Image:
    upright = Image.new("L", (80, 40), 255)
    upright.paste(0, (0, 0, 20, 20))
    return upright


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    deep = Image.frombytes("I;16", (3, 1), b"\x00\x00\x00\x80\xff\xff")
    deep.save(tmp_path / "a.png")

    grey = _grey(tmp_path / "a.png", "png")

    assert [_at(grey, x, 0) for x in range(3)] == pytest.approx([0, 127, 255], abs=2)


def test_dark_text_on_clear_lies_on_white_and_white_text_on_dark(tmp_path: Path) -> None:
    for value, ground in ((0, 255), (255, 0)):
        picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        picture.paste((value, value, value, 255), (10, 10, 20, 20))
        picture.save(tmp_path / "a.png")

        grey = _grey(tmp_path / "a.png", "png")

        assert (_at(grey, 0, 0), _at(grey, 15, 15)) == (ground, value)


def test_inverted_inks_of_adobe_have_the_right_polarity(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(made.cmyk_jpeg())

    grey = _grey(tmp_path / "a.jpg", "jpeg")

    assert _at(grey, 1, 1) > 200


def test_a_palette_with_transparency_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(made.clear_palette())

    assert filters.grey_range(_grey(tmp_path / "a.png", "png"))[1] > 200


@pytest.mark.parametrize(
    ("stated", "expected", "estimated"),
    [
        ((300, 300), (300.0, 300.0), False),
        ((204, 98), (204.0, 98.0), False),
        (None, (171.0, 171.0), True),
        ((1, 1), (171.0, 171.0), True),
        ((10**6, 10**6), (171.0, 171.0), True),
        ((2400, 75), (171.0, 171.0), True),
    ],
)
def test_resolution_is_what_the_file_says_if_that_is_sane(
    stated: tuple[int, int] | None, expected: tuple[float, float], *, estimated: bool, tmp_path: Path
) -> None:
    page = Image.new("L", (1400, 2000), 255)
    page.save(tmp_path / "a.tif", dpi=stated) if stated else page.save(tmp_path / "a.tif")

    with image_files.opened(tmp_path / "a.tif", "tiff", 10**8) as image:
        found, guessed = headers.resolution(image)

    assert found == pytest.approx(expected, abs=0.5)
    assert guessed is estimated


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(made.huge_png(30_000, 30_000))

    with (
        pytest.raises(TooLargeError, match="30000 x 30000"),
        image_files.opened(tmp_path / "bomb.png", "png", 250_000_000),
    ):
        pass


def test_a_side_that_is_too_long_is_scaled_down() -> None:
    strip = Image.new("L", (40_000, 10), 255)

    assert filters.fit(strip, 32_767).size == (32_767, 8)


def test_oblong_pixels_become_square_ones_but_never_too_many_of_them() -> None:
    assert filters.squared(Image.new("L", (204, 98)), 204, 98).size == (204, 204)
    assert filters.squared(Image.new("L", (98, 204)), 98, 204).size == (204, 204)
    assert filters.squared(Image.new("1", (20_400, 9_800)), 204, 98).size == (9_800, 9_800)
