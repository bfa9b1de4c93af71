"""The text of a PDF as six readers that are not ours see it, and how much of a page's own text that is."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import miss, need_command
from tests.pages.readers import pdfium_text, poppler_text, pypdf_text

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Reader:
    name: str
    read: Callable[[Path], str]
    command: str = ""
    """That it takes, if it is no Python package."""

    def require(self) -> None:
        """Skip by name, or fail in CI, where the reader is not there."""
        if self.command:
            need_command(self.command)
        if self.command == "node":
            _require_pdfjs()


@dataclass(frozen=True, slots=True)
class Found:
    """Shares of a page's words that a reader finds."""

    in_order: float
    at_all: float


def found(page_text: str, reader_text: str) -> Found:
    wanted, given = _words(page_text), _words(reader_text)
    common = (Counter(wanted) & Counter(given)).total()
    return Found(_common_in_order(wanted, given) / len(wanted), common / len(wanted))


def require(name: str) -> Reader:
    """The reader of this name; a test without it is skipped by name."""
    (reader,) = (reader for reader in READERS if reader.name == name)
    reader.require()
    return reader


def pdfjs_lines(path: Path) -> list[str]:
    """What pdf.js takes for lines."""
    return _pdfjs_text(path).splitlines()


def _require_pdfjs() -> None:
    if not (HERE / "node_modules").is_dir():
        miss("needs pdf.js: make tests/readers/node_modules")
    version = _output("node", "--version").strip()
    if tuple(map(int, version.lstrip("v").split(".")[:2])) < (20, 16):
        miss(f"needs node 20.16 for pdf.js, not {version}")


def _pdfjs_text(path: Path) -> str:
    answer = _output("node", str(HERE / "text.mjs"), str(path))
    (pages,) = json.loads(answer)
    return "\f".join(
        "".join(item["str"] + ("\n" if item["hasEOL"] else "") for item in page) for page in pages
    )


def _poppler_laid_out(path: Path) -> str:
    return _output("pdftotext", "-q", str(path), "-")


def _mutool_text(path: Path) -> str:
    return _output("mutool", "draw", "-q", "-F", "txt", str(path))


READERS = (
    Reader("pdf.js", _pdfjs_text, "node"),
    Reader("poppler", _poppler_laid_out, "pdftotext"),
    Reader("poppler -raw", poppler_text, "pdftotext"),
    Reader("PDFium", pdfium_text),
    Reader("pypdf", pypdf_text),
    Reader("mutool", _mutool_text, "mutool"),
)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode("utf-8")


def _words(text: str) -> list[str]:
    """Without the marks of direction that poppler writes."""
    kept = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFC", kept.replace("\ufffe", "-")).split()


def _common_in_order(wanted: list[str], given: list[str]) -> int:
    """The length of the longest common subsequence."""
    above = [0] * (len(given) + 1)
    for word in wanted:
        row = [0]
        for place, other in enumerate(given):
            row.append(above[place] + 1 if word == other else max(above[place + 1], row[-1]))
        above = row
    return above[-1]
