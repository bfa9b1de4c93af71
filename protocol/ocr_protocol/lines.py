"""Cut a stream of bytes into lines at 0x0A, in bounded memory. Knows nothing of JSON."""

from __future__ import annotations

from dataclasses import dataclass

MAX_LINE_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands for a line whose bytes were dropped because there were more than `limit_bytes` of them."""

    limit_bytes: int


Line = bytes | TooLong


class LineSplitter:
    """Holds the unfinished line between chunks: never more of it than the limit."""

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._limit = max_line_bytes
        self._held = bytearray()
        self._too_long = False
        self._first = True

    def feed(self, chunk: bytes) -> list[Line]:
        """Return the lines that this chunk ends, without CR, LF and the stream's BOM; blank ones are left out."""
        *ends, rest = chunk.split(b"\n")
        lines: list[Line] = []
        for end in ends:
            self._hold(end)
            lines += self._take()
        self._hold(rest)
        return lines

    def finish(self) -> list[Line]:
        """Return what the stream left without an LF: one line or none."""
        return self._take()

    def _hold(self, part: bytes) -> None:
        if self._too_long:
            return
        if len(self._held) + len(part) > self._limit:
            self._too_long = True
            self._held = bytearray()
        else:
            self._held += part

    def _take(self) -> list[Line]:
        line, first, too_long = bytes(self._held), self._first, self._too_long
        self._held, self._first, self._too_long = bytearray(), False, False
        if too_long:
            return [TooLong(self._limit)]
        line = line.removeprefix(b"\xef\xbb\xbf") if first else line
        line = line.removesuffix(b"\r")
        return [line] if line.strip(b" \t\r") else []
