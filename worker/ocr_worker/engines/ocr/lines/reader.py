"""One language's reader of lines: its network, what its classes stand for, and what is read once more in another way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ocr_worker.engines.ocr.lines.crops import Pixels
from ocr_worker.engines.ocr.lines.model import Model
from ocr_worker.engines.ocr.lines.network import CPU, Runtime
from ocr_worker.engines.ocr.lines.reading import LineReader, ReadWord

LIGHT_ON_DARK_BELOW = 0.7
"""Of how likely what was read is: such a line is read once more with its tones reversed."""
ROUNDED_BELOW = 80.0
"""A line with such a word is read once more in fractions: what it was taken for may hang on what was rounded."""


class Reader:
    """A loaded network of lines."""

    def __init__(self, model: Model, provider: str, *, rates: bool = False) -> None:
        """`rates` has words rated, where languages compete. Raises EngineMissingError where the network can't be run."""
        self._network = Runtime(model.network, provider)
        # Other providers reckon in fractions anyway, and one that failed is not to be asked again.
        self._in_fractions = cache(lambda: Runtime(model.network, CPU, in_whole_numbers=False))
        self._reader = LineReader(
            model.texts, model.network.blank, model.space, model.words, rates, model.is_right_to_left
        )

    @property
    def version(self) -> str:
        return self._network.version

    def knows(self, word: str) -> bool:
        """Whether it is in the word list, with what punctuation may stand around it."""
        return self._reader.knows(word)

    def read(self, lines: Sequence[Pixels]) -> list[list[ReadWord]]:
        """The words of each line of greys (height, width), from left to right."""
        shown = list(lines)
        steps = self._network.read(shown)
        likely = [self._reader.likelihood(one) for one in steps]
        dark = [number for number, one in enumerate(likely) if one < LIGHT_ON_DARK_BELOW]
        turned = [255 - lines[number] for number in dark]
        for number, line, other in zip(dark, turned, self._network.read(turned), strict=True):
            if self._reader.likelihood(other) > likely[number]:
                shown[number], steps[number] = line, other
        if not self._network.is_in_whole_numbers:
            return [self._reader.read(one) for one in steps]
        read = [self._reader.read_from(one, ROUNDED_BELOW) for one in steps]
        doubted = [number for number, words in enumerate(read) if words is None]
        again = self._in_fractions().read([shown[number] for number in doubted])
        for number, other in zip(doubted, again, strict=True):
            read[number] = self._reader.read(other)
        return [words or [] for words in read]
