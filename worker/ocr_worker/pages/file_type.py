"""What kind of file it is, by its first bytes and an allow-list; names are only compared, never believed."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.errors import UnsupportedTypeError

HEAD_BYTES = 1024
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
    if b"%PDF" in head[:HEAD_BYTES] and not head.startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
        return "pdf"
    if b"\xff\xd8\xff" in head[:_FURTHEST_JPEG]:
        return "jpeg"
    known = ", ".join(_EXTENSIONS)
    raise UnsupportedTypeError(
        f"{path.name} is none of the supported types ({known}) by its content; convert it first"
    )


def extension_warnings(kind: str, path: Path) -> tuple[str, ...]:
    suffix = path.suffix.lower()
    if suffix in _EXTENSIONS[kind] or suffix not in {s for known in _EXTENSIONS.values() for s in known}:
        return ()
    return (f"The name says {suffix[1:]}, the content is {kind}: it was read as {kind}",)
