"""A language's data as this engine reads it, or why it does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.engines.ocr.lines.characters import read_characters, read_codes
from ocr_worker.engines.ocr.lines.scan import DamagedDataError
from ocr_worker.engines.ocr.lines.weights import Network, read_network
from ocr_worker.engines.ocr.lines.word_list import Graph, WordList
from ocr_worker.engines.ocr.traineddata import (
    CHARACTERS,
    CODES,
    CONFIG,
    LSTM,
    NUMBERS,
    PUNCTUATION,
    WORDS,
    read_entries,
)
from ocr_worker.errors import EngineMissingError
from ocr_worker.model.direction import is_right_to_left

MOST_LANGUAGES = 2
"""Each takes memory for a network and its lists of words."""


class UnsuitedDataError(Exception):
    """Tesseract itself reads this language; the message says why."""


@dataclass(frozen=True, slots=True)
class Model:
    network: Network
    texts: tuple[str, ...]
    """What each class of the network stands for; empty for what is no character."""
    space: int
    words: WordList | None
    is_right_to_left: bool
    """Its network reads from left to right all the same, and its word lists begin with last letters."""


def read_model(file: Path) -> Model:
    """Raises LanguageMissingError for what is no data, EngineMissingError for what is damaged, UnsuitedDataError."""
    return from_entries(read_entries(file), file)


def read_models(files: Iterable[Path]) -> tuple[Model, ...]:
    """Of a page's languages, whose networks see lines alike. Errors as those of `read_model`."""
    models = tuple(map(read_model, files))
    if len(models) > MOST_LANGUAGES:
        raise UnsuitedDataError(f"lines are read in {MOST_LANGUAGES} languages at a time")
    if len(models) > 1 and any(model.is_right_to_left for model in models):
        raise UnsuitedDataError("what is written from right to left is read alone")
    if len({(model.network.height, model.network.pool) for model in models}) > 1:
        raise UnsuitedDataError("their networks see lines of different heights")
    return models


def from_entries(entries: dict[int, bytes], file: Path) -> Model:
    """The model that these entries of the file hold. Errors as those of `read_model`."""
    if CONFIG in entries:
        raise UnsuitedDataError("its data sets how it is to be read")
    try:
        return _model(entries)
    except DamagedDataError as error:
        code = file.name.partition(".")[0]
        raise EngineMissingError(f"The language data {file} {error}: install {code} again") from error


def _model(entries: dict[int, bytes]) -> Model:
    if missing := {LSTM, CHARACTERS, CODES} - entries.keys():
        raise DamagedDataError(f"lacks its entry {min(missing)}")
    network = read_network(entries[LSTM])
    characters = read_characters(entries[CHARACTERS])
    codes = read_codes(entries[CODES], len(characters), network.classes)
    if any(len(code) != 1 for code in codes):
        raise UnsuitedDataError("its characters are put together from several")
    texts = [""] * network.classes
    for text, (code,) in reversed(list(zip(characters, codes, strict=True))):
        texts[code] = text
    texts[network.blank] = ""
    (space,) = codes[0]
    runs_left = any(map(is_right_to_left, characters))
    return Model(network, tuple(texts), space, _word_list(entries, characters), runs_left)


def _word_list(entries: dict[int, bytes], characters: list[str]) -> WordList | None:
    numbers = {text: number for number, text in reversed(list(enumerate(characters)))}
    words, punctuation, digits = (
        Graph(entries[entry]) if entry in entries else None for entry in (WORDS, PUNCTUATION, NUMBERS)
    )
    return WordList(numbers, words, punctuation, digits) if words else None
