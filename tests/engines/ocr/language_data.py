"""Language data as an attacker makes it, from the English data of this machine."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

ENTRIES, CONFIG = 24, 0
COMPONENTS = {
    0: "config", 17: "lstm", 18: "lstm-punc-dawg", 19: "lstm-word-dawg", 20: "lstm-number-dawg",
    21: "lstm-unicharset", 22: "lstm-recoder", 23: "version",
}  # fmt: skip
"""The names that the entries of English have in an archive."""


def entries_of(content: bytes) -> dict[int, bytes]:
    count = struct.unpack_from("<i", content)[0]
    begins = struct.unpack_from(f"<{count}q", content, 4)
    there = [(number, begin) for number, begin in enumerate(begins) if begin >= 0]
    ends = [*(begin for _, begin in there[1:]), len(content)]
    return {number: content[begin:end] for (number, begin), end in zip(there, ends, strict=True)}


def plain(entries: dict[int, bytes], order: str = "<") -> bytes:
    begins, at = [-1] * ENTRIES, 4 + 8 * ENTRIES
    for number in sorted(entries):
        begins[number] = at
        at += len(entries[number])
    head = struct.pack(f"{order}i{ENTRIES}q", ENTRIES, *begins)
    return head + b"".join(entries[number] for number in sorted(entries))


def with_settings(english: Path, settings: str | bytes) -> bytes:
    """English that sets something."""
    config = settings if isinstance(settings, bytes) else settings.encode()
    return plain({**entries_of(english.read_bytes()), CONFIG: config})


def archive_behind(english: Path, settings: str, code: str) -> bytes:
    """English to whoever reads the head, and to whoever looks for an archive one with settings."""
    content = english.read_bytes()
    packed = io.BytesIO(content)
    packed.seek(0, io.SEEK_END)
    with zipfile.ZipFile(packed, "a") as archive:
        for number, entry in {**entries_of(content), CONFIG: settings.encode()}.items():
            archive.writestr(f"{code}.{COMPONENTS[number]}", entry)
    return packed.getvalue()
