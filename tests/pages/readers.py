"""The text of a PDF as three readers that are not ours see it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pypdf
import pypdfium2

from tests.limits import HANG_SECONDS


def pdfium_text(path: Path, password: str | None = None) -> str:
    document = pypdfium2.PdfDocument(path, password=password)
    return "\f".join(page.get_textpage().get_text_range() for page in document)


def pypdf_text(path: Path) -> str:
    return "\f".join(page.extract_text() for page in pypdf.PdfReader(path).pages)


def poppler_text(path: Path) -> str:
    command = ["pdftotext", "-q", "-raw", str(path), "-"]
    return subprocess.run(command, capture_output=True, check=True, timeout=HANG_SECONDS).stdout.decode(
        "utf-8"
    )


def words(text: str) -> list[str]:
    return text.replace("\ufffe", "-").split()
