"""What languages are called, where their data may lie, and how to get it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.languages import CODES, SCRIPTS, code_of, name_of, package_of
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.engines.ocr.registry import with_own_codes
from ocr_worker.engines.ocr.tessdata import find_tessdata, origin_of
from ocr_worker.engines.ocr.ways import system_command
from ocr_worker.model.tasks import PageSettings
from ocr_worker.settings import data_dir
from tests.engines.ocr.test_reading_engines import needs_command


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("de", "deu"), ("ger", "deu"), ("deu", "deu"), ("German", "deu"), ("DEUTSCH", "deu"), ("de-AT", "deu"), ("de_DE", "deu"),
        ("zh", "chi_sim"), ("zh-Hans", "chi_sim"), ("zh-Hant-TW", "chi_tra"), ("zh-TW", "chi_tra"), ("Traditional Chinese", "chi_tra"),
        ("sr-Latn", "srp_latn"), ("sr-Latn-RS", "srp_latn"), ("uz-Cyrl", "uzb_cyrl"), ("pt-BR", "por"), ("nb", "nor"), ("no", "nor"),
        ("es-419", "spa"), ("de-CH-1996", "deu"), ("ca-valencia", "cat"), ("de-Latf-DE", "frk"), ("cmn-Hans-CN", "chi_sim"),
        ("Русский", "rus"), ("中文", "chi_sim"), ("日本語", "jpn"), ("Tiếng Việt", "vie"), ("in", "ind"), ("Serbian Latin", "srp_latn"),
        ("iw", "heb"), ("latin", "lat"), ("script/latin", "script/Latin"), ("Cyrillic", "script/Cyrillic"), ("script/Latin", "script/Latin"),
        ("Norwegian Bokmål", "nor"), ("தமிழ்", "tam"), ("c\u030ces\u030ctina", "ces"),
        ("franc\u0327ais", "fra"), ("tie\u0302\u0301ng vie\u0323\u0302t", "vie"), ("pes", "fas"), ("mo", "ron"), ("kr", None),
        ("deu_frak", None), ("germam", None), ("due", None), ("auto", None), ("klingon", None), ("", None), ("-", None),
    ],
)  # fmt: skip
def test_a_name_is_understood_where_it_is_in_no_doubt(name: str, code: str | None) -> None:
    assert code_of(name) == code


def test_every_language_and_script_has_a_name_that_leads_to_it_and_a_package() -> None:
    for code in CODES:
        assert name_of(code)
        assert code_of(name_of(code)) == code
        assert package_of(code)
    assert {code_of(f"script/{script}") for script in SCRIPTS} == {f"script/{script}" for script in SCRIPTS}


def test_names_become_codes_but_for_data_that_is_called_so(tmp_path: Path) -> None:
    shutil.copy(find_tessdata(["eng"])["eng"], tmp_path / "de.traineddata")
    wanted = PageSettings(languages=("German", "de", "eng", "en-GB"))

    assert with_own_codes(wanted).languages == ("deu", "eng")
    own = PageSettings(languages=("German", "de"), tessdata_dir=str(tmp_path))
    assert with_own_codes(own).languages == ("deu", "de")


@needs_command
@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
def test_a_script_is_found_where_debian_puts_it(engine: str, tmp_path: Path) -> None:
    """Beside the languages, and not in `script`."""
    for name in ("Latin", "eng"):
        shutil.copy(find_tessdata(["eng"])["eng"], tmp_path / f"{name}.traineddata")
    settings = PageSettings(languages=("script/Latin", "eng"), engine=engine, tessdata_dir=str(tmp_path))

    assert set(tessdata.data_in(tmp_path)) == {"script/Latin", "eng"}
    (tmp_path / "cache").mkdir()
    assert Engines(tmp_path / "cache").engine(settings).name == engine


def test_it_is_linked_from_there_where_the_folder_is_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").mkdir()
    shutil.copy(find_tessdata(["eng"])["eng"], tmp_path / "Latin.traineddata")
    monkeypatch.setattr(tessdata, "_SYSTEM_FOLDERS", (str(tmp_path),))

    folder = tessdata.gather_tessdata(["script/Latin"], None, tmp_path / "cache")

    assert (folder / "script" / "Latin.traineddata").is_file()


def test_the_users_own_data_goes_before_that_of_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = find_tessdata(["eng"])["eng"]
    own = tmp_path / "tessdata" / "eng.traineddata"
    own.parent.mkdir()
    shutil.copy(packaged, own)

    assert origin_of(packaged) == "packaged"
    monkeypatch.setenv("OCR_WORKER_DATA_DIR", str(tmp_path))

    assert find_tessdata(["eng"])["eng"] == own
    assert origin_of(own) == "own"


@pytest.mark.parametrize(
    ("platform", "variable", "folder"),
    [
        ("linux", "XDG_DATA_HOME", "there/ocr-sidecar"),
        ("linux", "", ".local/share/ocr-sidecar"),
        ("darwin", "", "Library/Application Support/ocr-sidecar"),
        ("win32", "LOCALAPPDATA", "there/ocr-sidecar"),
        ("win32", "", "AppData/Local/ocr-sidecar"),
        ("linux", "OCR_WORKER_DATA_DIR", "there"),
    ],
)
def test_the_users_folder_is_where_the_system_has_such(
    platform: str, variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "OCR_WORKER_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "there"))

    assert data_dir() == tmp_path / folder


@pytest.mark.parametrize(
    ("manager", "code", "words"),
    [
        ("apt-get", "chi_sim", "sudo apt-get install tesseract-ocr-chi-sim"),
        ("apt-get", "script/Latin", "sudo apt-get install tesseract-ocr-script-latn"),
        ("dnf", "deu", "sudo dnf install tesseract-langpack-deu"),
        ("pacman", "deu", "sudo pacman -S tesseract-data-deu"),
        ("apk", "script/Latin", None),
        ("brew", "deu", "brew install tesseract-lang"),
        ("none", "deu", None),
        ("apt-get", "klingon", None),
    ],
)
def test_the_packages_of_this_system_are_named(
    manager: str, code: str, words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / manager).write_text("#!/bin/sh\n", encoding="ascii")
    (tmp_path / manager).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert system_command(code) == words
