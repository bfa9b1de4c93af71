"""Language data, damaged in all ways, is refused in words or read as something that can be run."""

from __future__ import annotations

import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

import numpy as np

from ocr_worker.engines.ocr.lines import model
from ocr_worker.engines.ocr.lines.model import UnsuitedDataError
from ocr_worker.engines.ocr.lines.network import Runtime
from ocr_worker.engines.ocr.traineddata import read_entries
from ocr_worker.errors import EngineMissingError, LanguageMissingError
from tests.engines.lines import made_data
from tests.engines.lines.made_data import Made

LSTM, WORDS, CHARACTERS, CODES = 17, 19, 21, 22
HEAD_BYTES = 4 + 8 * 24
KNOWN = (EngineMissingError, LanguageMissingError, UnsuitedDataError)
RUN_EVERY = 100
"""Of what is read as sound: to load a network takes longer than to read it."""


def flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        content[chance.randrange(len(content))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))


def cut(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def drop(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content))
    del content[at : at + chance.randint(1, 64)]


def double(content: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(content))
    content[at:at] = content[at : at + chance.randint(1, 256)]


WAYS: tuple[Callable[[bytearray, random.Random], None], ...] = (flip, flip, flip, cut, drop, double)


def read_mutated(numbers: range) -> int:
    """How many of the mutations were read as something sound."""
    good = [made_data.entries(Made(is_int=kind)) for kind in (True, False)]
    read = 0
    for number in numbers:
        chance = random.Random(number)
        entries = dict(chance.choice(good))
        entry = chance.choice((LSTM, LSTM, WORDS, CHARACTERS, CODES))
        content = bytearray(entries[entry])
        chance.choice(WAYS)(content, chance)
        try:
            sound = model.from_entries({**entries, entry: bytes(content)}, Path("xyz.traineddata"))
        except KNOWN:
            continue
        read += 1
        if read % RUN_EVERY == 0:
            line = np.zeros((sound.network.height, 60), np.uint8)
            assert Runtime(sound.network).read([line])[0].shape[1] == sound.network.classes
    return read


def test_what_is_damaged_in_ten_thousand_ways_is_refused_or_sound() -> None:
    assert 0 < read_mutated(range(10_000)) < 10_000


@pytest.mark.parametrize("count", [1, 24])
def test_a_table_of_no_entries_is_refused(count: int, tmp_path: Path) -> None:
    file = tmp_path / "xyz.traineddata"
    file.write_bytes(struct.pack(f"<i{count}q", count, *[-1] * count) + bytes(100))

    with pytest.raises(LanguageMissingError, match="none that Tesseract could read"):
        read_entries(file)


def test_a_table_of_entries_that_is_damaged_is_refused_or_sound(tmp_path: Path) -> None:
    good, file, read = made_data.traineddata(), tmp_path / "xyz.traineddata", 0
    for number in range(300):
        chance, content = random.Random(number), bytearray(good)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(HEAD_BYTES)] = chance.choice((0, 1, 127, 255, chance.randrange(256)))
        file.write_bytes(content)
        try:
            model.read_model(file)
        except KNOWN:
            continue
        read += 1
    assert 0 < read < 300


@pytest.mark.faults_long
def test_what_is_damaged_in_a_hundred_thousand_ways_is_refused_or_sound() -> None:
    first = int(os.environ.get("OCR_FUZZ_FIRST", time.time_ns() % 10**9))
    print(f"OCR_FUZZ_FIRST={first}")

    assert 0 < read_mutated(range(first, first + 100_000)) < 100_000
