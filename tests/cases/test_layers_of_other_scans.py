"""A hidden layer that misses a part of its scan, or is that of another, is told or gives way, however long it is."""

from __future__ import annotations

import string
import textwrap
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import ImageFont

from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.layer_check import ASTRAY, FOREIGN, MISSES, PARTIAL, TWICE, UNSEEN
from ocr_worker.pages.page import COVERED
from samples.sheets import paragraphs_of
from tests.cases.shown import LINES, SIZE, WHOLE_PAGE, jpeg, page, saved, sheet, text
from tests.pages.desk import Desk, Done

HEIGHT, STEP, LEFT, TOP = 28, 2.4 * 28, 90, 120
POINTS_PER_PIXEL = 72 / 150
Words = list[tuple[str, float, float]]
"""Each with its left and its baseline, in points."""


def lines_of(kind: str) -> list[str]:
    return textwrap.wrap(" ".join(paragraphs_of(kind)), 62)[:20]


def words_of(lines: list[str], move: tuple[float, float] = (0, 0)) -> Words:
    """As they stand on the sheet of these lines."""
    pen, found = ImageFont.load_default(HEIGHT), []
    for row, line in enumerate(lines):
        at = 0
        for word in line.split():
            at = line.index(word, at)
            left = (LEFT + pen.getlength(line[:at])) * POINTS_PER_PIXEL
            baseline = (SIZE[1] - TOP - row * STEP - 0.95 * HEIGHT) * POINTS_PER_PIXEL
            found.append((word, left + move[0], baseline + move[1]))
            at += len(word)
    return found


def whole_lines(lines: list[str]) -> Words:
    """Each line as one word, as some programs write their layers."""
    firsts = [words_of(lines[: row + 1])[-len(line.split())] for row, line in enumerate(lines)]
    return [(line, left, low) for line, (_, left, low) in zip(lines, firsts, strict=True)]


def read(layer: Words, lines: list[str], desk: Desk, path: Path) -> Done:
    """A scan of the lines with this layer."""
    with pikepdf.new() as pdf:
        drawn = b"".join(
            text(_escaped(word), left, low, 0.92 * HEIGHT * POINTS_PER_PIXEL, "3 Tr")
            for word, left, low in layer
        )
        page(pdf, WHOLE_PAGE + drawn, {"Scan": jpeg(pdf, sheet(lines, height=HEIGHT))})
        return desk.process(saved(pdf, path))


def _escaped(word: str) -> str:
    return word.encode("ascii", "replace").decode("ascii").replace("(", "\\(").replace(")", "\\)")


@pytest.mark.parametrize("make", [words_of, whole_lines])
def test_a_layer_of_all_the_print_is_kept_without_a_word(
    make: Callable[[list[str]], Words], desk: Desk, tmp_path: Path
) -> None:
    lines = lines_of("prose")

    done = read(make(lines), lines, desk, tmp_path / "right.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", ())
    assert len(done.text) > 400


@pytest.mark.parametrize("gone", [slice(8, 11), slice(17, 20)])
def test_a_layer_that_misses_a_part_of_its_scan_is_told(gone: slice, desk: Desk, tmp_path: Path) -> None:
    lines = lines_of("prose")
    heights = sorted({low for _, _, low in words_of(lines)}, reverse=True)[gone]
    layer = [word for word in words_of(lines) if word[2] not in heights]

    done = read(layer, lines, desk, tmp_path / "part.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", (MISSES,))


