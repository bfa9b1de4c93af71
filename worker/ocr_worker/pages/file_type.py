"""What kind of file it is, by its first bytes and an allow-list; names are only compared, never believed."""

from __future__ import annotations

import re
from pathlib import Path

from ocr_worker.errors import UnsupportedTypeError

HEAD_BYTES = 1 << 16
_NEAR_BYTES = 1024
"""Here alone a mention of PDF is enough."""
_FAR_PDF = re.compile(rb"%PDF-\d\.\d.{0,1024}?\d+ \d+ obj\b", re.DOTALL)
"""Behind a mail's head, or what a server said before it; qpdf and poppler look as far."""
_HEADLESS_PDF = re.compile(rb"\s*(?:%[^\r\n]*[\r\n]\s*)*\d+ \d+ obj\b")
_PS_NAMED_PDF = re.compile(rb"%!PS-Adobe-\d+\.\d+ PDF-\d+\.\d+")
"""How old programs begin one: viewers take it."""
_CONTAINERS = (
    b"PK\3\4",
    b"\x1f\x8b",
    b"MZ",
    b"\x7fELF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\xd0\xcf\x11\xe0",
    b"%!PS",
    b"\xc5\xd0\xd3\xc6",
    b"%FDF",
)
"""What may have PDFs in it, and is none."""
_FURTHEST_JPEG = 32
"""A line end or a stray header before it, which viewers pass over; further in it may be a preview of something else."""
_EXTENSIONS = {
    "pdf": {".pdf"},
    "png": {".png", ".apng"},
    "jpeg": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "tiff": {".tif", ".tiff"},
    "bmp": {".bmp", ".dib"},
    "gif": {".gif"},
    "webp": {".webp"},
    "pnm": {".pnm", ".pbm", ".pgm", ".ppm"},
}
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"BM": "bmp",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
}


def sniff(head: bytes, path: Path) -> str:
    """pdf, png, jpeg, tiff, bmp, gif, webp or pnm. Raises UnsupportedTypeError."""
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return "pnm"
    if _is_pdf(head):
        return "pdf"
    if b"\xff\xd8\xff" in head[:_FURTHEST_JPEG]:
        return "jpeg"
    known = ", ".join(_EXTENSIONS)
    raise UnsupportedTypeError(
        f"{path.name} is none of the supported types ({known}) by its content; convert it first"
    )


def _is_pdf(head: bytes) -> bool:
    if _PS_NAMED_PDF.match(head):
        return True
    if head.startswith(_CONTAINERS) or head[257:262] == b"ustar":
        return False
    near = b"%PDF" in head[:_NEAR_BYTES]
    return near or bool(_HEADLESS_PDF.match(head[:_NEAR_BYTES]) or _FAR_PDF.search(head))


def extension_warnings(kind: str, path: Path) -> tuple[str, ...]:
    suffix = path.suffix.lower()
    if suffix in _EXTENSIONS[kind] or suffix not in {s for known in _EXTENSIONS.values() for s in known}:
        return ()
    return (f"The name says {suffix[1:]}, the content is {kind}: it was read as {kind}",)
