"""Text whose letters stand for others is flagged, and `redo` reads what is seen.

From run-llama/liteparse #413, firecrawl/pdf-inspector #118 and OCRmyPDF's rule for fonts.
"""

from __future__ import annotations

import random
import string
import textwrap
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.page import REPLACED, UNREADABLE
from ocr_worker.pages.wording import judge
from samples.sheets import paragraphs_of
from tests.cases.shown import WHOLE_PAGE, page, saved, text, words_of
from tests.pages.desk import Desk

PROSE = "The committee met on the first evening of the winter to talk about bread and other matters of some weight"


def _exchanged(seed: int) -> dict[int, int]:
    letters = list(string.ascii_lowercase)
    random.Random(seed).shuffle(letters)
    lower = "".join(letters)
    return str.maketrans(string.ascii_letters, lower + lower.upper())


@pytest.mark.parametrize("seed", range(6))
def test_letters_that_are_mapped_to_others_are_flagged_and_redo_reads_them(
    seed: int, desk: Desk, tmp_path: Path
) -> None:
    codes = _exchanged(seed)
    pairs = b"".join(b"<%02x> <%04x>\n" % (code, other) for code, other in codes.items())
    cmap = b"begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n%d beginbfchar\n" % len(codes)
    with pikepdf.new() as pdf:
        rows = [PROSE[at : at + 53] for at in range(0, len(PROSE), 53)]
        made = page(pdf, b"".join(text(row, 60, 760 - 30 * n, 16) for n, row in enumerate(rows)), {})
        made.Resources.Font.F.ToUnicode = pdf.make_stream(cmap + pairs + b"endbfchar\nendcmap")
        path = saved(pdf, tmp_path / "mapped.pdf")

    kept = desk.process(path)
    kept_text = kept.text
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert kept.pages[0].warnings == (UNREADABLE,)
    assert "committee" not in kept_text
    assert redone.text.split() == PROSE.split()


def _mapped(pdf: pikepdf.Pdf, words: str, codes: dict[int, int]) -> None:
    """A page whose font is drawn as its encoding says, and copied by a map."""
    pairs = b"".join(b"<%02x> <%04x>\n" % pair for pair in codes.items())
    rows = enumerate(textwrap.wrap(words, 53))
    made = page(pdf, b"".join(text(row, 60, 700 - 30 * at, 16) for at, row in rows), {})
    made.Resources.Font.F.ToUnicode = pdf.make_stream(
        b"begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n"
        b"%d beginbfchar\n" % len(codes) + pairs + b"endbfchar\nendcmap"
    )


@pytest.mark.parametrize(
    ("words", "letters", "others"),
    [
        ("Total amount due", string.ascii_lowercase, string.ascii_lowercase[1:] + "a"),
        (PROSE[:60], "aeiou", "eioua"),
        (PROSE[:60], "etanos", "teanso"[::-1]),
    ],
)
def test_a_map_that_contradicts_its_fonts_encoding_is_flagged_where_that_reads_better(
    words: str, letters: str, others: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        _mapped(pdf, words, dict(zip(map(ord, letters), map(ord, others), strict=True)))
        path = saved(pdf, tmp_path / "mapped.pdf")

    kept = desk.process(path).pages[0].warnings
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert kept == (UNREADABLE,)
    assert redone.text.split() == words.split()


def test_a_font_with_codes_of_its_own_and_a_true_map_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    codes = _exchanged(3)
    with pikepdf.new() as pdf:
        _mapped(pdf, PROSE.translate(codes), {other: code for code, other in codes.items()})
        path = saved(pdf, tmp_path / "subset.pdf")

    done = desk.process(path)

    assert done.pages[0].warnings == ()
    assert done.text.split() == PROSE.split()


def _drawn_letters(pdf: pikepdf.Pdf) -> Dictionary:
    """A font of the file's own making that says nowhere what its codes stand for."""
    box = pdf.make_stream(b"600 0 0 0 500 700 d1 0 0 500 700 re f")
    return Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, 0, 600, 700]), FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]),
        CharProcs=Dictionary(a=box), FirstChar=65, LastChar=90, Widths=Array([600] * 26), Resources=Dictionary(),
    )  # fmt: skip


