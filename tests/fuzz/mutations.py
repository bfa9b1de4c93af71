"""Mutated PDFs and images: from a few good files and a number. The same bytes as long as the libraries that write
the good files stay the same, so findings are kept as bytes."""

from __future__ import annotations

import gzip
import os
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pikepdf

from tests.faults import documents, pictures

GOOD: dict[str, Callable[[], bytes]] = {
    "scan.pdf": lambda: documents.whole(documents.scan("One", "Two")),
    "text.pdf": documents.born_digital,
    "form.pdf": documents.form,
    "jbig2.pdf": documents.jbig2,
    "jpx.pdf": documents.jpx,
    # The older encryption, which has nothing of chance in it.
    "locked.pdf": lambda: documents.whole(
        documents.scan(), encryption=pikepdf.Encryption(owner="o", user="", R=3, aes=False, metadata=False)
    ),
    "page.png": pictures.png,
    "palette.png": pictures.clear_palette,
    "page.jpg": pictures.jpeg,
    "cmyk.jpg": pictures.cmyk_jpeg,
    "frames.tiff": pictures.mixed_tiff,
    "group4.tiff": lambda: pictures.saved(pictures.sheet().convert("1"), "TIFF", compression="group4"),
    "page.bmp": lambda: pictures.saved(pictures.sheet(), "BMP"),
    "moving.gif": lambda: pictures.animation("GIF"),
    "page.webp": lambda: pictures.animation("WEBP"),
    "page.pgm": lambda: pictures.saved(pictures.sheet(), "PPM"),
}
_NUMBER = re.compile(rb"\d+")
_NUMBERS = (b"0", b"-1", b"1", b"255", b"65536", b"4294967295", b"99999999999999999999", b"1e9")
LONG = "OCR_FUZZ_SECONDS" in os.environ
FIRST = int(os.environ.get("OCR_FUZZ_FIRST", random.randrange(10**9) if LONG else 1))
"""The first number: others at each `make faults`, which prints it; the same in `make test`."""
FOUND = Path(__file__).parent / "found"
"""Files that found a fault once."""


def mutated(number: int) -> tuple[str, bytes]:
    """Name and content of a mutated file; the number is all that it depends on."""
    chance = random.Random(number)
    name = chance.choice(sorted(GOOD))
    content = bytearray(_good(name))
    for _ in range(chance.randint(1, 6)):
        chance.choice(_WAYS)(content, chance)
    return f"{number}-{name}", bytes(content)


@cache
def _good(name: str) -> bytes:
    return GOOD[name]()


def _flip(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 16)):
        content[_place(content, chance)] = chance.randrange(256)


def _cut(content: bytearray, chance: random.Random) -> None:
    del content[max(64, _place(content, chance)) :]


def _drop(content: bytearray, chance: random.Random) -> None:
    at = _place(content, chance)
    del content[at : at + chance.randint(1, 64)]


def _repeat(content: bytearray, chance: random.Random) -> None:
    at = _place(content, chance)
    content[at:at] = content[at : at + chance.randint(1, 256)] * chance.randint(1, 8)


def _renumber(content: bytearray, chance: random.Random) -> None:
    found = list(_NUMBER.finditer(content))
    if found:
        start, end = chance.choice(found).span()
        content[start:end] = chance.choice(_NUMBERS)


def _extreme(content: bytearray, chance: random.Random) -> None:
    at = _place(content, chance)
    content[at : at + 4] = chance.choice(
        (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\x80")
    )


def _place(content: bytearray, chance: random.Random) -> int:
    """Headers, at the beginning, are hit as often as all the rest."""
    end = max(1, len(content))
    return chance.randrange(min(end, 512) if chance.random() < 0.5 else end)


_WAYS = (_flip, _cut, _drop, _repeat, _renumber, _extreme)


def found() -> dict[str, bytes]:
    return {path.stem: gzip.decompress(path.read_bytes()) for path in FOUND.glob("*.gz")}


def keep(file: Path) -> Path:
    """A copy of a file that found a fault, ready to be moved to those found."""
    kept = Path("build", "fuzz", f"{file.name}.gz").absolute()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    return kept
