"""ALTO 4.2: the pages as an XML layout description, in pixels."""

from __future__ import annotations

from itertools import groupby
from typing import BinaryIO
from xml.sax.saxutils import escape, quoteattr

from ocr_worker.model.page import Box, Line, Page, Word
from ocr_worker.outputs.document import Document
from ocr_worker.outputs.language_tags import tags
from ocr_worker.outputs.xml_text import xml_safe

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# http://www.loc.gov/standards/alto/v4/alto-4-2.xsd">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{name}</fileName></sourceImageInformation>
<Processing ID="OCR_1"><processingStepSettings>{settings}</processingStepSettings><processingSoftware><softwareName>ocr-sidecar</softwareName></processingSoftware></Processing>
</Description>
<Layout>
"""


class AltoWriter:
    def __init__(self, stream: BinaryIO, document: Document) -> None:
        self._stream = stream
        languages = tags(document.languages)
        # Of several, nobody knows which one a block is in.
        self._language = f' LANG="{languages[0]}"' if len(languages) == 1 else ""
        settings = escape(xml_safe("languages: " + " ".join(languages)))
        self._write(_HEAD.format(name=escape(xml_safe(document.name)), settings=settings))

    def add(self, page: Page) -> None:
        size = f'WIDTH="{page.width_px}" HEIGHT="{page.height_px}"'
        self._write(f'<Page ID="page_{page.number}" PHYSICAL_IMG_NR="{page.number}" {size}>\n')
        self._write(f'<PrintSpace HPOS="0" VPOS="0" {size}>\n')
        for number, (_, lines) in enumerate(
            groupby(page.lines, key=lambda line: (line.block, line.paragraph))
        ):
            self._write_block(f"{page.number}_{number}", list(lines))
        self._write("</PrintSpace>\n</Page>\n")

    def finish(self) -> None:
        self._write("</Layout>\n</alto>\n")

    def _write_block(self, name: str, lines: list[Line]) -> None:
        boxes = [line.box for line in lines]
        around = (
            min(b[0] for b in boxes),
            min(b[1] for b in boxes),
            max(b[2] for b in boxes),
            max(b[3] for b in boxes),
        )
        self._write(f'<TextBlock ID="block_{name}" {_place(around)}{self._language}>\n')
        for number, line in enumerate(lines):
            self._write(_line(f"{name}_{number}", line))
        self._write("</TextBlock>\n")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "replace"))


def _line(name: str, line: Line) -> str:
    parts = [f'<TextLine ID="line_{name}" BASELINE="{round(line.baseline[1])}" {_place(line.box)}>']
    for number, word in enumerate(line.words):
        if number and word.space_before:
            left, right = line.words[number - 1].box[2], word.box[0]
            parts.append(f'<SP WIDTH="{max(0, right - left)}" HPOS="{left}" VPOS="{word.box[1]}"/>')
        parts.append(_string(f"{name}_{number}", word))
    return "".join(parts) + "</TextLine>\n"


def _string(name: str, word: Word) -> str:
    rating = "" if word.confidence is None else f' WC="{word.confidence / 100:.2f}"'
    return f'<String ID="string_{name}" CONTENT={quoteattr(xml_safe(word.text))}{rating} {_place(word.box)}/>'


def _place(box: Box) -> str:
    left, top, right, bottom = box
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{max(0, right - left)}" HEIGHT="{max(0, bottom - top)}"'
