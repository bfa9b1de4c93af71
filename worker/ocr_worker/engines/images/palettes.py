"""What stands for paper where pixels are numbers of colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def lightest(colours: Iterable[Sequence[int]]) -> int | None:
    """Number of the colour that is most like paper; None where there are none."""
    sums = list(map(sum, colours))
    return sums.index(max(sums)) if sums else None


def colours_of(palette: bytes) -> Iterator[bytes]:
    """Three bytes each."""
    return (palette[at : at + 3] for at in range(0, len(palette) - 2, 3))


def filled(number: int, bits: int) -> int:
    """A byte of pixels of so many bits that all have this colour."""
    return sum(number << place for place in range(0, 8, bits)) & 255
