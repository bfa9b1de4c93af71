"""Read one line: a picture in, words out, each with its stretch of the line and how sure it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from ocr_worker.engines.ocr.ppocr.runtime import Floats, Network, three_channels

HEIGHT_PX = 48
"""Of the lines that it was trained with."""
LEAST_PX = 8
WIDEST_PX = 3_200
"""A longer line is read in parts by who cuts it; beyond that it is pressed together."""
BLANK = 0
_FIRST_OF_OTHERS = "\u0370"
_BESIDE = 0.65
"""Of the usual way from letter to letter: as far a word reaches beyond the middle of its last one."""
_NARROWEST = 0.3
"""Of a line's height: the way between letters where a word has only one."""


@dataclass(frozen=True, slots=True)
class Letter:
    text: str
    at: float
    """Its middle, as a share of the line's width."""
    likelihood: float


@dataclass(frozen=True, slots=True)
class ReadWord:
    text: str
    left: float
    right: float
    """Both as shares of the line's width."""
    confidence: float
    """0 to 100: the mean of its letters."""


class Recogniser:
    def __init__(self, file: Path) -> None:
        self._network = Network(file)
        characters = ["", *self._network.noted("character").splitlines(), " "]
        # All the languages that it is asked for are written in Latin letters.
        self._classes = [number for number, one in enumerate(characters) if all(map(is_latin, one))]
        self._characters = [characters[number] for number in self._classes]
        self._known = frozenset(self._characters)

    def knows(self, text: str) -> bool:
        """Whether it could read all of these characters."""
        return self._known.issuperset(text)

    def read(self, line: Image.Image) -> list[ReadWord]:
        """From left to right; none where it sees no letter."""
        width = min(WIDEST_PX, max(LEAST_PX, round(line.width * HEIGHT_PX / max(1, line.height))))
        pixels = np.asarray(line.resize((width, HEIGHT_PX), Image.Resampling.BILINEAR))
        (steps,) = self._network.run(three_channels(pixels))
        return list(_words(self._letters(steps[:, self._classes]), HEIGHT_PX / width))

    def _letters(self, steps: Floats) -> Iterator[Letter]:
        """What the steps spell: one letter for each stretch of steps that say the same."""
        likeliest, likelihood = steps.argmax(axis=1).tolist(), steps.max(axis=1).tolist()
        for number, stretch in groupby(range(len(likeliest)), key=likeliest.__getitem__):
            if number != BLANK:
                at = list(stretch)
                # A letter is told when most of it was seen: half a step past its middle.
                middle = (at[0] + at[-1]) / 2 / len(likeliest)
                yield Letter(self._characters[number], middle, max(likelihood[step] for step in at))


def is_latin(character: str) -> bool:
    """Whether it is a Latin letter, or no letter."""
    is_any = character < _FIRST_OF_OTHERS or not character.isalpha()
    return is_any or unicodedata.name(character).startswith("LATIN ")


def _words(letters: Iterable[Letter], height: float) -> Iterator[ReadWord]:
    """Parted at spaces. `height` is the line's, as a share of its width."""
    words = [
        list(word) for is_space, word in groupby(letters, key=lambda one: one.text == " ") if not is_space
    ]
    if not words:
        return
    edges = [0.0, *((one[-1].at + other[0].at) / 2 for one, other in pairwise(words)), 1.0]
    for word, (least, most) in zip(words, pairwise(edges), strict=True):
        way = (word[-1].at - word[0].at) / (len(word) - 1) if len(word) > 1 else _NARROWEST * height
        yield ReadWord(
            "".join(letter.text for letter in word),
            max(least, word[0].at - _BESIDE * way),
            min(most, word[-1].at + _BESIDE * way),
            round(100 * sum(letter.likelihood for letter in word) / len(word), 1),
        )
