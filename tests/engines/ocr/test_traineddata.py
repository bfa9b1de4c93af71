"""Language data may set how it reads, and nothing else, for every engine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.errors import LanguageMissingError
from ocr_worker.model.tasks import PageSettings
from tests.engines.ocr import language_data
from tests.faults import pictures

ENGINES = [
    "tesserocr",
    pytest.param(
        "tesseract",
        marks=pytest.mark.skipif(tessdata.tesseract_command() is None, reason="needs the command tesseract"),
    ),
]
DANGEROUS = [
    "debug_file {victim}",
    "debug_file\t{victim}",
    "# harmless\ndebug_file {victim}",
    "preserve_interword_spaces 1\r\ndebug_file {victim}\r\n",
    "textord_show_initial_rows 1",
    "textord_tabfind_show_blocks 1",
    "interactive_display_mode T",
    "tessedit_write_images 1",
    "tessedit_dump_pageseg_images 1",
    "tessedit_write_params_to_file {victim}",
    "tessedit_create_hocr 1",
    "user_words_file {victim}",
    "user_patterns_file {victim}",
    "output_ambig_words_file {victim}",
    "classify_enable_learning 1",
    "a_variable_of_the_next_version 1",
    "preserve_interword_spaces {victim}",
    "tessedit_load_sublangs ../../{victim}",
    " debug_file {victim}",
    f"tessedit_char_blacklist {'x' * 4000}\ndebug_file {{victim}}",
    "tessedit_char_blacklist x\0debug_file {victim}",
]


@pytest.fixture
def english_file(english: Path) -> Path:
    return english / "eng.traineddata"


WAYS = ["tessdata_dir", "tessdata_dirs"]
"""A batch can name a folder."""


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    victim = tmp_path / "victim"
    victim.write_text("whole", encoding="ascii")
    return victim


@pytest.fixture
def picture() -> GreyImage:
    return GreyImage(pictures.sheet("Harvest moon", size=(1200, 400)).convert("L"), 300)


def _settings(folder: Path, engine: str, code: str = "xyz", way: str = "tessdata_dir") -> PageSettings:
    named: dict[str, Any] = {way: (str(folder),) if way == "tessdata_dirs" else str(folder)}
    return PageSettings(languages=(code,), engine=engine, **named)


def _read(settings: PageSettings, picture: GreyImage, scratch: Path) -> str:
    lines = Engines(scratch).engine(settings).recognise(picture)
    return "\n".join(line.text for line in lines)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("setting", DANGEROUS, ids=lambda setting: setting[:40])
def test_data_that_sets_more_than_how_it_reads_is_refused_before_the_engine_has_it(
    setting: str, engine: str, english_file: Path, victim: Path, tmp_path: Path
) -> None:
    data = language_data.with_settings(english_file, setting.format(victim=victim))
    (tmp_path / "xyz.traineddata").write_bytes(data)

    with pytest.raises(LanguageMissingError, match="xyz"):
        Engines(tmp_path / "scratch").engine(_settings(tmp_path, engine))

    assert victim.read_text(encoding="ascii") == "whole"


@pytest.mark.parametrize("engine", ENGINES)
def test_data_in_a_folder_of_the_machine_is_looked_at_as_well(
    engine: str, english_file: Path, victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xyz.traineddata").write_bytes(
        language_data.with_settings(english_file, f"debug_file {victim}")
    )
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))

    for languages in (("xyz",), ("xyz", "eng")):
        with pytest.raises(LanguageMissingError, match="debug_file"):
            Engines(tmp_path / "scratch").engine(PageSettings(languages, engine))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("engine", ENGINES)
def test_data_that_is_an_archive_to_tesseract_is_read_as_what_it_is_to_us(
    engine: str, way: str, english_file: Path, victim: Path, picture: GreyImage, tmp_path: Path
) -> None:
    data = language_data.archive_behind(english_file, f"debug_file {victim}", "xyz")
    (tmp_path / "xyz.traineddata").write_bytes(data)

    settings = _settings(tmp_path, engine, way=way)
    assert _read(settings, picture, tmp_path / "scratch") == "Harvest moon"
    assert victim.read_text(encoding="ascii") == "whole"


@pytest.mark.parametrize("kind", ["plain", "archive"])
def test_the_danger_is_real_the_command_alone_empties_the_file(
    kind: str, english_file: Path, victim: Path, picture: GreyImage, tmp_path: Path
) -> None:
    setting = f"debug_file {victim}"
    made = {
        "plain": lambda: language_data.with_settings(english_file, setting),
        "archive": lambda: language_data.archive_behind(english_file, setting, "xyz"),
    }
    (tmp_path / "xyz.traineddata").write_bytes(made[kind]())
    picture.picture.save(tmp_path / "page.pgm")

    command = tessdata.tesseract_command()
    assert command is not None
    subprocess.run(
        [command, "page.pgm", "-", "-l", "xyz", "--tessdata-dir", str(tmp_path)],
        cwd=tmp_path, timeout=60, check=False, capture_output=True,
    )  # fmt: skip

    if kind == "archive" and victim.read_text(encoding="ascii") == "whole":
        pytest.skip("this Tesseract reads no archives")
    assert victim.read_text(encoding="utf-8") != "whole"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("engine", ENGINES)
def test_orientation_data_is_looked_at_too(
    engine: str, way: str, english_file: Path, victim: Path, tmp_path: Path
) -> None:
    osd = tessdata.find_orientation_data()
    assert osd
    (tmp_path / "eng.traineddata").write_bytes(english_file.read_bytes())
    (tmp_path / "osd.traineddata").write_bytes(language_data.with_settings(osd, f"debug_file {victim}"))

    with pytest.raises(LanguageMissingError, match="osd"):
        Engines(tmp_path / "scratch").finder(_settings(tmp_path, engine, "eng", way))


def test_data_of_an_added_folder_is_read_and_not_its_namesake_of_the_machine(
    english_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tesseract takes one folder, and the machine's has both languages; but what is read is what is told of as read."""
    machine, added = tmp_path / "machine", tmp_path / "added"
    for folder, codes in ((machine, ("abc", "xyz")), (added, ("abc",))):
        folder.mkdir()
        for code in codes:
            shutil.copy(english_file, folder / f"{code}.traineddata")
    monkeypatch.setenv("TESSDATA_PREFIX", str(machine))

    found = tessdata.find_tessdata(["abc", "xyz"], None, (str(added),))
    gathered = tessdata.gather_tessdata(["abc", "xyz"], None, tmp_path / "scratch", (str(added),))

    assert {code: file.parent for code, file in found.items()} == {"abc": added, "xyz": machine}
    assert not (gathered / "abc.traineddata").is_symlink()
    assert (gathered / "xyz.traineddata").samefile(machine / "xyz.traineddata")
