"""A line is scaled as Leptonica scales it, pixel for pixel, and put into even light as Tesseract does."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np
import tesserocr

from ocr_worker.engines.ocr.lines.crops import WIDEST_PX, Pixels, evened, scaled

HEIGHT = 36


def pixels(width: int, height: int) -> Pixels:
    return np.random.default_rng(width * height).integers(0, 256, (height, width), np.uint8)


@pytest.fixture(scope="module")
def leptonica() -> ctypes.CDLL:
    home = Path(tesserocr.__file__).parent.parent / "tesserocr.libs"
    file = next(home.glob("libleptonica*"), None)
    if file is None:
        pytest.skip("needs a tesserocr that brings Leptonica")
    library = ctypes.CDLL(str(file))
    library.pixCreate.restype = library.pixScale.restype = ctypes.c_void_p
    library.pixScale.argtypes = (ctypes.c_void_p, ctypes.c_float, ctypes.c_float)
    library.pixGetData.restype = ctypes.POINTER(ctypes.c_uint32)
    for name in ("pixGetData", "pixGetWpl", "pixGetWidth", "pixGetHeight"):
        getattr(library, name).argtypes = (ctypes.c_void_p,)
    return library


def by_leptonica(library: ctypes.CDLL, picture: Pixels) -> Pixels:
    height, width = picture.shape
    image = library.pixCreate(width, height, 8)
    words(library, image)[:, :width] = picture
    factor = np.float32(HEIGHT) / np.float32(height)
    made = library.pixScale(image, factor, factor)
    # Each word of four pixels is a number of the machine's, the first pixel its highest byte.
    return words(library, made)[:, : library.pixGetWidth(made)]


class _Swapped:
    """Rows of pixels in Leptonica's words."""

    def __init__(self, raw: Pixels) -> None:
        self.raw = raw

    def __setitem__(self, at: tuple[slice, slice], values: Pixels) -> None:
        padded = np.zeros_like(self.raw)
        padded[:, : values.shape[1]] = values
        self.raw[:] = padded.reshape(len(padded), -1, 4)[:, :, ::-1].reshape(padded.shape)

    def __getitem__(self, at: tuple[slice, slice]) -> Pixels:
        return np.ascontiguousarray(
            self.raw.reshape(len(self.raw), -1, 4)[:, :, ::-1].reshape(self.raw.shape)[at]
        )


def words(library: ctypes.CDLL, image: int) -> _Swapped:
    height, per_row = library.pixGetHeight(image), library.pixGetWpl(image)
    content = np.ctypeslib.as_array(library.pixGetData(image), (height, per_row))
    return _Swapped(content.view(np.uint8))


@pytest.mark.parametrize("height", [12, 20, 24, 25, 28, 31, 35, 36, 37, 44, 51, 52, 60, 97, 180, 240])
def test_a_line_is_scaled_as_leptonica_scales_it(height: int, leptonica: ctypes.CDLL) -> None:
    picture = pixels(7 * height, height)

    made = scaled(picture, HEIGHT)

    assert made is not None
    expected = by_leptonica(leptonica, picture)
    assert made.shape == expected.shape == (HEIGHT, expected.shape[1])
    assert np.array_equal(made, expected)


def test_what_leaves_nothing_or_too_much_is_no_line() -> None:
    assert scaled(pixels(1, 400), HEIGHT) is None
    assert scaled(pixels(WIDEST_PX, 20), HEIGHT) is None


def test_ink_is_black_and_paper_white_in_any_light() -> None:
    row = np.tile(np.array([200, 200, 90, 80, 90, 200], np.uint8), 20)
    line = np.tile(row, (HEIGHT, 1))

    even, darker = evened(line), evened(line // 2)

    assert even.min() < -0.95
    assert even.max() > 0.95
    assert np.abs(even - darker).max() < 0.05
    assert np.ptp(evened(np.full((HEIGHT, 50), 128, np.uint8))) == 0