def test_a_font_that_says_nothing_of_its_codes_is_flagged(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, text("ABC DEF GHI", 60, 700, 20), {})
        made.Resources.Font.F = _drawn_letters(pdf)
        path = saved(pdf, tmp_path / "unmapped.pdf")

    assert desk.process(path).pages[0].warnings == (UNREADABLE,)


def test_one_of_the_fonts_that_each_viewer_has_needs_no_map(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, text("ABC DEF GHI", 60, 700, 20), {})
        made.Resources.Font.F = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        path = saved(pdf, tmp_path / "standard.pdf")

    assert desk.process(path).pages[0].warnings == ()


@pytest.mark.parametrize(
    "layer",
    [PROSE.lower().translate(_exchanged(1)), "~|;: 1l|! ,.-' _=~ ;;| '`. " * 6],
    ids=["exchanged", "noise"],
)
def test_a_hidden_layer_that_does_not_read_like_text_is_flagged_and_replaced(
    layer: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        page(pdf, WHOLE_PAGE + text(layer, 60, 300, 8, "3 Tr"))
        path = saved(pdf, tmp_path / "layer.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (REPLACED,))
    assert [word for word in words_of() if word not in done.text.split()] == []
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert layer[:20].encode() not in pdf.pages[0].Contents[1].read_bytes()


@pytest.mark.parametrize("name", ["prose", "german", "letters", "small_print", "cards"])
def test_text_of_many_kinds_reads_like_words(name: str) -> None:
    assert judge(" ".join(paragraphs_of(name))) == "words"


@pytest.mark.parametrize(
    "words",
    [
        "příliš žluťoučký kůň úpěl ďábelské ódy a všichni se dívali z okna na ulici kde se nic nedělo celý zimní večer",
        "zażółć gęślą jaźń oraz wszystkie inne słowa które przychodzą do głowy w długi zimowy wieczór",
        "árvíztűrő tükörfúrógép és még sok más szó amelyet a bizottság az első téli estén megvitatott",
        "pijamal\u0131 hasta ya\u011f\u0131z şoföre çabucak güvendi ve sonra herkes evine döndü çünkü hava çok soğuktu",
        "törkylempijävongahdus ja monta muuta sanaa joista valiokunta keskusteli ensimmäisenä iltana",
    ],
)
def test_languages_with_marked_letters_read_like_words(words: str) -> None:
    assert judge(words) == "words"


@pytest.mark.parametrize(
    "words", ["7 AB 12", "Съешь же ещё этих мягких французских булок да выпей чаю " * 3, "日本語の文章" * 20]
)
def test_too_little_and_other_scripts_are_not_judged(words: str) -> None:
    assert judge(words) == "unknown"


def test_exchanged_letters_of_any_kind_are_no_words() -> None:
    prose = " ".join(paragraphs_of("prose")).lower()

    judged = [judge(prose.translate(_exchanged(seed))) for seed in range(40)]

    assert judged == ["letters"] * 40


def test_letters_of_another_script_are_flagged_where_what_is_drawn_reads_like_words(
    desk: Desk, tmp_path: Path
) -> None:
    cyrillic = [0x430 + number for number in range(26)]
    with pikepdf.new() as pdf:
        _mapped(pdf, PROSE, dict(zip(map(ord, string.ascii_lowercase), cyrillic, strict=True)))
        path = saved(pdf, tmp_path / "mapped.pdf")

    assert desk.process(path).pages[0].warnings == (UNREADABLE,)
    assert desk.process(path, PageSettings(existing_text="redo")).text.split() == PROSE.split()
