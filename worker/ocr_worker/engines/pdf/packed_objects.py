"""Objects that lie packed in others of a PDF: where its table is lost, nobody else looks for them there."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

_STREAM = re.compile(rb"(?<![0-9])\d{1,8} 0 obj\s*<<([^>]{0,512}/ObjStm[^>]{0,512})>>\s*stream\r?\n")
_PLAIN = re.compile(rb"(?<![0-9])(\d{1,8}) 0 obj\b")
_COUNT, _FIRST = re.compile(rb"/N\s+(\d{1,6})"), re.compile(rb"/First\s+(\d{1,8})")
_CATALOGUE = re.compile(rb"/Type\s*/Catalog(?![A-Za-z])")
_MOST_BYTES = 64 << 20
"""Unpacked, of a whole file."""


def unpacked(content: bytes) -> bytes:
    """The same objects one by one, and a trailer that leads to the document's root where that is among them."""
    if b"/Encrypt" in content:
        return b""
    found = dict(_objects(content))
    parts = [b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in found.items()]
    roots = [number for number, body in found.items() if _CATALOGUE.search(body)]
    if roots:
        parts.append(
            b"trailer\n<</Root %d 0 R/Size %d>>\nstartxref\n0\n%%%%EOF\n" % (roots[-1], max(found) + 1)
        )
    return b"\n" + b"".join(parts) if parts else b""


def _objects(content: bytes) -> Iterator[tuple[int, bytes]]:
    left, newest = _MOST_BYTES, {int(plain[1]): plain.start() for plain in _PLAIN.finditer(content)}
    for stream in _STREAM.finditer(content):
        count, first = _COUNT.search(stream[1]), _FIRST.search(stream[1])
        if not count or not first:
            continue
        data = _inflated(content[stream.end() :], left) if b"/FlateDecode" in stream[1] else b""
        left -= len(data)
        for number, body in _listed(data, int(count[1]), int(first[1])):
            if newest.get(number, -1) < stream.start():
                yield number, body


def _inflated(packed: bytes, most: int) -> bytes:
    """As much as there is of it."""
    unpacking = zlib.decompressobj()
    try:
        return unpacking.decompress(packed, max(1, most))
    except zlib.error:
        return b""


def _listed(data: bytes, count: int, first: int) -> Iterator[tuple[int, bytes]]:
    """Those that are whole: each ends where the next one begins, and the last one of torn data is in doubt."""
    numbers = data[:first].split()[: 2 * count]
    if not all(number.isdigit() for number in numbers):
        return
    ids, starts = [int(n) for n in numbers[::2]], [first + int(n) for n in numbers[1::2]]
    for number, start, end in zip(ids, starts, [*starts[1:], len(data)], strict=False):
        if start < end <= len(data):
            yield number, data[start:end].strip()
