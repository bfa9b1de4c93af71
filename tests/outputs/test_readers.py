"""The matrix: which readers find the words of which kind of page, and in the text's order. docs/outputs.md shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pikepdf
import pytest

from ocr_worker.model.page import Page
from tests.conftest import REPOSITORY
from tests.readers.made_pages import (
    DPI,
    HEIGHT,
    WIDTH,
    Setter,
    language,
    mixed_sizes,
    one_column,
    save_layer,
    sideways,
    turned,
    two_columns,
)
from tests.readers.texts import READERS, Reader, found, require

ENOUGH = 0.98

KINDS: dict[str, tuple[Callable[[], Page], int]] = {
    "level": (one_column, 0),
    **{f"tilted by {degrees}°": (partial(one_column, degrees), 0) for degrees in (0.2, 0.7, 2, 5, 9, -1, -2, -5)},
    "two columns": (two_columns, 0),
    **{f"two columns, tilted by {degrees}°": (partial(two_columns, degrees), 0) for degrees in (2, -2, 9)},
    "two columns, set wide": (partial(two_columns, leading=1.5), 0),
    "two columns, set wide, tilted by 0.7°": (partial(two_columns, 0.7, 1.5), 0),
    "mixed sizes": (mixed_sizes, 0),
    **{f"mixed sizes, tilted by {degrees}°": (partial(mixed_sizes, degrees), 0) for degrees in (-0.7, 5)},
    **{f"rotated by {turn}°": (one_column, turn) for turn in (90, 180, 270)},
    "rotated by 90°, tilted by 0.7°": (partial(one_column, 0.7), 90),
    "lines that run up the page": (sideways, 0),
    **{name: (partial(language, name), 0) for name in ("Hebrew", "Arabic", "Persian", "Vietnamese, marks apart", "Chinese", "Japanese", "Korean", "Hindi", "Bengali", "Thai", "Greek", "Russian")},
    "Hebrew, tilted by 0.7°": (partial(language, "Hebrew", 0.7), 0),
    "Persian, tilted by 0.7°": (partial(language, "Persian", 0.7), 0),
    "Chinese, tilted by 0.7°": (partial(language, "Chinese", 0.7), 0),
    "Chinese, rotated by 90°": (partial(language, "Chinese"), 90),
    "Japanese, rotated by 270°": (partial(language, "Japanese"), 270),
}  # fmt: skip

RIGHT_TO_LEFT = "Hebrew", "Arabic", "Persian"

ANY_ORDER = {
    # It sorts words by height: a line that climbs by more than half of its own, and can't be levelled, comes in pieces.
    **{("poppler", kind): "any order" for kind in KINDS if "5°" in kind or "9°" in kind},
    ("poppler", "tilted by -2°"): "any order",
    # It takes the paragraphs of such a page from the last to the first.
    ("poppler", "lines that run up the page"): "any order",
    # It gives words as they are drawn, from left to right.
    **{("poppler -raw", kind): "any order" for kind in KINDS if kind.startswith(RIGHT_TO_LEFT)},
}
UNREAD = {
    # It knows no direction of writing: letters come from left to right.
    ("mutool", kind): "backwards"
    for kind in KINDS
    if kind.startswith(RIGHT_TO_LEFT)
}


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[str, Path]]:
    """A kind's text and a PDF of it."""
    folder = tmp_path_factory.mktemp("layers")

    def made(kind: str) -> tuple[str, Path]:
        make, turn = KINDS[kind]
        page = make()
        return page.text, save_layer(page, folder / f"{len(list(folder.iterdir()))}.pdf", turn)

    return cache(made)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_reader_finds_the_words_of_a_page_in_the_order_of_its_text(
    reader: Reader, kind: str, layer: Callable[[str], tuple[str, Path]]
) -> None:
    reader.require()
    text, path = layer(kind)

    share = found(text, reader.read(path))

    if (reader.name, kind) in UNREAD:
        assert found(text[::-1], reader.read(path)).at_all >= ENOUGH
    else:
        assert share.at_all >= ENOUGH
        assert share.in_order >= ENOUGH or (reader.name, kind) in ANY_ORDER


def test_the_outputs_page_shows_this_matrix() -> None:
    limits = {**ANY_ORDER, **UNREAD}
    rows = [["kind of page", *(reader.name for reader in READERS)], ["---"] * (len(READERS) + 1)]
    rows += [[kind, *(limits.get((reader.name, kind), "yes") for reader in READERS)] for kind in KINDS]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)

    assert table in (REPOSITORY / "docs" / "outputs.md").read_text(encoding="utf-8"), table


@pytest.mark.parametrize("name", ["Hebrew", "Persian"])
@pytest.mark.parametrize(
    "reader", [reader for reader in READERS if reader.name != "mutool"], ids=lambda reader: reader.name
)
def test_the_one_right_to_left_line_of_a_page_is_found_to_its_first_letter(
    reader: Reader, name: str, tmp_path: Path
) -> None:
    reader.require()
    page = language(name)
    line = replace(page, lines=page.lines[:1])

    assert found(line.text, reader.read(save_layer(line, tmp_path / "layer.pdf"))).at_all == 1


MIXED = (
    "נולד בשנת 1987, ונפטר בירושלים בשנת 2001.",
    "מערכת Windows, וגם השעה 17:30 היא",
    "פרק 3: על פני תהום ל-15. תהו",
    "הנחה 15% טלפון 03-5551234 ורוח",
    "ولد في عام 1987, وتوفي في عام 2001.",
    "يعمل بنظام Linux. في الساعة 17:30",
)
"""With numbers and Latin words, and marks beside them, which stand on paper at their left."""


@pytest.mark.parametrize("degrees", [0, 0.7])
@pytest.mark.parametrize("name", ["pdf.js", "poppler", "PDFium"])
def test_numbers_and_latin_words_of_right_to_left_lines_are_parted_from_their_neighbours(
    name: str, degrees: float, tmp_path: Path
) -> None:
    reader, setter = require(name), Setter()
    for number, text in enumerate(MIXED):
        setter.row_from_right(text.split(), 2200, 400 + 90 * number, 46)
    page = turned(setter.lines, degrees)

    share = found(page.text, reader.read(save_layer(page, tmp_path / "layer.pdf")))

    assert share.at_all == 1
    assert share.in_order >= ENOUGH


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_the_pages_own_text_is_parted_from_the_layer(reader: Reader, turn: int, tmp_path: Path) -> None:
    reader.require()
    setter = Setter()
    setter.row(["page", "3"], 300, 700, 44)
    path = save_layer(
        Page(1, "ok", WIDTH, HEIGHT, dpi=DPI, lines=tuple(setter.lines)), tmp_path / "own.pdf", turn
    )
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page, font = pdf.pages[0], pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1)
        font.BaseFont, font.Encoding = pikepdf.Name.Helvetica, pikepdf.Name.WinAnsiEncoding
        page.Resources.Font = pikepdf.Dictionary(Own=font)
        page.Contents.append(
            pdf.make_indirect(pdf.make_stream(b"BT /Own 10 Tf 60 20 Td (Stamped copy 4711) Tj ET"))
        )
        pdf.save(path)

    assert Counter(reader.read(path).split()) == Counter(["page", "3", "Stamped", "copy", "4711"])
