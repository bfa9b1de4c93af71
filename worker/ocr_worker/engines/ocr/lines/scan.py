"""Walk through the bytes of a language's data: whatever is asked for beyond its end is a fault of the data."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray


class DamagedDataError(ValueError):
    """The data is none that this engine could read; the message says what is wrong with it."""


class Scan:
    """A place in some bytes, which moves on as they are taken."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def bytes(self, count: int) -> bytes:
        if not 0 <= count <= self.left:
            raise DamagedDataError(f"ends {count - self.left} bytes too early")
        self._at += count
        return self._content[self._at - count : self._at]

    def number(self, kind: str) -> int:
        """A whole number of this `struct` format, little-endian."""
        (number,) = struct.unpack(f"<{kind}", self.bytes(struct.calcsize(kind)))
        return int(number)

    def count(self, most: int) -> int:
        """A number of things that follow."""
        count = self.number("I")
        if count > most:
            raise DamagedDataError(f"holds {count} of what there are {most} at most")
        return count

    def text(self) -> str:
        try:
            return self.bytes(self.count(1000)).decode("ascii")
        except UnicodeDecodeError as error:
            raise DamagedDataError("has a name that is no text") from error

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        """A view of so many numbers, which takes no memory of its own."""
        item = np.dtype(kind)
        if not 0 <= count * item.itemsize <= self.left:
            raise DamagedDataError("ends within its weights")
        array = np.frombuffer(self._content, item, count, self._at)
        self._at += count * item.itemsize
        return array
