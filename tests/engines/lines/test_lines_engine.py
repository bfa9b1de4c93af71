"""The engine `lines` reads pages as Tesseract reads them, and leaves to it what it can't."""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.long_rows import first

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

from PIL import Image, ImageOps

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata, tesseract_factories
from ocr_worker.engines.ocr.engine import Engine
from ocr_worker.engines.ocr.lines import engine as lines_engine_module
from ocr_worker.engines.ocr.lines import network, together
from ocr_worker.engines.ocr.lines.engine import LinesEngine
from ocr_worker.engines.ocr.lines.model import read_model, read_models
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine
from ocr_worker.errors import EngineMissingError, LanguageMissingError
from ocr_worker.model.page import Box, Line, Page, Word
from ocr_worker.model.tasks import PageSettings
from samples import Sample, build
from samples.scores import score
from tests.engines.ocr import language_data
from tests.faults import pictures

KINDS = ["clean", "letters", "two_columns"]


@pytest.fixture(scope="module")
def lines_engine(english: Path) -> LinesEngine:
    return LinesEngine((read_model(english / "eng.traineddata"),), lambda: TesserocrEngine(("eng",), english))


@pytest.fixture(scope="module")
def page(sample: Callable[[str], Sample]) -> Callable[[str], GreyImage]:
    return cache(lambda kind: GreyImage(Image.open(sample(kind).path).convert("L"), 300))


@pytest.fixture(scope="module")
def by_tesserocr(page: Callable[[str], GreyImage], english: Path) -> Callable[[str], tuple[Line, ...]]:
    return cache(lambda kind: TesserocrEngine(("eng",), english).recognise(page(kind)))


@pytest.fixture(scope="module")
def by_lines(
    page: Callable[[str], GreyImage], lines_engine: LinesEngine
) -> Callable[[str], tuple[Line, ...]]:
    return cache(lambda kind: lines_engine.recognise(page(kind)))


def text_of(lines: tuple[Line, ...]) -> str:
    return Page(1, "ok", lines=lines).text


@pytest.mark.parametrize("kind", first(1, KINDS))
def test_it_errs_no_more_than_tesseract(
    kind: str,
    sample: Callable[[str], Sample],
    by_lines: Callable[[str], tuple[Line, ...]],
    by_tesserocr: Callable[[str], tuple[Line, ...]],
) -> None:
    truth = sample(kind).truth

    mine, theirs = (score(truth, text_of(read(kind))).cer for read in (by_lines, by_tesserocr))

    assert mine <= theirs + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_words_stand_where_tesseract_sees_them_and_are_as_sure(
    kind: str,
    by_lines: Callable[[str], tuple[Line, ...]],
    by_tesserocr: Callable[[str], tuple[Line, ...]],
) -> None:
    pairs = list(zip(by_lines(kind), by_tesserocr(kind), strict=True))

    same = [
        (a, b)
        for one, other in pairs
        if one.text == other.text
        for a, b in zip(one.words, other.words, strict=True)
    ]
    far = [a.text for a, b in same if furthest(a.box, b.box) > 3]
    unsure = statistics.fmean(abs((a.confidence or 0) - (b.confidence or 0)) for a, b in same)
    assert len(same) > 0.9 * sum(len(line.words) for line in by_tesserocr(kind))
    assert len(far) <= 0.02 * len(same)
    assert unsure < 2
    assert [(a.block, a.paragraph, a.baseline, a.box) for a, _ in pairs] == [
        (b.block, b.paragraph, b.baseline, b.box) for _, b in pairs
    ]


def furthest(one: Box, other: Box) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def test_the_layout_is_the_same_before_reading(
    page: Callable[[str], GreyImage], lines_engine: LinesEngine, english: Path
) -> None:
    for kind in KINDS:
        assert lines_engine.find_layout(page(kind)) == TesserocrEngine(("eng",), english).find_layout(
            page(kind)
        )


def test_looking_at_the_layout_first_changes_nothing(
    page: Callable[[str], GreyImage], lines_engine: LinesEngine, by_lines: Callable[[str], tuple[Line, ...]]
) -> None:
    lines_engine.find_layout(page("letters"))
    lines_engine.find_layout(page("clean"))

    assert lines_engine.recognise(page("clean")) == by_lines("clean")


