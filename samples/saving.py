"""Images as files: PNG, JPEG, TIFF with a frame a page (1-bit G4 or grey), PDF with an image a page."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import img2pdf
import pikepdf
from PIL import Image

from samples import drawing
from samples.sheets import A4, Sheet


def save_image(image: Image.Image, path: Path, dpi: int) -> None:
    """Save one page; the suffix says as what. JPEG as a cheap scanner would write it."""
    if path.suffix == ".jpg":
        image.save(path, dpi=(dpi, dpi), quality=55)
    else:
        image.save(path, dpi=(dpi, dpi))


def save_tiff(images: Sequence[Image.Image], path: Path, dpi: int) -> None:
    """Save a frame a page: black and white ones as fax machines do (G4), grey ones deflated."""
    compression = "group4" if images[0].mode == "1" else "tiff_adobe_deflate"
    images[0].save(path, save_all=True, append_images=images[1:], compression=compression, dpi=(dpi, dpi))


def save_scan_pdf(images: Sequence[Image.Image], path: Path, dpi: int) -> None:
    """Save a PDF of one image a page at its true size, without dates: grey as JPEG, black and white as PNG."""
    encoded = []
    for image in images:
        buffer = BytesIO()
        if image.mode == "1":
            image.save(buffer, "PNG", dpi=(dpi, dpi))
        else:
            image.save(buffer, "JPEG", quality=75, dpi=(dpi, dpi))
        encoded.append(buffer.getvalue())
    producer = "ocr-sidecar samples"
    path.write_bytes(img2pdf.convert(encoded, engine=img2pdf.Engine.internal, nodate=True, producer=producer))


def save_mixed(text: Sheet, scan: Image.Image, path: Path, dpi: int) -> None:
    """Save a text page, a scanned page and a blank one, with all that must survive: bookmarks, link, labels, attachment."""
    pdf = drawing.pdf_of([text])
    scanned = BytesIO()
    scan.save(scanned, "PDF", resolution=dpi)
    with pikepdf.open(scanned) as source:
        pdf.pages.extend(source.pages)
    pdf.add_blank_page(page_size=A4)
    _adorn(pdf)
    pdf.save(path, deterministic_id=True)


def _adorn(pdf: pikepdf.Pdf) -> None:
    with pdf.open_outline() as outline:
        outline.root.extend(
            [pikepdf.OutlineItem("Text", 0), pikepdf.OutlineItem("Scan", 1), pikepdf.OutlineItem("Blank", 2)]
        )
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=[70, 760, 200, 780],
        Border=[0, 0, 0],
        Dest=[pdf.pages[1].obj, pikepdf.Name.Fit],
    )
    pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(link)]))
    pdf.Root.PageLabels = pikepdf.Dictionary(Nums=[0, pikepdf.Dictionary(S=pikepdf.Name.r)])
    pdf.attachments["note.txt"] = pikepdf.AttachedFileSpec(
        pdf,
        b"Attached by the sample's maker.\n",
        description="A note",
        filename="note.txt",
        mime_type="text/plain",
        creation_date="D:20260101000000Z",
        mod_date="D:20260101000000Z",
    )
    pdf.docinfo["/Title"], pdf.docinfo["/Author"] = "A mixed document", "ocr-sidecar samples"