def test_a_long_layer_that_misses_half_of_its_scan_gives_way(desk: Desk, tmp_path: Path) -> None:
    lines = lines_of("prose")

    done = read(words_of(lines[:10]), lines, desk, tmp_path / "half.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (PARTIAL,))
    assert lines[15].split()[2] in done.text


def test_the_layer_of_another_page_gives_way(desk: Desk, tmp_path: Path) -> None:
    lines = lines_of("prose")

    done = read(words_of(lines_of("letters")), lines, desk, tmp_path / "other.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (FOREIGN,))
    assert lines[15].split()[2] in done.text


@pytest.mark.parametrize(("count", "move"), [(20, (14, 32)), (4, (14, 60)), (4, (800, 0))])
def test_a_layer_whose_words_stand_elsewhere_is_told(
    count: int, move: tuple[float, float], desk: Desk, tmp_path: Path
) -> None:
    lines = lines_of("prose")[:count]

    done = read(words_of(lines, move), lines, desk, tmp_path / "astray.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", (ASTRAY,))


@pytest.mark.parametrize("count", [2, 20])
def test_the_layer_of_a_white_scan_is_in_no_output(count: int, desk: Desk, tmp_path: Path) -> None:
    done = read(words_of(lines_of("prose")[:count]), [], desk, tmp_path / "white.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("blank", (UNSEEN,))
    assert done.text.split() == []


@pytest.mark.parametrize("rows", [0, 2])
def test_a_layer_that_misses_a_small_scan_beside_typed_text_is_told(
    rows: int, desk: Desk, tmp_path: Path
) -> None:
    typed = b"".join(
        text(f"Typed sentence {at} of the page itself", 60, 380 - 14 * at, 11) for at in range(20)
    )
    hidden = text("A heading that nobody sees", 60, 20, 9, "3 Tr")
    layer = b"".join(text(line, 43, 770 - 39.2 * row, 16, "3 Tr") for row, line in enumerate(LINES[:rows]))
    with pikepdf.new() as pdf:
        clipping = jpeg(pdf, sheet(LINES, (1240, 780)))
        shown = b"q 595 0 0 375 0 466.92 cm /Scan Do Q\n"
        page(pdf, shown + typed + b"q " + hidden + layer + b"Q\n", {"Scan": clipping})
        path = saved(pdf, tmp_path / "beside.pdf")

    done = desk.process(path)

    assert done.pages[0].warnings == (MISSES,)
    assert done.text.count("Typed") == 20


OTHERS = (
    "ladder ribbon turnip castle yonder",
    "monkey silver planet thimble oyster",
    "fiddle throne basket walrus mitten",
)


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (OTHERS, FOREIGN),
        (("the the the the the the the the",) * 3, FOREIGN),
        (("0815 4711 2024 9999 1234",) * 3, PARTIAL),
    ],
)
def test_a_short_layer_that_says_other_words_in_the_right_places_gives_way(
    other: tuple[str, ...], verdict: str, desk: Desk, tmp_path: Path
) -> None:
    lines = list(LINES[:3])

    done = read(words_of(list(other)), lines, desk, tmp_path / "other.pdf")

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (verdict,))
    assert done.text.split() == " ".join(lines).split()


def test_words_that_were_stretched_to_boxes_of_others_give_way(desk: Desk, tmp_path: Path) -> None:
    lines, drawn = list(LINES[:3]), b""
    for (word, left, low), other in zip(words_of(lines), " ".join(OTHERS).split()[::-1], strict=True):
        pen = ImageFont.load_default(HEIGHT)
        said = other[:3] if len(word) > 5 else other + other
        stretch = 100 * pen.getlength(word) / pen.getlength(said)
        size = 0.92 * HEIGHT * POINTS_PER_PIXEL
        drawn += text(said, left, low, size, f"3 Tr {stretch:.1f} Tz")
    with pikepdf.new() as pdf:
        page(pdf, WHOLE_PAGE + drawn, {"Scan": jpeg(pdf, sheet(lines, height=HEIGHT))})
        done = desk.process(saved(pdf, tmp_path / "stretched.pdf"))

    assert done.pages[0].status == "ok"
    assert done.text.split() == " ".join(lines).split()


@pytest.mark.parametrize("first", ["3 Tr", "0 Tr"])
def test_of_two_layers_one_over_the_other_each_word_is_told_once(
    first: str, desk: Desk, tmp_path: Path
) -> None:
    lines = lines_of("prose")
    with pikepdf.new() as pdf:
        drawn = b"".join(
            text(_escaped(word), left + move, low + move, 0.92 * HEIGHT * POINTS_PER_PIXEL, mode)
            for mode, move in ((first, 0.0), ("3 Tr", 0.7))
            for word, left, low in words_of(lines)
        )
        pictures = {"Scan": jpeg(pdf, sheet(lines, height=HEIGHT))} if first == "3 Tr" else {}
        page(pdf, (WHOLE_PAGE if pictures else b"") + drawn, pictures)
        done = desk.process(saved(pdf, tmp_path / "twice.pdf"))

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", (TWICE,))
    assert done.text.split() == _escaped(" ".join(lines)).replace("\\", "").split()


