"""Text whose letters stand for others is flagged, and `redo` reads what is seen.

From run-llama/liteparse #413, firecrawl/pdf-inspector #118 and OCRmyPDF's rule for fonts.
"""

from __future__ import annotations

import io
import random
import string
import textwrap
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageDraw, ImageFont

from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.page import BESIDE, PARTLY, REPLACED, UNREADABLE
from ocr_worker.pages.wording import judge
from samples.sheets import paragraphs_of
from tests.cases.shown import LINES, POINTS, SIZE, WHOLE_PAGE, jpeg, page, saved, sheet, text, words_of
from tests.long_rows import first
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


@pytest.mark.parametrize("shown_as", [0x200B, 0xAD, 0xFEFF, 0x301, ord("?"), 0x25A1])
@pytest.mark.parametrize("title", first(1, ["Minutes", ""]))
def test_letters_that_are_mapped_to_marks_or_to_nothing_are_flagged_and_redo_reads_them(
    title: str, shown_as: int, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        _mapped(pdf, PROSE, dict.fromkeys(map(ord, string.ascii_letters), shown_as))
        made = pdf.pages[0]
        made.Resources.Font.G = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        if title:
            made.contents_add(text(title, 60, 780, 16).replace(b"/F ", b"/G "))
        path = saved(pdf, tmp_path / "marks.pdf")

    kept = desk.process(path).pages[0].warnings
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert kept == (UNREADABLE,)
    assert redone.text.split() == [*title.split(), *PROSE.split()]


def _embedded(pdf: pikepdf.Pdf, words: str, codes: dict[int, int], size: float = 24) -> None:
    """A page in a font of the file's own, drawn by the numbers of its glyphs, of which a map alone tells the letters."""
    pen: Any = ImageFont.load_default(1000)
    font = TTFont(io.BytesIO(pen.font_bytes))
    glyphs = {letter: font.getGlyphID(font.getBestCmap()[ord(letter)]) for letter in sorted(set(words))}
    said = [(number, codes.get(ord(letter), ord(letter))) for letter, number in glyphs.items()]
    pairs = [(number, letter) for number, letter in said if letter]
    widths = [
        part for letter, number in glyphs.items() for part in (number, Array([round(pen.getlength(letter))]))
    ]
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name.Own, Flags=4, FontBBox=Array([0, -200, 1000, 900]), ItalicAngle=0,
        Ascent=900, Descent=-200, CapHeight=700, StemV=80, FontFile2=pdf.make_stream(pen.font_bytes),
    )  # fmt: skip
    within = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name.Own, FontDescriptor=pdf.make_indirect(descriptor),
        CIDSystemInfo=Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0),
        CIDToGIDMap=Name.Identity, W=Array(widths),
    )  # fmt: skip
    shown = "".join(f"{glyphs[letter]:04x}" for letter in words)
    made = page(pdf, f"BT /O {size} Tf 60 700 Td <{shown}> Tj ET".encode("ascii"), {})
    made.Resources.Font.O = Dictionary(
        Type=Name.Font, Subtype=Name.Type0, BaseFont=Name.Own, Encoding=Name("/Identity-H"),
        DescendantFonts=Array([pdf.make_indirect(within)]),
        ToUnicode=pdf.make_stream(
            b"begincmap\n1 begincodespacerange <0000> <ffff> endcodespacerange\n%d beginbfchar\n" % len(pairs)
            + b"".join(b"<%04x> <%04x>\n" % pair for pair in pairs) + b"endbfchar\nendcmap"
        ),
    )  # fmt: skip


