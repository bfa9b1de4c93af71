"""Wrap the prose of Markdown pages at 120 characters: `python tools/wrap_docs.py PAGE...`. Tables and code stay."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

WIDTH = 120
_ITEM = re.compile(r"\s*(?:[-*] |\d+\. )")
_KEEP = "keep"
"""Marks a line that stays as it is."""
_AS_IT_IS = re.compile(r"\s*(?:\||#|!\[|<!--|$)")


def wrapped(text: str) -> str:
    """The page, each paragraph and list item with a line that is too long wrapped anew."""
    return "\n".join(line for block in _blocks(text.split("\n")) for line in _wrap(block))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Paragraphs and list items; every other line alone."""
    block: list[str] = []
    is_code = False
    for line in lines:
        is_fence = line.lstrip().startswith("```")
        is_alone = is_code or is_fence or _AS_IT_IS.match(line)
        is_code ^= is_fence
        if block and (is_alone or _ITEM.match(line)):
            yield block
            block = []
        if is_alone:
            yield [_KEEP, line]
        else:
            block.append(line)
    if block:
        yield block


def _wrap(block: list[str]) -> list[str]:
    if block[0] is _KEEP:
        return block[1:]
    if all(len(line) <= WIDTH for line in block):
        return block
    item = _ITEM.match(block[0])
    first = item.group() if item else ""
    words = " ".join([block[0][len(first) :].strip(), *(line.strip() for line in block[1:])])
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=" " * len(first), break_long_words=False, break_on_hyphens=False
    )  # fmt: skip


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(wrapped(page.read_text(encoding="utf-8")), encoding="utf-8")