def test_what_was_painted_over_is_not_told_by_the_layer_either(desk: Desk, tmp_path: Path) -> None:
    lines = lines_of("prose")
    layer = b"".join(
        text(_escaped(word), left, low, 0.92 * HEIGHT * POINTS_PER_PIXEL, "3 Tr")
        for word, left, low in words_of(lines)
    )
    (_, left, low), *_ = words_of(lines[:2])[-2:]
    with pikepdf.new() as pdf:
        blot = b"0 g %.2f %.2f 500 16 re f\n" % (left - 2, low - 4)
        page(pdf, WHOLE_PAGE + layer + blot, {"Scan": jpeg(pdf, sheet(lines, height=HEIGHT))})
        done = desk.process(saved(pdf, tmp_path / "painted.pdf"))

    said = " ".join(lines).split()
    painted = len(" ".join(lines[:2]).split())
    assert done.pages[0].status == "has_text"
    assert done.text.split() == said[: painted - 2] + said[painted:]


def test_a_layer_that_was_painted_over_as_a_whole_goes_with_redo(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        (line, left, low), *_ = whole_lines(list(LINES[:1]))
        painted = text(line, left, low, 12, "3 Tr") + b"0 g 20 %f 560 40 re f\n" % (low - 12)
        page(pdf, WHOLE_PAGE + painted, {"Scan": jpeg(pdf, sheet(LINES))})
        done = desk.process(saved(pdf, tmp_path / "gone.pdf"), PageSettings(existing_text="redo"))

    assert done.text.split() == " ".join(LINES[1:]).split()
    with pikepdf.open(done.outputs["pdf"]) as written:
        shown = b"".join(part.read_bytes() for part in written.pages[0].Contents)
    assert line.encode("ascii") not in shown


@pytest.mark.parametrize("box", [(0, 0, 500, 700), (0, 0, 0, 0)])
def test_a_layer_in_a_font_without_ink_is_one(box: tuple[int, ...], desk: Desk, tmp_path: Path) -> None:
    lines = list(LINES)
    with pikepdf.new() as pdf:
        size = HEIGHT * POINTS_PER_PIXEL
        drawn = b"".join(
            text(line, left, low, size).replace(b"/F ", b"/T ") for line, left, low in whole_lines(lines)
        )
        made = page(pdf, WHOLE_PAGE + drawn, {"Scan": jpeg(pdf, sheet(lines, height=HEIGHT))})
        made.Resources.Font.T = _inkless(pdf, box)
        path = saved(pdf, tmp_path / "inkless.pdf")

    kept = desk.process(path)
    kept_text = kept.text
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert (kept.pages[0].status, redone.pages[0].status) == ("has_text", "ok")
    assert kept_text.split() == redone.text.split() == " ".join(lines).split()
    assert redone.pages[0].warnings == (COVERED,)


@pytest.mark.parametrize(
    "beside", [b"", WHOLE_PAGE, text("Typed words of the page", 60, 60, 12)], ids=["alone", "scan", "text"]
)
def test_words_in_a_font_without_ink_and_size_are_not_told(beside: bytes, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        scan = {"Scan": jpeg(pdf, sheet(LINES[:1]))}
        made = page(pdf, beside + text("xyzzy plugh", 60, 400).replace(b"/F ", b"/T "), scan)
        made.Resources.Font.T = _inkless(pdf, (0, 0, 0, 0))
        path = saved(pdf, tmp_path / "nothing.pdf")

    told = desk.process(path).text

    assert "xyzzy" not in told
    assert bool(told.strip()) == bool(beside)


def _inkless(pdf: pikepdf.Pdf, box: tuple[int, ...]) -> Dictionary:
    """As wide as the letters of the scan."""
    glyph, pen = pdf.make_stream(b"500 0 d0"), ImageFont.load_default(HEIGHT)
    names = [Name(f"/{letter}") for letter in string.ascii_lowercase]
    widths = [round(pen.getlength(chr(code)) / HEIGHT * 1000) for code in range(32, 127)]
    return Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=Array(box), FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
        CharProcs=Dictionary({str(name): glyph for name in names}), Encoding=Dictionary(Differences=Array([97, *names])),
        FirstChar=32, LastChar=126, Widths=Array(widths), Resources=Dictionary(),
    )  # fmt: skip
