"""hOCR 1.2: the pages as XHTML with boxes and confidences in titles."""

from __future__ import annotations

from itertools import groupby
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from ocr_worker.model.page import Box, Line, Page
from ocr_worker.outputs.document import Document
from ocr_worker.outputs.language_tags import UNKNOWN, tags
from ocr_worker.outputs.xml_text import xml_safe

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="{language}" lang="{language}">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<meta name="ocr-system" content="ocr-sidecar"/>
<meta name="ocr-langs" content="{languages}"/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word"/>
</head>
<body>
"""


class HocrWriter:
    def __init__(self, stream: BinaryIO, document: Document) -> None:
        self._stream = stream
        self._image = xml_safe(document.name)
        languages = tags(document.languages) or (UNKNOWN,)
        self._write(
            _HEAD.format(title=escape(self._image), language=languages[0], languages=" ".join(languages))
        )

    def add(self, page: Page) -> None:
        box = (0, 0, page.width_px, page.height_px)
        image = self._image.replace('"', "'")
        title = f'image "{image}"; {_bbox(box)}; ppageno {page.number - 1}; scan_res {round(page.dpi)} {round(page.dpi_down)}'
        self._write(f'<div class="ocr_page" id="page_{page.number}" title={quoteattr(title)}>\n')
        for block, lines in groupby(page.lines, key=lambda line: line.block):
            self._write_block(f"{page.number}_{block}", list(lines))
        self._write("</div>\n")

    def finish(self) -> None:
        self._write("</body>\n</html>\n")

    def _write_block(self, name: str, lines: list[Line]) -> None:
        self._write(f'<div class="ocr_carea" id="block_{name}" title="{_bbox(_around(lines))}">\n')
        for paragraph, rows in groupby(lines, key=lambda line: line.paragraph):
            members = list(rows)
            self._write(
                f'<p class="ocr_par" id="par_{name}_{paragraph}" title="{_bbox(_around(members))}">\n'
            )
            for line in members:
                self._write(_line(line))
            self._write("</p>\n")
        self._write("</div>\n")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace"))


def _line(line: Line) -> str:
    x0, y0, x1, y1 = line.baseline
    slope = (y1 - y0) / (x1 - x0) if x1 != x0 else 0.0
    title = f"{_bbox(line.box)}; baseline {slope:.3f} {round(y0 - line.box[3])}"
    words = []
    for number, word in enumerate(line.words):
        rating = "" if word.confidence is None else f"; x_wconf {round(word.confidence)}"
        space = " " if number and word.space_before else ""
        words.append(
            f'{space}<span class="ocrx_word" title="{_bbox(word.box)}{rating}">{escape(xml_safe(word.text))}</span>'
        )
    return f'<span class="ocr_line" title="{title}">{"".join(words)}</span>\n'


def _bbox(box: Box) -> str:
    return "bbox {} {} {} {}".format(*box)


def _around(lines: list[Line]) -> Box:
    boxes = [line.box for line in lines]
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )
