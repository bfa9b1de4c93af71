"""Steps of likelihoods become words: the likeliest characters, and in doubt those that make a word."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np

from ocr_worker.engines.ocr.lines.edges import Edges
from ocr_worker.engines.ocr.lines.model import Model, read_model
from ocr_worker.engines.ocr.lines.reading import LineReader
from ocr_worker.engines.ocr.lines.search import PER_STEP, UNKNOWN_WORD, Letter, Search
from ocr_worker.engines.ocr.lines.weights import Floats
from tests.engines.lines import made_data

FEW, MANY = 0.3, 0.7


@pytest.fixture
def model(tmp_path: Path) -> Model:
    (tmp_path / "xyz.traineddata").write_bytes(made_data.traineddata())
    return read_model(tmp_path / "xyz.traineddata")


@pytest.fixture
def reader(model: Model) -> LineReader:
    return LineReader(model.texts, model.network.blank, model.space, model.words)


def steps(reader: LineReader, *likely: str) -> Floats:
    """A step of each character, and one of nothing after it; of `a|b` the first is the likelier."""
    rows = np.full((2 * len(likely), len(reader.texts)), 1e-6, np.float32)
    for number, one in enumerate(likely):
        first, *others = one.split("|")
        rows[2 * number, reader.texts.index(first)] = MANY if others else 1
        for other in others:
            rows[2 * number, reader.texts.index(other)] = FEW
        rows[2 * number + 1, reader.blank] = 1
    return rows


def test_what_may_as_well_be_the_blank_beside_it_counts_for_a_letter(reader: LineReader) -> None:
    rows = steps(reader, "t")
    rows[:, reader.texts.index("t")], rows[:, reader.blank] = 0.4, 0.6

    (letter,) = reader.search.read(rows)

    assert (letter.first, letter.last) == (0, 1)
    # Alone a step of 0.4 and one of 0.6 would be less than two of 0.6, which see nothing.
    assert letter.weight == pytest.approx(UNKNOWN_WORD * (math.log(0.4) + PER_STEP))


def test_words_are_parted_by_spaces_and_stand_one_after_the_other(reader: LineReader) -> None:
    words = reader.read(steps(reader, *"tea one"))

    assert [word.text for word in words] == ["tea", "one"]
    assert 0 == words[0].begin < words[0].end <= words[1].begin < words[1].end == 14
    assert [word.confidence for word in words] == [97.0, 97.0]


def test_where_a_letter_is_in_doubt_the_word_that_there_is_wins(reader: LineReader) -> None:
    (mended,) = reader.read(steps(reader, "t", "o|e", "a"))
    (unknown,) = reader.read(steps(reader, "d", "o|e", "a"))

    assert (mended.text, unknown.text) == ("tea", "doa")
    assert mended.confidence == pytest.approx(100 + 35 * (math.log(FEW) - 0.085), abs=0.2)
    assert unknown.confidence == pytest.approx(100 + 35 * 2.25 * (math.log(MANY) - 0.085), abs=0.2)


def test_a_line_is_searched_no_further_once_a_word_of_it_is_in_doubt(
    reader: LineReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    likely = steps(reader, "d", "o", "a|e", " ", "d", "o|e", "a", " ", "t")
    # The second word is more in doubt than the first one.
    likely[0, reader.texts.index("d")] = 0.98
    likely[4:, :] = np.where(likely[4:, :] == np.float32(MANY), np.float32(0.6), likely[4:, :])
    searched, search = list[int](), Search.read

    def read(self: Search, of_word: Floats) -> list[Letter]:
        searched.append(len(of_word))
        return search(self, of_word)

    monkeypatch.setattr(Search, "read", read)

    assert reader.read_from(likely, 80.0) is None
    assert len(searched) == 1
    assert len(reader.read_from(likely, 0.0) or []) == 3
    assert len(searched) == 3


def test_two_words_that_run_together_are_parted_where_that_makes_words(reader: LineReader) -> None:
    rows = steps(reader, *"teaone")
    space = reader.texts.index(" ")
    rows[5, reader.blank], rows[5, space] = MANY, FEW

    assert [word.text for word in reader.read(rows)] == ["tea", "one"]


def test_nothing_is_read_of_blanks_alone(reader: LineReader) -> None:
    rows = np.zeros((9, len(reader.texts)), np.float32)
    rows[:, reader.blank] = 1

    assert reader.read(rows) == []
    assert reader.likelihood(rows) == 0


@pytest.mark.parametrize("width", [60, 61, 62])
def test_beyond_its_edge_a_line_has_the_same_noise_each_time(width: int, model: Model) -> None:
    edges = Edges(model.network, 100)
    line = np.full((made_data.HEIGHT, width), 5, np.float32)

    patches = edges.patches(line)

    assert patches.shape == (9, 2 * width + 2 * (made_data.HEIGHT - 2))
    assert np.array_equal(patches, edges.patches(line))
    noise = patches[patches != 5]
    assert np.abs(noise).max() <= 1
    assert noise.std() == pytest.approx(1 / math.sqrt(3), rel=0.1)
    # Of a pixel in the first row three in nine lie beyond; of the columns that are not pooled nothing counts.
    assert (patches[:, 1 : width - 1][::3] != 5).all()
    assert (patches[:, 1 : width - 1][1::3] == 5).all()
    assert (patches[:, -1] == 5).all() == (width % 3 != 0)


def test_lists_of_words_that_run_from_right_to_left_are_walked_from_there(model: Model) -> None:
    reader = LineReader(model.texts, model.network.blank, model.space, model.words, is_right_to_left=True)

    words = reader.read(steps(reader, "e", "n", "o", " ", "a", "o|e", "t"))

    assert [word.text for word in words] == ["eno", "aet"]
    assert 0 == words[0].begin < words[0].end <= words[1].begin < words[1].end == 14
    assert reader.knows("aet")
    assert not reader.knows("tea")


def test_a_word_is_rated_by_all_its_steps_and_less_if_it_is_known(model: Model) -> None:
    reader = LineReader(model.texts, model.network.blank, model.space, model.words, rates=True)

    known, unknown = reader.read(steps(reader, *"tea dog"))
    (doubted,) = reader.read(steps(reader, "d", "o|e", "a"))

    # The space between them weighs as the unknown one.
    assert [known.confidence, unknown.confidence] == [
        pytest.approx(100 + 35 * UNKNOWN_WORD * PER_STEP, abs=0.1)
    ] * 2
    # A letter has two steps; a space's own is no word's, but the one after it is.
    assert known.rating == pytest.approx(6 * -PER_STEP, abs=1e-3)
    assert unknown.rating == pytest.approx(UNKNOWN_WORD * 7 * -PER_STEP, abs=1e-3)
    assert doubted.rating == pytest.approx(UNKNOWN_WORD * (6 * -PER_STEP - math.log(MANY)), abs=1e-3)
