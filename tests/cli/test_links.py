"""Links in searched and watched folders are followed only on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.cli.commands.batch import BatchCommand, Order
from ocr_worker.cli.exit_codes import GOOD, SOME_FAILED
from ocr_worker.cli.options import worker_settings
from ocr_worker.cli.runner import JobRunner, Signals
from ocr_worker.jobs.folder_search import Search, gather
from ocr_worker.model.options import JobOptions
from rigs.papers import write_papers
from tests.cli.command import Command


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


@pytest.mark.parametrize("follow", [False, True])
def test_a_file_that_is_swapped_for_a_link_between_search_and_opening_is_read_on_request_alone(
    *, follow: bool, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))
    command = BatchCommand(input_dir=[folder], output_dir=tmp_path / "out", follow_links=follow, quiet=True)
    with Signals() as signals, JobRunner(worker_settings(), signals) as runner:
        order = Order(command, JobOptions(), None, runner, signals)
        files = [file for file in order.find() if file.endswith("in/paper01.pdf")]

        (folder / "paper01.pdf").unlink()
        (folder / "paper01.pdf").symlink_to(tmp_path / "elsewhere" / "paper02.pdf")
        code, _ = order.do(files)

    assert code == (GOOD if follow else SOME_FAILED)
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").glob("*.txt")]
    assert texts == (["This is paper02\n"] if follow else [])


def test_a_link_that_was_passed_over_is_said_once(ocr: Command, folder: Path) -> None:
    done = ocr("batch", folder, "-o", "out")

    assert "Done: 1 file (1 ok" in done.stdout
    assert done.stderr.count("--follow-links takes it") == 2