@pytest.mark.parametrize("words", ["Minutes of the meeting", "Annual report", "Invoice"])
def test_a_few_words_whose_letters_stand_for_others_are_flagged_and_redo_reads_them(
    words: str, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        _embedded(pdf, words, _exchanged(1))
        path = saved(pdf, tmp_path / "title.pdf")

    kept = desk.process(path).pages[0].warnings
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert kept == (UNREADABLE,)
    assert redone.text.split() == words.split()


@pytest.mark.parametrize("size", [5, 24])
@pytest.mark.parametrize("words", ["GmbH & Co KG", "Nzhdeh Mkrtchyan", "kWh MHz dB HTTPS"])
def test_names_and_abbreviations_that_are_seen_are_left_alone(
    words: str, size: int, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        _embedded(pdf, words, {}, size)
        path = saved(pdf, tmp_path / "names.pdf")

    done = desk.process(path)

    assert (done.text.split(), done.pages[0].warnings) == (words.split(), ())


def test_a_space_whose_character_nobody_tells_parts_words(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        _embedded(pdf, "The river rose by night", {ord(" "): 0})
        path = saved(pdf, tmp_path / "spaces.pdf")

    assert desk.process(path).text.split() == ["The", "river", "rose", "by", "night"]


@pytest.mark.parametrize("mark", ["_", ". ", "** "])
def test_marks_that_are_seen_are_left_alone(mark: str, desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page(pdf, b"".join(text(20 * mark, 60, 700 - 40 * row, 12) for row in range(5)), {})
        path = saved(pdf, tmp_path / "marks.pdf")

    assert (desk.process(path).pages[0].status, desk.process(path).pages[0].warnings) == ("has_text", ())


def _amounts(pdf: pikepdf.Pdf, codes: dict[int, int], encoding: Any = Name.WinAnsiEncoding) -> None:
    _mapped(pdf, "The invoice of 4711 comes to 1250 and of 4712 to 38500 in all", codes)
    pdf.pages[0].Resources.Font.F.Encoding = encoding


DIGITS = dict(zip(b"0123456789", b"3705918264", strict=True))


@pytest.mark.parametrize("encoding", ["named", "listed"])
def test_digits_that_are_mapped_to_others_are_flagged_and_redo_reads_them(
    encoding: str, desk: Desk, tmp_path: Path
) -> None:
    listed = Dictionary(BaseEncoding=Name.WinAnsiEncoding, Differences=Array([48, Name.zero, Name.one]))
    with pikepdf.new() as pdf:
        _amounts(pdf, DIGITS, listed if encoding == "listed" else Name.WinAnsiEncoding)
        path = saved(pdf, tmp_path / "amounts.pdf")

    kept = desk.process(path).pages[0].warnings
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert kept == (UNREADABLE,)
    assert {"4711", "1250", "4712", "38500"} <= set(redone.text.split())


def test_digits_that_are_drawn_as_they_are_mapped_are_left_alone(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        _mapped(pdf, "The invoice of 4711 comes to 1250", {code: code for code in range(32, 127)})
        path = saved(pdf, tmp_path / "amounts.pdf")

    assert desk.process(path).pages[0].warnings == ()


def test_a_font_with_codes_of_its_own_and_a_true_map_is_left_alone(desk: Desk, tmp_path: Path) -> None:
    codes = _exchanged(3)
    with pikepdf.new() as pdf:
        _mapped(pdf, PROSE.translate(codes), {other: code for code, other in codes.items()})
        path = saved(pdf, tmp_path / "subset.pdf")

    done = desk.process(path)

    assert done.pages[0].warnings == ()
    assert done.text.split() == PROSE.split()


def _letters_of_its_own(pdf: pikepdf.Pdf) -> Dictionary:
    """A font that says nowhere what its codes stand for, and draws each as the letter before it in the alphabet."""
    pen: Any = ImageFont.load_default(1000)
    program, target = TTFont(io.BytesIO(pen.font_bytes)), io.BytesIO()
    names, codes = program.getBestCmap(), CmapSubtable.newSubtable(0)
    codes.platformID, codes.platEncID, codes.language = 1, 0, 0
    codes.cmap = {code: names[code - 1] for code in range(ord("B"), ord("Z") + 1)} | {32: names[32]}
    program["cmap"].tables = [codes]
    program.save(target)
    widths = [round(pen.getlength(chr(code - 1))) for code in range(ord("B"), ord("Z") + 1)]
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name.Own, Flags=4, FontBBox=Array([0, -200, 1000, 900]), ItalicAngle=0,
        Ascent=900, Descent=-200, CapHeight=700, StemV=80, FontFile2=pdf.make_stream(target.getvalue()),
    )  # fmt: skip
    return Dictionary(
        Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Own, FontDescriptor=pdf.make_indirect(descriptor),
        FirstChar=ord("B"), LastChar=ord("Z"), Widths=Array(widths),
    )  # fmt: skip


def test_a_font_that_says_nothing_of_its_codes_is_flagged(desk: Desk, tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        made = page(pdf, text("UPUBM", 60, 700, 30), {})
        made.Resources.Font.F = _letters_of_its_own(pdf)
        path = saved(pdf, tmp_path / "unmapped.pdf")

    assert desk.process(path).pages[0].warnings == (UNREADABLE,)


def _bitmaps(pdf: pikepdf.Pdf, words: str, codes: dict[str, int], name: str) -> Dictionary:
    """A font of bitmaps, as programs that pack scans make them: its glyphs are named by numbers."""
    pen, differences, widths = ImageFont.load_default(60), [], [0] * 256
    glyphs: dict[str, Any] = {}
    for letter in sorted(set(words) - {" "}):
        picture = Image.new("1", (int(pen.getlength(letter)) + 2, 80), 1)
        ImageDraw.Draw(picture).text((1, 0), letter, 0, pen)
        drawing = b"%d 0 0 -20 %d 60 d1 q %d 0 0 80 0 -20 cm BI /W %d /H 80 /IM true ID " % (
            (picture.width,) * 4
        )
        glyphs[f"/{name}{codes[letter]}"] = pdf.make_stream(drawing + picture.tobytes() + b" EI Q")
        differences += [codes[letter], Name(f"/{name}{codes[letter]}")]
        widths[codes[letter]] = picture.width
    return Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, -20, 80, 60]), FontMatrix=Array([1 / 60, 0, 0, 1 / 60, 0, 0]),
        CharProcs=Dictionary(glyphs), Encoding=Dictionary(Differences=Array(differences)), FirstChar=0, LastChar=255,
        Widths=Array(widths), Resources=Dictionary(),
    )  # fmt: skip


def _page_of_bitmaps(
    path: Path, lines: tuple[str, ...], codes: dict[str, int], name: str, ordinary: bytes = b""
) -> Path:
    with pikepdf.new() as pdf:
        shown = b"".join(
            b"BT /F 20 Tf %d %d Td <%s> Tj ET "
            % (50 + 105 * column, 760 - 30 * row, bytes(map(codes.__getitem__, word)).hex().encode("ascii"))
            for row, line in enumerate(lines)
            for column, word in enumerate(line.split())
        )
        fonts = page(pdf, shown + ordinary, {}).Resources.Font
        fonts.G, fonts.F = fonts.F, _bitmaps(pdf, "".join(lines), codes, name)
        return saved(pdf, path)


@pytest.mark.parametrize(("first", "name"), [(33, "a"), (128, "g"), (65, "A")])
def test_letters_that_are_a_scans_bitmaps_and_say_nothing_are_read(
    first: int, name: str, desk: Desk, tmp_path: Path
) -> None:
    codes = {letter: first + at for at, letter in enumerate(dict.fromkeys("".join(words_of())))}
    path = _page_of_bitmaps(tmp_path / "bitmaps.pdf", LINES, codes, name)

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (BESIDE,))
    assert sorted(done.text.split()) == sorted(words_of())


@pytest.mark.parametrize("first", [1, 33, 128])
def test_bitmaps_that_say_nothing_are_read_beside_an_ordinary_font(
    first: int, desk: Desk, tmp_path: Path
) -> None:
    codes = {letter: first + at for at, letter in enumerate(dict.fromkeys("".join(words_of())))}
    number = text("Page 17 of 20", 60, 30, 12).replace(b"/F ", b"/G ")
    path = _page_of_bitmaps(tmp_path / "numbered.pdf", LINES, codes, "a", number)

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", (BESIDE,))
    assert sorted(done.text.split()) == sorted([*words_of(), "Page", "17", "of", "20"])


@pytest.mark.parametrize(("lines", "told"), [(LINES[:3], (PARTLY,)), (("7 a",), ())])
def test_a_few_lines_of_bitmaps_that_say_nothing_are_told(
    lines: tuple[str, ...], told: tuple[str, ...], desk: Desk, tmp_path: Path
) -> None:
    codes = {letter: 33 + at for at, letter in enumerate(dict.fromkeys("".join(lines).replace(" ", "")))}
    prose = b"".join(text(PROSE, 30, 550 - 20 * row, 9) for row in range(6)).replace(b"/F ", b"/G ")
    path = _page_of_bitmaps(tmp_path / "few.pdf", lines, codes, "a", prose)

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", told)


@pytest.mark.parametrize("lines", [LINES, ("Chapter 7",)])
def test_bitmaps_whose_codes_are_the_letters_seen_keep_their_text(
    lines: tuple[str, ...], desk: Desk, tmp_path: Path
) -> None:
    codes = {letter: ord(letter) for letter in "".join(lines)}
    path = _page_of_bitmaps(tmp_path / "true.pdf", lines, codes, "a")

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", ())
    assert done.text.split() == " ".join(lines).split()


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


RIGHTS = {
    "rus": "Каждый человек должен обладать всеми правами провозглашенными настоящей Декларацией без какого бы то ни было",
    "ell": "Όλοι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και στα δικαιώματα",
    "chi": "人人生而自由。在尊严和权利上一律平等。他们赋有理性和良心。并应以兄弟关系的精神相对待。人人有资格享有本宣言所载的一切权利",
    "heb": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון",
}


@pytest.mark.parametrize(
    ("language", "encoding", "taken_for"),
    [
        ("rus", "cp1251", "latin-1"),
        ("rus", "koi8-r", "cp1252"),
        ("rus", "utf-8", "latin-1"),
        ("ell", "iso8859-7", "latin-1"),
        ("chi", "gbk", "latin-1"),
        ("heb", "cp1255", "cp1252"),
    ],
)
def test_another_script_in_a_wrong_encoding_is_no_words(language: str, encoding: str, taken_for: str) -> None:
    assert judge(RIGHTS[language]) == "unknown"
    assert judge(RIGHTS[language].encode(encoding).decode(taken_for, "replace")) == "letters"


RIGHTS_IN_LATIN = {
    "spa": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y",
    "ita": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di",
    "por": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de consciência",
    "nld": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en",
    "pol": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem",
    "vie": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Mọi con người đều được tạo hoá",
    "cym": "Genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau. Fe'u cynysgaeddir â rheswm a chydwybod",
    "hmn": "Txhua tus neeg yug los muaj kev ywj pheej thiab sib npaug zos hauv kev muaj meej mom thiab cov cai",
    "mlt": "Il-bnedmin kollha jitwieldu ħielsa u ugwali fid-dinjità u d-drittijiet. Huma mogħnija bir-raġuni u",
}


@pytest.mark.parametrize("language", RIGHTS_IN_LATIN)
def test_languages_beyond_those_that_were_counted_read_like_words(language: str) -> None:
    assert judge(2 * RIGHTS_IN_LATIN[language]) == "words"


CODED = {
    "parts": "SMBJ12CA-TR BZX84C5V1LT1G MMBT3904LT1G LM358DR2G STM32F407VGT6 NCP1117ST33T3G TL072CDT SN74HC595DR",
    "protein": "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDG TQDNLSGAEKAVQVKVKALPDAQFEVVHSLAKWKRQTLGQHDF",
    "weather": "EDDF 291150Z AUTO 24012KT FEW018 SCT030 BKN045 NOSIG TAF EGLL 291101Z TEMPO 7000 RADZ BKN012 BECMG PROB30 SHRA KJFK LFPG LOWW LSZH EHAM",
    "code": "if ptr == NULL strncpy buf pfx sizeof buf memcpy dst src nbytes strcmp lhs rhs fprintf stderr errno pthread mutex lock mtx xmlXPtrFnCtxtPshNs ctxt",
}


def _rows(words: str) -> bytes:
    return b"".join(text(row, 50, 700 - 26 * at, 14) for at, row in enumerate(textwrap.wrap(words, 44)))


@pytest.mark.parametrize("kind", CODED)
def test_text_that_makes_no_words_is_kept_without_a_warning_where_it_is_what_is_seen(
    kind: str, desk: Desk, tmp_path: Path
) -> None:
    assert judge(CODED[kind]) == "letters"
    with pikepdf.new() as pdf:
        page(pdf, _rows(CODED[kind]), {})
        path = saved(pdf, tmp_path / "coded.pdf")

    done = desk.process(path)
    redone = desk.process(path, PageSettings(existing_text="redo"))

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", ())
    assert done.text.split() == redone.text.split() == CODED[kind].split()


def test_a_hidden_layer_of_numbers_of_parts_is_kept(desk: Desk, tmp_path: Path) -> None:
    rows = textwrap.wrap(CODED["parts"], 44)
    with pikepdf.new() as pdf:
        layer = b"".join(text(row, 40, 770 - 38 * at, 14, "3 Tr") for at, row in enumerate(rows))
        page(pdf, WHOLE_PAGE + layer, {"Scan": jpeg(pdf, sheet(rows))})
        path = saved(pdf, tmp_path / "parts.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", ())
    assert done.text.split() == CODED["parts"].split()


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


def _large_glyphs(pdf: pikepdf.Pdf, pictures: list[Image.Image], shown: bytes, said: bytes | None) -> None:
    """A page whose font T draws a picture for each letter from A on, and says that they are others, if so."""
    names = [chr(65 + number) for number in range(len(pictures))]
    drawn = {f"/Im{name}": jpeg(pdf, picture) for name, picture in zip(names, pictures, strict=True)}
    glyphs = {f"/{name}": pdf.make_stream(f"1 0 d0 /Im{name} Do".encode("ascii")) for name in names}
    made = page(pdf, shown, {})
    made.Resources.Font.T = Dictionary(
        Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, 0, 1, 1]), FontMatrix=Array([1, 0, 0, 1, 0, 0]),
        CharProcs=Dictionary(glyphs), Encoding=Dictionary(Differences=Array([65, *(Name(f"/{name}") for name in names)])),
        FirstChar=65, LastChar=64 + len(names), Widths=Array([1] * len(names)), Resources=Dictionary(XObject=Dictionary(drawn)),
    )  # fmt: skip
    if said is not None:
        cmap = b"begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n1 beginbfrange\n<41> <5a> <%s>\nendbfrange\nendcmap"
        made.Resources.Font.T.ToUnicode = pdf.make_stream(cmap % said)


