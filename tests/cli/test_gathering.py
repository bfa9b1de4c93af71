from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocr_worker.cli.inputs import meant
from ocr_worker.cli.terminal_text import clock, command_line, shown
from ocr_worker.errors import NotFoundError
from ocr_worker.jobs.folder_search import Search, gather


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.pdf", "0.TIFF", "notes.txt", ".hidden.pdf", "deep/c.png", ".git/d.png", "out/e.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def found(folder: Path, search: Search) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in search(folder)]


def test_folders_are_searched_for_what_can_be_recognised_but_not_in_the_output_folder(folder: Path) -> None:
    assert found(folder, Search(folder / "out")) == ["0.TIFF", "a.pdf", "deep/c.png"]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (("*.txt",), (), ["notes.txt"]),
        (("deep/*",), (), ["deep/c.png"]),
        (("**/*.p*",), (), ["a.pdf", "deep/c.png"]),
        ((), ("**/*.png", "**/0*"), ["a.pdf"]),
        ((), ("deep", "*.TIFF"), ["a.pdf"]),
        ((), ("deep/c.*",), ["0.TIFF", "a.pdf"]),
        ((f"**{os.sep}c.*",), (f"out{os.sep}*",), ["deep/c.png"]),
    ],
)
def test_patterns_choose(
    folder: Path, include: tuple[str, ...], exclude: tuple[str, ...], expected: list[str]
) -> None:
    assert found(folder, Search(folder / "out", include, exclude)) == expected


def test_files_that_are_named_are_taken_whatever_they_are_and_only_once(folder: Path) -> None:
    notes = folder / "notes.txt"

    assert gather([], [notes, folder / "missing.pdf", notes], Search(None)) == [
        os.fspath(notes),
        os.fspath(folder / "missing.pdf"),
    ]


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("*.pdf", ["a.pdf", "b[1].pdf"]),
        ("b[1]*", ["b[1].pdf"]),
        ("d*/?.png", ["deep/c.png"]),
        ("*.gif", ["*.gif"]),
        ("a.pdf", ["a.pdf"]),
    ],
)
def test_patterns_are_files_where_no_shell_has_made_files_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, files: list[str]
) -> None:
    (folder / "b[1].pdf").touch()
    if os.name != "nt":
        assert meant(folder / pattern) == [folder / pattern]

    monkeypatch.setattr("sys.platform", "win32")

    assert meant(folder / pattern) == [folder / name for name in files]


def test_a_folder_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere can't be read: \w+ "):
        gather([folder / "nowhere"], [], Search(None))


def test_names_can_not_move_the_cursor() -> None:
    assert shown("a\x1b[2J\nb\udce4ü") == "a\\x1b[2J\\nb\\udce4ü"


@pytest.mark.parametrize(
    ("system", "line"), [("linux", "ocr-worker batch 'a b.pdf'"), ("win32", 'ocr-worker batch "a b.pdf"')]
)
def test_a_command_to_copy_is_quoted_as_the_shells_of_the_system_want_it(
    monkeypatch: pytest.MonkeyPatch, system: str, line: str
) -> None:
    monkeypatch.setattr("sys.platform", system)

    assert command_line("batch", "a b.pdf") == line


def test_times_read_as_people_write_them() -> None:
    assert [clock(seconds) for seconds in (4.6, 754, 3723)] == ["0:05", "12:34", "1:02:03"]
