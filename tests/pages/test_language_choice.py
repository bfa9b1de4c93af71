"""`languages: auto`, with the English and German data of this machine."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from ocr_worker.engines.ocr import registry
from ocr_worker.engines.ocr.tessdata import find_tessdata
from ocr_worker.engines.ocr.vocabulary import of_script, vocabulary
from ocr_worker.errors import InvalidParamsError, LanguageMissingError
from ocr_worker.model.option_table import make_options
from ocr_worker.model.tasks import OpenTask, PageSettings, PageTask, Source
from ocr_worker.pages import language_choice
from ocr_worker.pages.executor import Workbench
from ocr_worker.pages.page_results import read_page
from tests.cli.command import Command
from tests.engines.ocr.language_data import entries_of, plain
from tests.faults import pictures

GERMAN = "Alle Menschen sind frei und gleich\ngeboren. Jeder hat das Recht auf Leben,\nFreiheit und Sicherheit der Person."
ENGLISH = "All human beings are born free and\nequal in dignity and rights. They are\nendowed with reason and conscience."


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where there is nothing but English and German."""
    folder = tmp_path / "tessdata"
    folder.mkdir()
    for code, file in find_tessdata(["eng", "deu"]).items():
        shutil.copy(file, folder / f"{code}.traineddata")
    return folder


def _print(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(pictures.saved(pictures.sheet(text, (1100, 260), (40, 40), 44), "PNG", dpi=(300, 300)))
    return path


def test_each_file_of_a_batch_is_read_in_its_own_language_and_is_up_to_date_the_next_time(
    data: Path, tmp_path: Path
) -> None:
    ocr = Command(tmp_path / "home")
    ocr.home.mkdir()
    pages = [_print(ocr.home, name, text) for name, text in (("de.png", GERMAN), ("en.png", ENGLISH))]
    words: list[str | Path] = ["batch", *pages, "-o", "out", "-l", "auto", "--tessdata-dir", data]

    first, second = ocr(*words), ocr(*words)

    results = [
        json.loads((ocr.home / "out" / f"{name}_ocr_results.json").read_bytes()) for name in ("de", "en")
    ]
    assert "2 ok" in first.stdout, first.stderr
    assert [result["languages"] for result in results] == [["deu"], ["eng"]]
    assert "Freiheit und Sicherheit" in results[0]["text"]
    assert results[0]["models"][0]["language"] == "deu"
    assert "2 skipped" in second.stdout


def test_a_page_that_is_read_by_itself_tells_its_language_too(tmp_path: Path, data: Path) -> None:
    page = _print(tmp_path, "de.png", GERMAN)
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    Workbench(tmp_path).run(PageTask(Source(str(page)), settings, 1, str(tmp_path / "1.page")))

    assert "Freiheit" in " ".join(word.text for word in read_page(tmp_path / "1.page").words)


def test_a_pdf_with_text_of_its_own_is_told_by_that_and_nothing_is_read(tmp_path: Path, data: Path) -> None:
    from ocr_worker.cli.commands.doctor import _one_line_pdf

    text = "Alle Menschen sind frei und gleich geboren und sollen einander begegnen"
    (tmp_path / "de.pdf").write_bytes(_one_line_pdf(text))
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(tmp_path / "de.pdf")), settings))

    assert opened.languages == ("deu",)  # type: ignore[union-attr]


def test_where_too_little_is_read_the_usual_language_is_taken_and_that_is_said(
    tmp_path: Path, data: Path
) -> None:
    (tmp_path / "few.png").write_bytes(pictures.png("Nr. 7"))
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(tmp_path / "few.png")), settings))

    assert opened.languages == ("eng",)  # type: ignore[union-attr]
    assert [warning for warning in opened.warnings if "could not be told" in warning]  # type: ignore[union-attr]


