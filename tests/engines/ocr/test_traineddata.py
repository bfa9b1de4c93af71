"""Language data may set how it reads, and nothing else, for every engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import tessdata, traineddata
from ocr_worker.engines.ocr.registry import Engines
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


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    victim = tmp_path / "victim"
    victim.write_text("whole", encoding="ascii")
    return victim


@pytest.fixture
def picture() -> GreyImage:
    return GreyImage(pictures.sheet("Harvest moon", size=(1200, 400)).convert("L"), 300)


def _settings(folder: Path, engine: str, code: str = "xyz") -> PageSettings:
    return PageSettings(languages=(code,), engine=engine, tessdata_dir=str(folder))


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


@pytest.mark.parametrize("engine", ENGINES)
def test_data_that_is_an_archive_to_tesseract_is_read_as_what_it_is_to_us(
    engine: str, english_file: Path, victim: Path, picture: GreyImage, tmp_path: Path
) -> None:
    data = language_data.archive_behind(english_file, f"debug_file {victim}", "xyz")
    (tmp_path / "xyz.traineddata").write_bytes(data)

    assert _read(_settings(tmp_path, engine), picture, tmp_path / "scratch") == "Harvest moon"
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


@pytest.mark.parametrize("engine", ENGINES)
def test_orientation_data_is_looked_at_too(
    engine: str, english_file: Path, victim: Path, tmp_path: Path
) -> None:
    osd = tessdata.find_orientation_data()
    assert osd
    (tmp_path / "eng.traineddata").write_bytes(english_file.read_bytes())
    (tmp_path / "osd.traineddata").write_bytes(language_data.with_settings(osd, f"debug_file {victim}"))

    with pytest.raises(LanguageMissingError, match="osd"):
        Engines(tmp_path / "scratch").finder(_settings(tmp_path, engine, "eng"))


def test_data_that_the_asked_for_data_asks_for_is_looked_at_too(
    english_file: Path, victim: Path, tmp_path: Path
) -> None:
    data = language_data.with_settings(english_file, "tessedit_load_sublangs xyz_vert")
    (tmp_path / "xyz.traineddata").write_bytes(data)
    hostile = language_data.with_settings(english_file, f"debug_file {victim}")
    (tmp_path / "xyz_vert.traineddata").write_bytes(hostile)

    with pytest.raises(LanguageMissingError, match="xyz_vert"):
        tessdata.gather_tessdata(["xyz"], str(tmp_path), tmp_path / "scratch")


@pytest.mark.parametrize("engine", ENGINES)
def test_data_that_sets_how_it_reads_reads(
    engine: str, english_file: Path, picture: GreyImage, tmp_path: Path
) -> None:
    settings = "# Published so\npreserve_interword_spaces 1\n\ntosp_old_sp_kn_th_factor\t4.0\ntessedit_char_blacklist °\n"
    (tmp_path / "xyz.traineddata").write_bytes(
        language_data.with_settings(english_file, f"{settings}tessedit_load_sublangs xyz_vert\n")
    )
    (tmp_path / "xyz_vert.traineddata").write_bytes(english_file.read_bytes())

    assert _read(_settings(tmp_path, engine), picture, tmp_path / "scratch") == "Harvest moon"


def test_all_data_of_this_machine_is_harmless_and_its_copies_hold_the_same(tmp_path: Path) -> None:
    files = {file for folder in tessdata.tessdata_folders() for file in folder.rglob("*.traineddata")}

    for number, file in enumerate(sorted(files)):
        copy = tmp_path / f"{number}.traineddata"
        traineddata.copy_harmless(file, copy)

        before, after = (
            language_data.entries_of(file.read_bytes()),
            language_data.entries_of(copy.read_bytes()),
        )
        comment, _, config = after.pop(0).rpartition(b"# " + b" " * 125 + b"\n")
        assert set(comment) == set(b"# \n")
        assert config == before.pop(0, b"")
        assert after.pop(23).rstrip(b"\0") == before.pop(23, b"Pre-4.0.0")
        assert after == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x18",
        b"no model" * 100,
        bytes(1000),
        language_data.plain({17: b"x"}, ">"),
        b"\x18\0\0\0" + b"\xfe" * 192,
        language_data.plain({0: b"debug_file x", 17: b"y"}).replace(b"\xc4", b"\xc5", 1) + b"z",
    ],
    ids=[
        "empty",
        "short",
        "text",
        "zeros",
        "of another machine",
        "before its beginning",
        "a gap that is none",
    ],
)
def test_what_is_no_language_data_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "xyz.traineddata"
    file.write_bytes(content)

    with pytest.raises(LanguageMissingError, match="xyz"):
        traineddata.require_harmless(file)
