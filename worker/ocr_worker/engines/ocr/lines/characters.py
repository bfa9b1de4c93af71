"""What the classes of the network stand for, as the unicharset and the recoder of a language's data say it."""

from __future__ import annotations

from ocr_worker.engines.ocr.lines.scan import DamagedDataError, Scan

MOST_CHARACTERS = 1 << 17
LONGEST_CODE = 9
_LONGEST_CHARACTER = 24
_SPACE = "NULL"


def read_characters(content: bytes) -> list[str]:
    """By their number; the first is the space. Raises DamagedDataError."""
    try:
        head, *lines = content.decode("utf-8").split("\n")
        count = int(head)
    except ValueError as error:
        raise DamagedDataError("has a list of characters that is no text") from error
    # Each line has an end, the last one too.
    if not 0 < count < min(len(lines), MOST_CHARACTERS):
        raise DamagedDataError("has a list of characters that is cut off")
    characters = [line.partition(" ")[0] for line in lines[:count]]
    if characters[0] != _SPACE or not all(0 < len(one) <= _LONGEST_CHARACTER for one in characters):
        raise DamagedDataError("has a list of characters that Tesseract could not read")
    return [" ", *characters[1:]]


def read_codes(content: bytes, characters: int, classes: int) -> list[tuple[int, ...]]:
    """For each character the classes that stand for it, one after the other. Raises DamagedDataError."""
    scan = Scan(content)
    if scan.count(MOST_CHARACTERS) != characters:
        raise DamagedDataError("has codes of other characters than its own")
    codes = []
    for _ in range(characters):
        scan.bytes(1)
        codes.append(tuple(scan.number("i") for _ in range(scan.count(LONGEST_CODE))))
    if not all(0 <= one < classes for code in codes for one in code):
        raise DamagedDataError("has codes that its network does not know")
    return codes