@pytest.mark.parametrize(("sure", "told"), [(0.4, "deu"), (0.9, "zzz")])
def test_another_script_is_believed_where_it_is_read_more_surely(
    sure: float, told: str, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look of a card with a portrait and rows of `<<<` is that of many scripts."""
    shutil.copy(data / "eng.traineddata", data / "zzz.traineddata")
    surety = {"eng": 0.5, "deu": 0.8, "zzz": sure}
    page = _print(tmp_path, "de.png", GERMAN)

    def read(_: object, code: str) -> language_choice.Sample:
        return language_choice.Sample(tuple((word.strip(".,"), surety[code]) for word in GERMAN.split()))

    monkeypatch.setattr(language_choice._File, "_read", read)
    monkeypatch.setattr(language_choice._File, "_found_script", lambda _: "Zzz")
    monkeypatch.setattr(language_choice._File, "_looking_so", lambda file, _: {"zzz": file.known["zzz"]})
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(page)), settings))

    assert opened.languages == (told,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("script", "said"),
    [("Greek", "Greek letters"), ("Han", "languages Chinese`"), ("", "too little was read")],
)
def test_where_no_language_has_the_script_it_is_said_how_to_get_one(
    script: str, said: str, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object, __: str) -> language_choice.Sample:
        return language_choice.Sample((("MEevyet", 0.45),) * 20)

    monkeypatch.setattr(language_choice._File, "_read", read)
    monkeypatch.setattr(language_choice._File, "_found_script", lambda _: script)
    page = _print(tmp_path, "el.png", ENGLISH)
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(page)), settings))

    assert opened.languages == ("eng",)  # type: ignore[union-attr]
    assert [warning for warning in opened.warnings if said in warning]  # type: ignore[union-attr]


def test_letters_in_which_nobody_reads_a_word_tell_no_language(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Armenian looks Latin to the finder of scripts."""

    def read(_: object, __: str) -> language_choice.Sample:
        return language_choice.Sample((*[("Lwvwutwuwbp", 0.26)] * 12, ("die", 0.3), ("the", 0.3)))

    monkeypatch.setattr(language_choice._File, "_read", read)
    monkeypatch.setattr(language_choice._File, "_found_script", lambda _: "Latin")
    page = _print(tmp_path, "hy.png", GERMAN)
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(page)), settings))

    assert opened.languages == ("eng",)  # type: ignore[union-attr]
    assert [warning for warning in opened.warnings if "could not be told" in warning]  # type: ignore[union-attr]


def test_a_page_of_few_words_is_read_by_who_reads_its_script(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(data / "eng.traineddata", data / "zzz.traineddata")

    def read(_: object, code: str) -> language_choice.Sample:
        return language_choice.Sample((("Mxqz", 0.8 if code == "zzz" else 0.4),) * 3)

    monkeypatch.setattr(language_choice._File, "_read", read)
    monkeypatch.setattr(language_choice._File, "_found_script", lambda _: "Zzz")
    of_script = ("zzz", "zzz_too")
    monkeypatch.setattr(
        language_choice._File, "_looking_so", lambda file, _: dict.fromkeys(of_script, file.known["zzz"])
    )
    page = _print(tmp_path, "few.png", "Mxqz")
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(page)), settings))

    assert opened.languages == ("zzz",)  # type: ignore[union-attr]
    assert [warning for warning in opened.warnings if "could not be told" in warning]  # type: ignore[union-attr]


def test_the_only_language_is_taken_unread(tmp_path: Path, data: Path) -> None:
    (data / "eng.traineddata").unlink()
    (tmp_path / "page.png").write_bytes(pictures.png())
    settings = PageSettings(languages=("auto",), tessdata_dir=str(data))

    opened = Workbench(tmp_path).run(OpenTask(Source(str(tmp_path / "page.png")), settings))

    assert (opened.languages, opened.warnings) == (("deu",), ())  # type: ignore[union-attr]


def test_it_stands_alone_and_takes_at_least_one_language(tmp_path: Path) -> None:
    with pytest.raises(InvalidParamsError, match='or of "auto" alone'):
        make_options({"languages": "auto+deu"})
    options = make_options({"languages": "auto", "tessdata_dir": str(tmp_path)})
    with pytest.raises(LanguageMissingError, match="No language is installed"):
        registry.require(options.page)


def test_data_says_which_words_it_knows(data: Path) -> None:
    english, german = (vocabulary(data / f"{code}.traineddata") for code in ("eng", "deu"))

    assert english is not None
    assert german is not None
    assert [english.knows(word) for word in ("dignity", "Dignity", "Würde", "xqz", "", "dignityx")] == [
        True, True, False, False, False, False,
    ]  # fmt: skip
    assert (german.knows("Würde"), german.knows("Menschen"), german.script) == (True, True, "Latin")
    assert not of_script("Latin").has_words


def test_damaged_lists_of_words_cost_neither_time_nor_a_crash(data: Path, tmp_path: Path) -> None:
    entries, rng = entries_of((data / "deu.traineddata").read_bytes()), random.Random(7)
    small = {number: entry for number, entry in entries.items() if number in (18, 19, 21)}
    for number in range(60):
        damaged = bytearray(small[19])
        for _ in range(1 + number % 5):
            at = rng.randrange(len(damaged) if number % 2 else 200)
            damaged[at : at + rng.randrange(1, 40)] = rng.randbytes(rng.randrange(40))
        file = tmp_path / f"{number}.traineddata"
        file.write_bytes(plain({**small, 19: bytes(damaged[: rng.randrange(len(damaged))])}))

        known = vocabulary(file)

        assert known is not None
        assert isinstance(known.knows("Menschen"), bool)


def test_data_that_is_none_knows_nothing(tmp_path: Path) -> None:
    (tmp_path / "text.traineddata").write_bytes(b"no data")

    assert vocabulary(tmp_path / "text.traineddata") is None
    assert vocabulary(tmp_path / "missing.traineddata") is None
