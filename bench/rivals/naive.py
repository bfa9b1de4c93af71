"""The script that one writes first: every page rendered at 300 dpi, one by one, and recognised twice (text, then PDF)."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import pytesseract
from pdf2image import convert_from_path
from PIL import Image
from pypdf import PdfReader, PdfWriter


def main(output_dir: Path, files: list[Path]) -> None:
    """Leave a PDF and a text file for each input."""
    for file in files:
        pages = convert_from_path(file, dpi=300) if file.suffix == ".pdf" else [Image.open(file)]
        writer, texts = PdfWriter(), []
        for page in pages:
            texts.append(pytesseract.image_to_string(page, lang="eng"))
            pdf = pytesseract.image_to_pdf_or_hocr(page, lang="eng", extension="pdf")
            writer.append(PdfReader(BytesIO(pdf)))
        writer.write(output_dir / f"{file.stem}.pdf")
        (output_dir / f"{file.stem}.txt").write_text("\f".join(texts), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
