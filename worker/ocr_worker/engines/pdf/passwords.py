"""The ways in which programs turn a password into bytes.

PDF 1.x takes one byte a character, without saying which set; PDF 2.0 takes UTF-8 after SASLprep (RFC 4013). Many
programs do neither, so each spelling is tried.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_SETS = ("utf-8", "latin-1", "cp1252", "pdfdoc", "mac-roman", "cp1250", "cp437")


def spellings(password: str | None) -> tuple[bytes, ...]:
    """Of what was given, as it was given first; at last the empty one, which a file may have that needs none."""
    return tuple(dict.fromkeys((*_encoded(password or ""), b"")))


def forms(password: str) -> list[str]:
    """What was given, and as others would have written it; at last the empty one, as for `spellings`."""
    return list(dict.fromkeys((*_written(password), "")))


def _encoded(password: str) -> Iterator[bytes]:
    for form in _written(password):
        for charset in _SETS:
            try:
                yield form.encode(charset)
            except UnicodeError:
                continue


def _written(password: str) -> Iterator[str]:
    yield password
    if not password.isascii():
        yield _prepared(password)
        yield from _normal(password)


def _normal(password: str) -> Iterator[str]:
    """Keyboards and files of different systems compose letters or take them apart."""
    yield unicodedata.normalize("NFC", password)
    yield unicodedata.normalize("NFD", password)


def _prepared(password: str) -> str:
    """By SASLprep; what it forbids is left to whoever allowed it."""
    import stringprep

    kept = (" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    return unicodedata.normalize("NFKC", "".join(kept))
