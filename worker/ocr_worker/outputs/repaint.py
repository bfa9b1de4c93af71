"""A page's content gives way to its picture: what it looks like stays, its own text is gone."""

from __future__ import annotations

from typing import Any

import pikepdf
from pikepdf import Dictionary

from ocr_worker.outputs.pdf_geometry import rotation, to_user_space, visible_box


def repaint(pdf: pikepdf.Pdf, page: pikepdf.Page, image: Any) -> None:
    """Fill the displayed page with an image of it; annotations and form fields stay."""
    place = to_user_space(visible_box(page), rotation(page), (1, 1))
    numbers = " ".join(f"{value:.6f}" for value in place)
    page.obj.Resources = Dictionary(XObject=Dictionary(OcrSidecarPicture=image))
    page.obj.Contents = pdf.make_stream(f"q {numbers} cm /OcrSidecarPicture Do Q\n".encode("ascii"))
