"""Geometry of a PDF page: boxes, /Rotate, /UserUnit, and matrices between pixels and user space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pikepdf

from ocr_worker.model.page import Affine

DEFAULT_BOX = (0.0, 0.0, 612.0, 792.0)
_ROUNDING = 1e-4
_LARGEST_TURN = 2**31 - 1


def user_unit(page: pikepdf.Page) -> float:
    """The size of the page's unit in points: 1 but for very large sheets."""
    try:
        unit = float(page.obj.get("/UserUnit", 1))
    except (TypeError, ValueError, pikepdf.PdfError):
        return 1.0
    return unit if 0 < unit <= 75_000 else 1.0


def visible_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """The part of the sheet that is displayed: the crop box within the media box, made sane as PDFium does."""
    media = _box(page, "mediabox") or DEFAULT_BOX
    crop = _box(page, "cropbox") or media
    inner = max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])
    return inner if inner[0] < inner[2] and inner[1] < inner[3] else media


def are_alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two boxes are one, but for rounding: PDFium counts in single precision."""
    slack = _ROUNDING * max(1.0, *map(abs, one), *map(abs, other))
    return all(abs(mine - its) <= slack for mine, its in zip(one, other, strict=True))


def _box(page: pikepdf.Page, name: str) -> tuple[float, float, float, float] | None:
    try:
        x0, y0, x1, y1 = (float(value) for value in getattr(page, name))
    except (TypeError, ValueError, AttributeError, KeyError, RuntimeError, pikepdf.PdfError):
        return None
    box = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    return box if box[0] < box[2] and box[1] < box[3] else None


def rotation(page: pikepdf.Page) -> int:
    """/Rotate of the page, inherited or its own, as 0, 90, 180 or 270; of other angles what PDFium makes of them."""
    node: Any = page.obj
    for _ in range(50):
        if "/Rotate" in node or not isinstance(node.get("/Parent"), pikepdf.Dictionary):
            break
        node = node["/Parent"]
    try:
        turn = int(float(node.get("/Rotate", 0)))
        return int(turn / 90) % 4 * 90 if abs(turn) <= _LARGEST_TURN else 0
    except (TypeError, ValueError, OverflowError):
        return 0


def to_user_space(box: tuple[float, float, float, float], turn: int, size: tuple[float, float]) -> Affine:
    """From a displayed frame of `size`, y upwards, to the user space of a page that is displayed turned by `turn`."""
    (x0, y0, x1, y1), (width, height) = box, size
    across, up = x1 - x0, y1 - y0
    if turn == 90:
        return 0, up / width, -across / height, 0, x1, y0
    if turn == 180:
        return -across / width, 0, 0, -up / height, x1, y1
    if turn == 270:
        return 0, -up / width, across / height, 0, x0, y1
    return across / width, 0, 0, up / height, x0, y0


def to_displayed(box: tuple[float, float, float, float], turn: int, size: tuple[int, int]) -> Affine:
    """From user space to pixels of the displayed frame, y downwards: the way back of `to_user_space`."""
    a, b, c, d, e, f = to_user_space(box, turn, size)
    area = a * d - b * c
    a, b, c, d, e, f = (
        d / area,
        -b / area,
        -c / area,
        a / area,
        (c * f - d * e) / area,
        (b * e - a * f) / area,
    )
    return a, -b, c, -d, e, size[1] - f
