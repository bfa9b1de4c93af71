"""Tesseract as a command, through pytesseract: one process for each page, read as hOCR, and as text for spaces."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

os.environ.setdefault("OMP_THREAD_LIMIT", "1")

import pytesseract

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata
from ocr_worker.errors import EngineError, EngineMissingError, NoSpaceError, no_space
from ocr_worker.model.page import Box, Line, Word

_NEAR = 200
"""In characters: a word that the text lacks must not be found pages on."""
PROBES, PROBE_BYTES = 4, 65536
"""Files that are made to find out whether there is room: the command and pytesseract make three."""
_DATA_VARIABLE = "TESSDATA_PREFIX"
_LINES = {"ocr_line", "ocr_textfloat", "ocr_header", "ocr_caption"}


class TesseractEngine:
    name = "tesseract"

    def __init__(self, languages: tuple[str, ...], folder: Path) -> None:
        command = tessdata.tesseract_command()
        if command is None:
            raise EngineMissingError("No Tesseract command: install Tesseract and put it on PATH")
        pytesseract.pytesseract.tesseract_cmd = str(command)
        self._languages = "+".join(languages)
        self._tessdata = folder
        self.version = str(pytesseract.get_tesseract_version())

    def find_layout(self, image: GreyImage) -> None:
        """The command tells nothing before it has read the page."""

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        with handed_over(image, self._tessdata) as (bitmap, options):
            answer = bitmap.with_name("answer")
            config = f"--psm 3 --oem 1 -c tessedit_create_hocr=1 -c tessedit_create_txt=1 {options}"
            try:
                pytesseract.pytesseract.run_tesseract(str(bitmap), str(answer), "", self._languages, config)
                hocr = answer.with_suffix(".hocr").read_bytes()
                text = answer.with_suffix(".txt").read_text(encoding="utf-8", errors="replace")
            except (
                pytesseract.TesseractError,
                pytesseract.TesseractNotFoundError,
                RuntimeError,
                OSError,
                # What pytesseract makes of a temporary file that could not be made.
                UnboundLocalError,
            ) as error:
                if full := no_space(error, bitmap.parent) or lack_of_room(bitmap.parent):
                    raise full from error
                raise EngineError(f"Tesseract failed on the page: {error}") from error
        return tuple(read_hocr(hocr, text))


@contextmanager
def handed_over(image: GreyImage, folder: Path) -> Iterator[tuple[Path, str]]:
    """A bitmap as a file of ours, and the options that the command needs to read it."""
    # In the page process's own place for temporary files, which goes with it.
    with ExitStack() as stack:
        try:
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="page-"))
            bitmap = Path(scratch) / "page.pgm"
            image.picture.save(bitmap)
        except OSError as error:
            raise no_space(error, tempfile.gettempdir()) or EngineError(
                f"The page can't be handed to Tesseract: {error}"
            ) from error
        where = stack.enter_context(_data_in(folder))
        yield bitmap, f"{where} --dpi {image.engine_dpi}"


@contextmanager
def _data_in(folder: Path) -> Iterator[str]:
    """The option that leads the command to its data; on Windows a variable, as pytesseract leaves quotes in options there."""
    if sys.platform != "win32":
        yield f"--tessdata-dir {shlex.quote(str(folder))}"
        return
    before = os.environ.get(_DATA_VARIABLE)
    os.environ[_DATA_VARIABLE] = str(folder)
    try:
        yield ""
    finally:
        if before is None:
            del os.environ[_DATA_VARIABLE]
        else:
            os.environ[_DATA_VARIABLE] = before


def lack_of_room(folder: Path) -> NoSpaceError | None:
    """Whether the command failed for a full disk, or one without room for another name: it does not say so."""
    probes = [folder / f"probe{number}" for number in range(PROBES)]
    try:
        for probe in probes:
            probe.write_bytes(bytes(PROBE_BYTES))
    except OSError as error:
        return no_space(error, folder)
    finally:
        for probe in probes:
            with suppress(OSError):
                probe.unlink(missing_ok=True)
    return None


def read_hocr(hocr: bytes, text: str) -> Iterator[Line]:
    """Lines of words from Tesseract's hOCR, parted as in its text."""
    try:
        root = ET.fromstring(hocr)  # noqa: S314 (Tesseract wrote it, not the user)
    except ET.ParseError as error:
        raise EngineError(f"Tesseract gave an answer that can't be read: {error}") from error
    paragraph, spaces = -1, _Spaces(text)
    for block, area in enumerate(_by_class(root, {"ocr_carea"})):
        for par in _by_class(area, {"ocr_par"}):
            paragraph += 1
            for row in _by_class(par, _LINES):
                words = tuple(_words(row, spaces))
                if words:
                    box = _box(row)
                    yield Line(words, box, _baseline(row, box), block, paragraph)


def _by_class(node: ET.Element, classes: set[str]) -> Iterator[ET.Element]:
    return (child for child in node.iter() if child.get("class") in classes)


def _words(row: ET.Element, spaces: _Spaces) -> Iterator[Word]:
    for node in _by_class(row, {"ocrx_word"}):
        text = "".join(node.itertext()).strip()
        if text:
            confidence = re.search(r"x_wconf (\d+)", node.get("title", ""))
            is_spaced = spaces.before(text)
            yield Word(text, _box(node), float(confidence[1]) if confidence else None, is_spaced)


@dataclass(slots=True)
class _Spaces:
    """Follows the words of the hOCR through the text: hOCR does not say where there are spaces."""

    text: str
    at: int = 0

    def before(self, word: str) -> bool:
        """Whether the word, asked for in order, has a space before it; so it is said of a word that is not in the text."""
        start = self.at
        while start < len(self.text) and self.text[start].isspace():
            start += 1
        if not self.text.startswith(word, start):
            start = self.text.find(word, start, start + _NEAR)
            if start < 0:
                return True
        is_spaced = start == 0 or self.text[start - 1].isspace()
        self.at = start + len(word)
        return is_spaced


def _box(node: ET.Element) -> Box:
    found = re.search(r"bbox (-?\d+) (-?\d+) (-?\d+) (-?\d+)", node.get("title", ""))
    if found is None:
        raise EngineError("Tesseract gave an answer without boxes")
    return int(found[1]), int(found[2]), int(found[3]), int(found[4])


def _baseline(row: ET.Element, box: Box) -> tuple[float, float, float, float]:
    title = row.get("title", "")
    found = re.search(r"baseline (-?[\d.]+) (-?[\d.]+)", title)
    turned = re.search(r"textangle (-?\d+)", title)
    left, top, right, bottom = map(float, box)
    if turned and int(turned[1]) % 360 == 90:
        return right, bottom, right, top
    if turned and int(turned[1]) % 360 == 270:
        return left, top, left, bottom
    slope, offset = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    return left, bottom + offset, right, bottom + offset + slope * (right - left)