@pytest.mark.parametrize("steps_at_once", first(1, [3000, 1, 1000, 100_000]))
def test_lines_read_the_same_alone_and_together(
    steps_at_once: int, page: Callable[[str], GreyImage], lines_engine: LinesEngine, by_lines: Callable[[str], tuple[Line, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(network, "STEPS_AT_ONCE", steps_at_once)

    assert lines_engine.recognise(page("two_columns")) == by_lines("two_columns")


@pytest.fixture(scope="module")
def in_two_languages(sample: Callable[[str], Sample]) -> tuple[GreyImage, str]:
    """A page in German above one in English, and their text."""
    pages = [Image.open(sample(kind).path).convert("L") for kind in ("german", "clean")]
    both = Image.new("L", (pages[0].width, sum(page.height for page in pages)), 255)
    both.paste(pages[0], (0, 0))
    both.paste(pages[1], (0, pages[0].height))
    return GreyImage(both, 300), sample("german").truth + sample("clean").truth


def of_two_languages(*languages: str) -> Engine:
    try:
        folders = {language: file.parent for language, file in tessdata.find_tessdata(languages).items()}
    except LanguageMissingError as error:
        pytest.skip(str(error))
    models = read_models(folders[language] / f"{language}.traineddata" for language in languages)
    return LinesEngine(models, lambda: pytest.fail("Tesseract was asked"))


def test_lines_of_two_languages_are_read_each_in_its_own(in_two_languages: tuple[GreyImage, str]) -> None:
    page, text = in_two_languages

    assert text_of(of_two_languages("deu", "eng").recognise(page)).split() == text.split()


def test_pages_in_two_languages_read_the_same_however_lines_are_read_together(
    in_two_languages: tuple[GreyImage, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = in_two_languages
    height = whole.picture.height // 2
    page = GreyImage(whole.picture.crop((0, height - 700, whole.picture.width, height + 900)), 300)
    together_read = of_two_languages("deu", "eng").recognise(page)

    monkeypatch.setattr(network, "STEPS_AT_ONCE", 1)
    monkeypatch.setattr(together, "AHEAD", 1)

    assert of_two_languages("deu", "eng").recognise(page) == together_read


def test_a_space_that_one_of_two_crops_sees_in_an_address_is_none(
    lines_engine: LinesEngine, tmp_path: Path
) -> None:
    """Nor need Tesseract read the card for it, which sees it in one of these two."""
    by_address = {card.truth.split()[-1]: card.path for card in build("cards", tmp_path, count=12)}

    for address in ("fenn@pianos.example", "bench@mensah.example"):
        card = GreyImage(Image.open(by_address[address]).convert("L"), 300)

        assert text_of(lines_engine.recognise(card)).split()[-1] == address


@pytest.mark.parametrize(
    ("read", "other", "taken"),
    [
        ("the fenn @pianos", "the fenn@pianos", "the fenn@pianos"),
        ("thehouse", "the house", "the house"),
        ("Xqv, the house", "Xqv, thehouse", "Xqv, the house"),
        ("10 418", "10418", "10 418"),
        ("clock", "dock", None),
    ],
)
def test_of_two_crops_that_differ_in_spaces_one_is_taken(
    read: str, other: str, taken: str | None, lines_engine: LinesEngine
) -> None:
    words = [[Word(text, (0, 0, 9, 9), 80.0) for text in line.split()] for line in (read, other)]

    spaced = lines_engine._spaced(*words)

    assert (spaced and " ".join(word.text for word in spaced)) == taken


def test_a_small_page_whose_letters_read_otherwise_by_the_other_crop_is_left_to_tesserocr(
    english: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tesseract, asked = TesserocrEngine(("eng",), english), []

    def ask() -> Engine:
        asked.append(tesseract)
        return tesseract

    engine = LinesEngine((read_model(english / "eng.traineddata"),), ask)
    cards = [GreyImage(pictures.sheet(text, (1200, 300), (100, 100)), 300) for text in ("Moon", "Harvest")]
    monkeypatch.setattr(engine, "_read_otherwise", lambda *_: [(0, [Word("Noon", (0, 0, 9, 9), 80.0)])])

    read = [engine.recognise(card) for card in cards]

    assert read == [tesseract.recognise(card) for card in cards]
    # Loaded once, and not for every page.
    assert len(asked) == 1


def test_light_print_is_read(lines_engine: LinesEngine) -> None:
    dark = ImageOps.invert(pictures.sheet("Harvest moon rises", (1200, 300), (100, 100)))

    assert text_of(lines_engine.recognise(GreyImage(dark, 300))) == "Harvest moon rises\n"


def test_lines_that_run_down_the_page_are_read(lines_engine: LinesEngine) -> None:
    upright = pictures.sheet("Harvest moon rises", (1200, 300), (100, 100))
    (level,) = lines_engine.recognise(GreyImage(upright, 300))

    (turned,) = lines_engine.recognise(GreyImage(upright.transpose(Image.Transpose.ROTATE_270), 300))

    assert turned.text == level.text == "Harvest moon rises"
    for word, (left, top, right, bottom) in zip(
        turned.words, (word.box for word in level.words), strict=True
    ):
        assert furthest(word.box, (300 - bottom, left, 300 - top, right)) <= 3


def test_nothing_is_read_where_nothing_is(lines_engine: LinesEngine) -> None:
    assert lines_engine.recognise(GreyImage(Image.new("L", (800, 600), 255), 300)) == ()


def engine_of(folder: Path, *languages: str, engine: str = "lines") -> Engine:
    settings = PageSettings(languages=languages, engine=engine, tessdata_dir=str(folder))
    return Engines(folder / "scratch").engine(settings)


def put(folder: Path, code: str, entries: dict[int, bytes]) -> None:
    (folder / f"{code}.traineddata").write_bytes(language_data.plain(entries))


@pytest.fixture
def good(english: Path) -> dict[int, bytes]:
    return language_data.entries_of((english / "eng.traineddata").read_bytes())


def test_what_one_network_does_not_read_is_left_to_tesserocr(good: dict[int, bytes], tmp_path: Path) -> None:
    put(tmp_path, "eng", good)
    put(tmp_path, "set", {**good, 0: b"preserve_interword_spaces 1\n"})
    put(tmp_path, "heb", {**good, 21: good[21].replace(b"\nQ ", "\nא ".encode())})
    put(tmp_path, "deu", good)
    put(tmp_path, "fra", good)

    read = [("eng",), ("deu", "eng"), ("heb",)]
    left = [("eng", "set"), ("set",), ("heb", "eng"), ("deu", "eng", "fra")]
    assert [engine_of(tmp_path, *codes).name for codes in read] == ["lines"] * 3
    assert [engine_of(tmp_path, *codes).name for codes in left] == ["tesserocr"] * 4


def test_the_shortcut_for_plain_print_is_for_letters_from_left_to_right(
    good: dict[int, bytes], page: Callable[[str], GreyImage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Arabic at 150 dpi it lost a line, whose dots were taken for another's."""
    put(tmp_path, "heb", {**good, 21: good[21].replace(b"\nQ ", "\nא ".encode())})
    engine = engine_of(tmp_path, "heb")
    monkeypatch.setattr(lines_engine_module, "plain_print", lambda _: pytest.fail("the shortcut was taken"))

    rows = engine.find_layout(page("clean"))

    assert rows == TesserocrEngine(("heb",), tmp_path).find_layout(page("clean"))


def test_unasked_it_reads_what_it_was_measured_to_read_as_well(
    good: dict[int, bytes], tmp_path: Path
) -> None:
    for code in ("eng", "fra", "xyz"):
        put(tmp_path, code, good)

    read = [
        engine_of(tmp_path, *codes, engine="auto")
        for codes in (("eng",), ("fra", "eng"), ("eng", "fra"), ("xyz",), ("eng", "xyz"))
    ]

    assert [engine.name for engine in read] == ["lines", "lines", "lines", "tesserocr", "tesserocr"]


def test_without_the_runtime_tesserocr_reads_and_the_log_says_what_would_be_faster(
    good: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "eng", good)
    monkeypatch.setattr(tesseract_factories, "_has", lambda package: package != "onnxruntime")

    settings = PageSettings(languages=("eng",), tessdata_dir=str(tmp_path))
    engines = Engines(tmp_path / "scratch")

    assert engines.engine(settings).name == "tesserocr"
    assert "pip install onnxruntime" in engines.news()


def test_a_damaged_network_is_named(good: dict[int, bytes], tmp_path: Path) -> None:
    put(tmp_path, "xyz", {**good, 17: good[17][:5000]})
    file = re.escape(str(tmp_path / "xyz.traineddata"))

    with pytest.raises(EngineMissingError, match=f"can't load {file}: install xyz again"):
        engine_of(tmp_path, "xyz")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise ImportError('not for this processor')", "not for this processor"),
        # As NumPy says it.
        ("raise RuntimeError('not for this processor')", "not for this processor"),
        ("__version__ = '0.1'", "disable_telemetry_events"),
    ],
)
def test_where_the_runtime_can_not_be_loaded_tesserocr_reads(
    code: str, why: str, good: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "eng", good)
    (tmp_path / "onnxruntime.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [*sys.modules]:
        if name.startswith(("ocr_worker.engines.ocr.lines.", "ocr_worker.engines.ocr.onnx", "onnxruntime")):
            monkeypatch.delitem(sys.modules, name)

    settings = PageSettings(languages=("eng",), tessdata_dir=str(tmp_path))
    engines = Engines(tmp_path / "scratch")

    assert engines.engine(settings).name == "tesserocr"
    assert why in engines.news()


def test_where_the_runtime_can_not_run_the_network_tesserocr_reads(
    good: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("opset 17 is not supported")

    put(tmp_path, "eng", good)
    monkeypatch.setattr(network, "session", refuse)

    settings = PageSettings(languages=("eng",), tessdata_dir=str(tmp_path))
    engines = Engines(tmp_path / "scratch")

    assert engines.engine(settings).name == "tesserocr"
    assert "can't run the network (opset 17 is not supported)" in engines.news()
