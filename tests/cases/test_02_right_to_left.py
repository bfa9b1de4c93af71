"""Case 02: Hebrew and Arabic words, and the numbers among them, are spelt as they are written, in the text and in the PDF."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont, features

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.engine import EngineFactory
from ocr_worker.engines.ocr.tesseract_factories import BUILT_IN
from ocr_worker.errors import LanguageMissingError
from ocr_worker.model.page import Page
from tests.readers.made_pages import save_layer
from tests.readers.texts import READERS, found

LINES = {
    "heb": ("שלום עולם זה מבחן של טקסט", "כתובת רחוב הרצל תל אביב", "נולד בשנת 1987, ונפטר בשנת 2001."),
    "ara": ("يولد جميع الناس أحرارا متساوين", "في الكرامة والحقوق", "ولد في عام 1987 وتوفي في عام 2001."),
}
FONTS = ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf")


@pytest.mark.parametrize("engine", BUILT_IN, ids=lambda engine: engine.name)
@pytest.mark.parametrize("language", LINES)
def test_words_are_spelt_as_written(engine: EngineFactory, language: str, tmp_path: Path) -> None:
    folder = _data(language)
    if lacks := engine.probe().lacks:
        pytest.skip(lacks)
    reader = engine.load((language,), str(folder), tmp_path)

    lines = reader.recognise(GreyImage(_printed(LINES[language]), 300))

    page = Page(1, "ok", 1800, 600, dpi=300, lines=lines)
    assert reader.name == engine.name
    assert page.text.split() == " ".join(LINES[language]).split()
    path = save_layer(page, tmp_path / "layer.pdf")
    for pdf_reader in READERS:
        if pdf_reader.name in ("poppler", "PDFium"):
            pdf_reader.require()
            assert found(page.text, pdf_reader.read(path)).in_order == 1


def _data(language: str) -> Path:
    """Where Tesseract's data for the language are; Debian's folder has the version's number in it."""
    folders = [None, *map(str, Path("/usr/share/tesseract-ocr").glob("*/tessdata"))]
    for folder in folders:
        with suppress(LanguageMissingError):
            return tessdata.find_tessdata([language], folder)[language].parent
    return pytest.skip(f"needs Tesseract's data for {language} (Debian package tesseract-ocr-{language})")


def _printed(texts: tuple[str, ...]) -> Image.Image:
    if not features.check("raqm"):
        pytest.skip("needs a Pillow that sets right-to-left text (raqm)")
    picture = Image.new("L", (1800, 600), 255)
    for number, text in enumerate(texts):
        ImageDraw.Draw(picture).text((1700, 120 + 140 * number), text, 0, _font(), "ra", direction="rtl")
    return picture


def _font() -> ImageFont.FreeTypeFont:
    for name in FONTS:
        with suppress(OSError):
            return ImageFont.truetype(name, 56)
    return pytest.skip("needs a font with Hebrew and Arabic letters (Debian package fonts-dejavu-core)")
