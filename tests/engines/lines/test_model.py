"""Language data is read as it is, or not at all."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np

from ocr_worker.engines.ocr.lines import weights
from ocr_worker.engines.ocr.lines.crops import WIDEST_PX
from ocr_worker.engines.ocr.lines.model import UnsuitedDataError, read_model, read_models
from ocr_worker.engines.ocr.lines.network import Runtime
from ocr_worker.errors import EngineMissingError
from tests.engines.lines import made_data
from tests.engines.lines.made_data import LETTERS, Made
from tests.engines.ocr import language_data

LSTM, WORDS, CHARACTERS, CODES = 17, 19, 21, 22


def written(folder: Path, entries: dict[int, bytes]) -> Path:
    file = folder / "xyz.traineddata"
    file.write_bytes(language_data.plain(entries))
    return file


def test_whole_numbers_and_fractions_are_read_as_the_same_network(tmp_path: Path) -> None:
    # Darker to lighter in each row, and without a peak from which its light would be told.
    line = np.add.outer(np.arange(12) * 5, np.arange(60) * 3).astype(np.uint8)

    whole, fractions = (
        Runtime(read_model(written(tmp_path, made_data.entries(Made(is_int=kind)))).network).read([line])[0]
        for kind in (True, False)
    )

    assert whole.shape == (20, 2 + len(made_data.LETTERS))
    assert np.allclose(whole.sum(axis=1), 1, atol=1e-5)
    # But for what layers of whole numbers round off.
    assert np.allclose(whole, fractions, atol=0.02)
    assert np.ptp(fractions) > 0.1


def test_of_a_page_one_line_at_a_time_is_held_in_fractions(tmp_path: Path) -> None:
    runtime = Runtime(read_model(written(tmp_path, made_data.entries(Made()))).network)
    lines = [np.add.outer(np.arange(12), np.arange(WIDEST_PX) % 240).astype(np.uint8)] * 40

    tracemalloc.start()
    runtime.read(lines)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    in_fractions = 4 * sum(line.size for line in lines)
    assert most < 0.7 * in_fractions


def test_words_are_known_with_numbers_and_punctuation_around_them(english: Path) -> None:
    words = read_model(english / "eng.traineddata").words

    assert words
    known = ["the", "The", "house", "house,", "(house)", "“house”", "Monday", "12", "3.50", "1,000"]
    unknown = ["rospectfully", "qwzx", "housx", "", "t" * 200, "\N{SNOWMAN}"]
    assert [word for word in known if not words.holds(word)] == []
    assert [word for word in unknown if words.holds(word)] == []


def test_a_list_without_punctuation_holds_its_words_alone(tmp_path: Path) -> None:
    words = read_model(written(tmp_path, made_data.entries())).words

    assert words
    assert [word for word in ("tea", "team", "one", "te", "teams", "on") if words.holds(word)] == [
        "tea",
        "team",
        "one",
    ]


def test_a_list_of_words_whose_nodes_run_into_one_another_is_read_no_further(tmp_path: Path) -> None:
    """Else each of them would be all that is left of the list."""
    entries = made_data.entries()
    bits = (len(LETTERS) + 1).bit_length()
    head, edges = entries[WORDS][:10], np.frombuffer(entries[WORDS], "<u8", offset=10)
    without_ends = edges & ~np.uint64(1 << bits)
    without_ends[-1] |= np.uint64(1 << bits)

    good, bad = (
        read_model(written(tmp_path, {**entries, WORDS: head + one.tobytes()})).words
        for one in (edges, without_ends)
    )

    assert good
    assert bad
    assert good.holds("tea")
    assert not bad.holds("tea")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (struct.pack("<d", 1 / 64), struct.pack("<d", 1e300)),
        (b"", bytes(weights.MOST_BYTES)),
    ],
    ids=["weights that are no numbers in the network", "larger than any"],
)
def test_a_network_that_would_not_reckon_or_fit_is_named(good: bytes, bad: bytes, tmp_path: Path) -> None:
    entries = made_data.entries()
    entries[LSTM] = entries[LSTM].replace(good, bad, 1)

    with pytest.raises(EngineMissingError, match=r"xyz\.traineddata"):
        read_model(written(tmp_path, entries))


@pytest.mark.parametrize("entry", [LSTM, CHARACTERS, CODES])
def test_data_that_lacks_a_part_is_named(entry: int, tmp_path: Path) -> None:
    entries = made_data.entries()
    del entries[entry]

    with pytest.raises(
        EngineMissingError, match=rf"xyz\.traineddata lacks its entry {entry}: install xyz again"
    ):
        read_model(written(tmp_path, entries))


@pytest.mark.parametrize("entry", [LSTM, WORDS, CHARACTERS, CODES])
def test_data_that_is_cut_off_within_a_part_is_named(entry: int, tmp_path: Path) -> None:
    entries = made_data.entries()
    entries[entry] = entries[entry][:-30]

    with pytest.raises(EngineMissingError, match=r"xyz\.traineddata"):
        read_model(written(tmp_path, entries))


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        (made_data.entries(Made(code=lambda number: (2, number + 1))), "put together"),
        ({**made_data.entries(), 0: b"preserve_interword_spaces 1\n"}, "sets how"),
    ],
)  # fmt: skip
def test_languages_that_tesseract_reads_better_are_left_to_it(
    entries: dict[int, bytes], why: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsuitedDataError, match=why):
        read_model(written(tmp_path, entries))


def test_the_direction_of_writing_is_told(tmp_path: Path) -> None:
    hebrew = made_data.entries(Made(letters=LETTERS + "אבג"))

    assert read_model(written(tmp_path, hebrew)).is_right_to_left
    assert not read_model(written(tmp_path, made_data.entries())).is_right_to_left


HIGHER = made_data.entries()
HIGHER[LSTM] = HIGHER[LSTM].replace(struct.pack("<5i", 1, 12, 0, 1, 0), struct.pack("<5i", 1, 24, 0, 1, 0))


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ([made_data.entries()] * 2, "in 2 languages at a time"),
        ([made_data.entries(Made(letters=LETTERS + "אבג"))], "right to left"),
        ([HIGHER], "different heights"),
    ],
)
def test_languages_that_are_not_read_together_are_left_to_tesseract(
    others: list[dict[int, bytes]], why: str, tmp_path: Path
) -> None:
    files = []
    for number, entries in enumerate([made_data.entries(), *others]):
        (tmp_path / str(number)).mkdir()
        files.append(written(tmp_path / str(number), entries))

    assert len(read_models(files[:1] * 2)) == 2
    with pytest.raises(UnsuitedDataError, match=why):
        read_models(files)
