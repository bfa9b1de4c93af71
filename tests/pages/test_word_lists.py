"""Letters that are exchanged within Cyrillic are told, where data of an asked language has a list of words."""

from __future__ import annotations

import random
import string
import textwrap
from pathlib import Path

import pikepdf
import pytest

from ocr_worker.engines.ocr.tessdata import find_tessdata
from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages.page import UNREADABLE
from ocr_worker.pages.word_lists import make_no_words
from samples.sheets import paragraphs_of
from tests.cases.shown import page, saved, text
from tests.engines.ocr.language_data import entries_of, plain
from tests.pages.desk import Desk

CHARACTERS = 21
LATIN = string.ascii_lowercase + string.ascii_uppercase
CYRILLIC = "".join(chr(0x430 + at) for at in range(26)) + "".join(chr(0x410 + at) for at in range(26))
AS_CYRILLIC = str.maketrans(LATIN, CYRILLIC)
WORDS = "".join(one for one in " ".join(paragraphs_of("prose")) if one.isalpha() or one == " ")[:400].lower()


@pytest.fixture
def settings(tmp_path: Path) -> PageSettings:
    """Of a language that is English in Cyrillic letters."""
    entries = entries_of(find_tessdata(["eng"])["eng"].read_bytes())
    rows = entries[CHARACTERS].decode("utf-8").split("\n")
    changed = [rows[0]]
    for row in rows[1:]:
        character, *facts = row.split(" ")
        changed.append(
            " ".join([character.translate(AS_CYRILLIC) if len(character) == 1 else character, *facts])
        )
    entries[CHARACTERS] = "\n".join(changed).replace(" Latin ", " Cyrillic ").encode("utf-8")
    folder = tmp_path / "tessdata"
    folder.mkdir()
    (folder / "rus.traineddata").write_bytes(plain(entries))
    return PageSettings(languages=("rus",), tessdata_dir=str(folder))


def exchanged(words: str) -> str:
    letters = list(CYRILLIC[:26])
    random.Random(3).shuffle(letters)
    return words.translate(str.maketrans(CYRILLIC[:26], "".join(letters)))


def test_words_of_the_language_are_told_from_such_as_are_on_no_list(settings: PageSettings) -> None:
    words = WORDS.translate(AS_CYRILLIC)

    assert not make_no_words(words, settings)
    assert make_no_words(exchanged(words), settings)
    assert not make_no_words(exchanged(words)[:60], settings), "too little to tell"
    assert not make_no_words(exchanged(words), PageSettings(languages=("eng",))), "no list of the script"


@pytest.mark.parametrize("is_right", [True, False])
def test_text_whose_letters_stand_for_others_of_their_script_is_flagged(
    settings: PageSettings, *, is_right: bool, desk: Desk, tmp_path: Path
) -> None:
    said = AS_CYRILLIC if is_right else str.maketrans(LATIN[:26], exchanged(CYRILLIC[:26]))
    pairs = b"".join(
        b"<%02x> <%04x>\n" % (code, ord(chr(code).translate(said))) for code in map(ord, LATIN[:26])
    )
    with pikepdf.new() as pdf:
        rows = enumerate(textwrap.wrap(WORDS, 53))
        made = page(pdf, b"".join(text(row, 60, 760 - 30 * at, 16) for at, row in rows), {})
        del made.Resources.Font.F.Encoding
        made.Resources.Font.F.ToUnicode = pdf.make_stream(
            b"begincmap\n1 begincodespacerange <00> <ff> endcodespacerange\n26 beginbfchar\n"
            + pairs
            + b"endbfchar\nendcmap"
        )
        path = saved(pdf, tmp_path / "mapped.pdf")

    done = desk.process(path, settings)

    assert (done.pages[0].status, done.pages[0].warnings) == ("has_text", () if is_right else (UNREADABLE,))
