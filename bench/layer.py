"""The text layer of a PDF, as a reader that is not ours finds it."""

from __future__ import annotations

from pathlib import Path

import pypdfium2


def layer_of(path: Path) -> str:
    """The text that pdfium finds in a PDF."""
    document = pypdfium2.PdfDocument(path)
    text = "\f".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    # pdfium writes the hyphen at a line's end, and the line break with it, as one character of its own.
    return text.replace("\r\n", "\n").replace("\ufffe", "-\n")
