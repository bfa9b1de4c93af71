"""What a PDF says of itself, after it was changed: when, and nothing that no longer holds."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import PurePath
from typing import Any

import pikepdf
from pikepdf import Dictionary

PRODUCER = "OCR Sidecar"
_XMP_DATES = re.compile(
    rb"(<xmp:(?:ModifyDate|MetadataDate)(?:\s[^>]*)?>|\bxmp:(?:ModifyDate|MetadataDate)\s*=\s*[\"'])[^<\"']*(?=[<\"'])"
)
_MOST_XMP_BYTES = 8 << 20


def agreed_moment() -> datetime | None:
    """The time that outputs are to bear, so that all makings of one are alike; None where nobody asks for that.

    Source: SOURCE_DATE_EPOCH of reproducible-builds.org.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (
        datetime.fromtimestamp(int(text), timezone.utc)
        if text.isascii() and text.isdigit() and len(text) < 12
        else None
    )


def mark_modified(pdf: pikepdf.Pdf, now: datetime) -> None:
    """Move the dates, here and in the XMP, and drop a search index of the text as it was."""
    is_in_xmp = _move_xmp_dates(pdf, now)
    # What is damaged stays as it is.
    with suppress(pikepdf.PdfError, AttributeError, TypeError, ValueError):
        # In a PDF/A each date stands in both places or in none.
        if is_in_xmp is not False or "/ModDate" in pdf.docinfo:
            pdf.docinfo["/ModDate"] = _pdf_date(now)
    pieces: Any = pdf.Root.get("/PieceInfo")
    if isinstance(pieces, Dictionary) and "/SearchIndex" in pieces:
        del pieces["/SearchIndex"]
        if not pieces:
            del pdf.Root["/PieceInfo"]


def describe_new(pdf: pikepdf.Pdf, source: PurePath, now: datetime) -> None:
    """Of a PDF that was made from a picture."""
    title = source.stem.encode("utf-8", "replace").decode("utf-8")
    pdf.docinfo["/Title"], pdf.docinfo["/Producer"] = title, PRODUCER
    pdf.docinfo["/CreationDate"] = pdf.docinfo["/ModDate"] = _pdf_date(now)


def drop_thumbnail(page: pikepdf.Page) -> None:
    """It shows the page as it was."""
    if "/Thumb" in page.obj:
        del page.obj["/Thumb"]


def _move_xmp_dates(pdf: pikepdf.Pdf, now: datetime) -> bool | None:
    """Whether there were any; None without XMP. Only the dates are touched: the rest may be of a kind that no library keeps."""
    packet: Any = pdf.Root.get("/Metadata")
    if not isinstance(packet, pikepdf.Stream):
        return None
    try:
        content = packet.read_bytes()
    except (pikepdf.PdfError, RuntimeError):
        return False
    if len(content) > _MOST_XMP_BYTES:
        return False
    date = now.isoformat(timespec="seconds").encode("ascii")
    moved, count = _XMP_DATES.subn(lambda found: found[1] + date, content)
    if count:
        packet.write(moved)
    return b"xmp:ModifyDate" in content


def _pdf_date(moment: datetime) -> str:
    offset = moment.strftime("%z") or "+0000"
    return f"D:{moment:%Y%m%d%H%M%S}{offset[:3]}'{offset[3:5]}'"
