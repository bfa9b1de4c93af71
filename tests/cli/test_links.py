"""Links in searched and watched folders are followed only on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.cli.inputs import Search, gather
from tests.cli.command import Command, write_papers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of its own, a link to a file and one to a folder elsewhere, and a circle."""
    write_papers(tmp_path / "in", 1)
    secret = write_papers(tmp_path / "elsewhere", 2)[1]
    (tmp_path / "in" / "link.pdf").symlink_to(secret)
    (tmp_path / "in" / "deep").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "circle").symlink_to(tmp_path / "in")
    return tmp_path / "in"


def test_a_search_passes_links_over_and_names_them(folder: Path) -> None:
    search = Search(None)

    assert search(folder) == [folder / "paper01.pdf"]
    assert sorted(search.links) == [folder / "deep", folder / "link.pdf"]


def test_on_request_links_are_followed_and_circles_end(folder: Path) -> None:
    found = Search(None, follow_links=True)(folder)

    assert [file.relative_to(folder).as_posix() for file in found] == [
        "deep/paper01.pdf", "deep/paper02.pdf", "link.pdf", "paper01.pdf",
    ]  # fmt: skip


def test_a_link_that_is_named_itself_is_meant(folder: Path) -> None:
    assert gather([], [folder / "link.pdf"], Search(None)) == [str(folder / "link.pdf")]


def test_a_link_that_was_passed_over_is_said_once(ocr: Command, folder: Path) -> None:
    done = ocr("batch", folder, "-o", "out")

    assert "Done: 1 file (1 ok" in done.stdout
    assert done.stderr.count("--follow-links takes it") == 2
