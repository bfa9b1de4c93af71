"""JSON, hOCR, ALTO and text say the same, in the shapes they promise."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from ocr_worker.model.page import Line, Page, Word, map_lines
from ocr_worker.outputs.alto import AltoWriter
from ocr_worker.outputs.document import Document, PageWriter
from ocr_worker.outputs.hocr import HocrWriter
from ocr_worker.outputs.json_results import JsonWriter
from ocr_worker.outputs.text import TextWriter
from tests.conftest import REPOSITORY

SCHEMA = REPOSITORY / "worker" / "ocr_worker" / "outputs" / "results.schema.json"
ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
XHTML = "{http://www.w3.org/1999/xhtml}"
DOCUMENT = Document(
    path="/in/a & b.png", name="a & b.png", kind="png", bytes=10, sha256="0" * 64, pages=2,
    languages=("eng",), settings={"dpi": None}, created="2026-01-01T00:00:00.000Z",
)  # fmt: skip


def _line(text: str, top: int, paragraph: int = 0) -> Line:
    words, left = [], 100
    for part in text.split():
        words.append(Word(part, (left, top, left + 20 * len(part), top + 30), 90.0))
        left += 20 * len(part) + 15
    return Line(
        tuple(words),
        (100, top, left - 15, top + 30),
        (100.0, top + 25.0, left - 15.0, top + 25.0),
        0,
        paragraph,
    )


PAGES = [
    Page(
        1, "ok", 1000, 1400, dpi=150, width_points=480, height_points=672, engine="tesserocr", engine_version="5.5",
        lines=(_line("Fish & <chips>", 100), _line("again", 150), _line("new \x0bparagraph \ud800", 250, 1)),
    ),
    Page(2, "failed", error_code="corrupt", error="Page 2 is damaged"),
]  # fmt: skip


def _written(writer: PageWriter, stream: io.BytesIO) -> bytes:
    for page in PAGES:
        writer.add(page)
    writer.finish()
    return stream.getvalue()


def test_json_fits_its_schema_and_is_pure_ascii() -> None:
    stream = io.BytesIO()

    record = json.loads(_written(JsonWriter(stream, DOCUMENT), stream).decode("ascii"))

    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert record["pages"][1]["error"] == {"code": "corrupt", "message": "Page 2 is damaged"}
    assert record["pages"][0]["lines"][1]["words"][0]["box_points"] == [48.0, 72.0, 96.0, 86.4]


def test_json_names_all_that_pages_were_read_by_so_that_no_single_reader_finds_them_up_to_date() -> None:
    """A graphics card may fail in the middle of a file."""
    stream = io.BytesIO()
    writer = JsonWriter(stream, DOCUMENT)
    for number, by in enumerate(
        [("lines", "5 on cuda"), ("lines", "5"), ("tesserocr", "5"), ("lines", "5")], 1
    ):
        writer.add(replace(PAGES[0], number=number, engine=by[0], engine_version=by[1]))
    writer.finish()

    record = json.loads(stream.getvalue())

    assert (record["engine"], record["engine_version"]) == ("lines, tesserocr", "5 on cuda, 5, 5")


def test_text_has_a_form_feed_between_pages_and_an_empty_line_between_paragraphs() -> None:
    stream = io.BytesIO()

    text = _written(TextWriter(stream), stream).decode("utf-8")

    assert text == "Fish & <chips>\nagain\n\nnew paragraph ?\n\f"


def test_hocr_is_xhtml_with_a_box_and_a_rating_for_each_word() -> None:
    stream = io.BytesIO()

    root = ET.fromstring(_written(HocrWriter(stream, DOCUMENT), stream))

    words = [node for node in root.iter(f"{XHTML}span") if node.get("class") == "ocrx_word"]
    assert [node.text for node in words[:3]] == ["Fish", "&", "<chips>"]
    assert words[0].get("title") == "bbox 100 100 180 130; x_wconf 90"
    assert len([node for node in root.iter() if node.get("class") == "ocr_page"]) == 2
    assert len([node for node in root.iter() if node.get("class") == "ocr_par"]) == 2


def test_alto_is_xml_with_a_place_and_a_rating_for_each_word() -> None:
    stream = io.BytesIO()

    root = ET.fromstring(_written(AltoWriter(stream, DOCUMENT), stream))

    strings = list(root.iter(f"{ALTO}String"))
    assert (strings[0].get("CONTENT"), strings[0].get("HPOS"), strings[0].get("WC")) == (
        "Fish",
        "100",
        "0.90",
    )
    assert len(list(root.iter(f"{ALTO}Page"))) == 2
    assert len({node.get("ID") for node in root.iter() if node.get("ID")}) == len(
        [node for node in root.iter() if node.get("ID")]
    )


def test_confidence_is_weighted_by_characters() -> None:
    words = (
        Word("aa", (0, 0, 1, 1), 100.0),
        Word("bbbbbb", (0, 0, 1, 1), 60.0),
        Word("own", (0, 0, 1, 1), None),
    )

    page = Page(1, "ok", lines=(Line(words, (0, 0, 1, 1), (0, 1, 1, 1), 0, 0),))

    assert page.confidence == 70.0


def test_lines_carried_into_another_frame_and_back_are_where_they_were() -> None:
    quarter = (0.0, 1.0, -1.0, 0.0, 1400.0, 0.0)
    back = (0.0, -1.0, 1.0, 0.0, 0.0, 1400.0)

    turned = map_lines(PAGES[0].lines, quarter)

    assert turned[0].words[0].box == (1270, 100, 1300, 180)
    assert map_lines(turned, back) == PAGES[0].lines


@pytest.mark.parametrize("field", ["languages", "sha256"])
def test_the_schema_misses_nothing_that_matters(field: str) -> None:
    assert f'"{field}"' in Path(SCHEMA).read_text(encoding="utf-8")