WHOLE_GLYPH = b"BT /T 1 Tf 595.2 0 0 841.92 0 0 Tm (A) Tj ET\n"


@pytest.mark.parametrize("said", [None, b"0061", b"0020"])
def test_a_scan_that_is_a_glyph_is_read_whatever_letter_it_is_said_to_be(
    said: bytes | None, desk: Desk, tmp_path: Path
) -> None:
    with pikepdf.new() as pdf:
        _large_glyphs(pdf, [sheet()], WHOLE_GLYPH, said)
        path = saved(pdf, tmp_path / "glyph.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, done.pages[0].warnings) == ("ok", ())
    assert done.text.split() == words_of()
    assert [page["has_text"] for page in desk.inspect(path)["page_list"]] == [False]


def test_a_scan_in_strips_that_are_glyphs_is_read(desk: Desk, tmp_path: Path) -> None:
    (width, height), count = SIZE, 8
    strips = [
        sheet().crop((0, at * height // count, width, (at + 1) * height // count)) for at in range(count)
    ]
    shown = b"".join(
        b"BT /T 1 Tf 595.2 0 0 %.3f 0 %.3f Tm (%c) Tj ET\n" % (POINTS[1] / count, POINTS[1] * (count - 1 - at) / count, 65 + at)
        for at in range(count)
    )  # fmt: skip
    with pikepdf.new() as pdf:
        _large_glyphs(pdf, strips, shown, b"0061")
        path = saved(pdf, tmp_path / "strips.pdf")

    assert desk.process(path).text.split() == words_of()


def test_a_scan_that_is_a_glyph_beside_typed_text_is_read_with_it(desk: Desk, tmp_path: Path) -> None:
    typed = b"".join(
        text(f"Typed sentence number {at} of the page", 60, 400 - 14 * at, 11) for at in range(20)
    )
    with pikepdf.new() as pdf:
        shown = b"BT /T 1 Tf 500 0 0 400 50 420 Tm (A) Tj ET\n" + typed
        _large_glyphs(pdf, [sheet(size=(1240, 992))], shown, None)
        path = saved(pdf, tmp_path / "beside.pdf")

    done = desk.process(path)

    assert done.text.split()[: len(words_of())] == words_of()
    assert done.text.count("Typed") == 20


def test_large_letters_that_are_drawings_are_letters(desk: Desk, tmp_path: Path) -> None:
    pen = ImageFont.load_default(300)
    pictures = []
    for letter in "SALE":
        picture = Image.new("L", (260, 320), 255)
        ImageDraw.Draw(picture).text((20, -20), letter, 0, pen)
        pictures.append(picture)
    shown = b"BT /T 1 Tf 130 0 0 160 20 500 Tm (ABCD) Tj ET\n"
    with pikepdf.new() as pdf:
        _large_glyphs(pdf, pictures, shown, None)
        cmap = b"begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n4 beginbfchar\n<41> <0053>\n<42> <0041>\n<43> <004c>\n<44> <0045>\nendbfchar\nendcmap"
        pdf.pages[0].Resources.Font.T.ToUnicode = pdf.make_stream(cmap)
        path = saved(pdf, tmp_path / "sale.pdf")

    done = desk.process(path)

    assert (done.pages[0].status, done.text) == ("has_text", "SALE\n")
    assert [page["has_text"] for page in desk.inspect(path)["page_list"]] == [True]
