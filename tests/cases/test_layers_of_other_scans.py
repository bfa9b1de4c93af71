"""A hidden layer that misses a part of its scan, or is that of another, is told or gives way, however long it is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import ImageFont

from ocr_worker.pages.layer_check import ASTRAY, FOREIGN, MISSES, PARTIAL, UNSEEN
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
