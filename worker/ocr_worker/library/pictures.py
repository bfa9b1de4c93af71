"""Pictures in memory, as bytes that a page process can read. PIL itself is not imported: whoever has a picture has it."""

from __future__ import annotations

import io
from typing import Any, Protocol

from typing_extensions import Self

from ocr_worker.errors import InvalidParamsError

_TIFF = frozenset({"CMYK", "F", "I", "LAB", "PA", "YCbCr"})
"""Modes that TIFF holds as they are, and PNG not at all."""
_ALIKE = {"HSV": "RGB", "La": "LA", "RGBX": "RGB", "RGBa": "RGBA"}
"""Modes that neither holds, and those that say the same."""

MOST_DPI = 100_000
"""A resolution above it is none."""


class Picture(Protocol):
    """A PIL image."""

    @property
    def mode(self) -> str: ...

    @property
    def info(self) -> dict[Any, Any]: ...

    def save(self, fp: Any, format: str | None = None, **params: Any) -> None:  # noqa: A002  # as PIL names it
        """Write the picture into a stream."""

    def convert(self, mode: str) -> Self:
        """The picture in another mode."""
        ...


def image_bytes(image: object) -> bytes | bytearray | memoryview:
    """The bytes of an image file.

    Args:
        image: such bytes, which are returned as they are, or a PIL image.

    Raises:
        InvalidParamsError: it is neither, or PIL can't save it.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return image
    if not all(hasattr(image, name) for name in ("mode", "info", "save", "convert")):
        kind = type(image).__name__
        raise InvalidParamsError(
            f"image must be a path, bytes or a PIL image, not {kind}.{_way_out(image)}", field="image"
        )
    picture: Any = image
    try:
        return _saved(picture)
    except (OSError, ValueError) as error:
        raise InvalidParamsError(
            f"The PIL image can't be saved to be read: {error}.", field="image"
        ) from error


def _saved(picture: Picture) -> bytes:
    alike = _ALIKE.get(picture.mode)
    stream = io.BytesIO()
    kept = picture.convert(alike) if alike else picture
    kept.save(stream, "TIFF" if picture.mode in _TIFF else "PNG", **_resolution(picture))
    return stream.getvalue()


def _resolution(picture: Picture) -> dict[str, Any]:
    """PIL writes it only where it is told to; what stands there may be anything."""
    try:
        across, down = (float(number) for number in picture.info["dpi"])
    except (KeyError, TypeError, ValueError):
        return {}
    return {"dpi": (across, down)} if 1 <= min(across, down) <= max(across, down) <= MOST_DPI else {}


def _way_out(image: object) -> str:
    if hasattr(image, "read"):
        return " Pass what its read() returns, opened as binary."
    if hasattr(image, "__array_interface__"):
        return " Pass PIL.Image.fromarray(array)."
    return ""
