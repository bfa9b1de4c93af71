"""Outputs among their inputs: what is ours is never fed back, what is the user's is never passed over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_worker.jobs.folder_search import own_outputs
from rigs.papers import write_papers
from samples import Sample
from tests.cli.command import Command
from tests.cli.test_batch import names


def done(result: dict[str, list[dict[str, str]]]) -> list[str]:
    return sorted(Path(entry["file"]).name for entry in result["successful"])


@pytest.mark.parametrize("out", ["in", "out"])
def test_a_second_run_finds_nothing_new_even_where_only_the_pdf_is_asked_for(
    ocr: Command, sample: Callable[[str], Sample], out: str
) -> None:
    scan, folder = sample("cards").path, ocr.home / "in"
    folder.mkdir()
    (folder / "a.png").write_bytes(scan.read_bytes())
    words = ("batch", "in", "-o", out, "--outputs", "pdf")

    first = ocr.answer(*words)
    after = names(ocr.home / out)
    again = [ocr.answer(*words) for _ in range(2)]

    assert done(first) == ["a.png"]
    assert {"a.pdf", "a_ocr_results.json"} <= after
    assert names(ocr.home / out) == after
    assert [[skip["reason"] for skip in result["skipped"]] for result in again] == [["up_to_date"]] * 2


def test_an_input_that_has_changed_is_done_again_beside_its_own_results(ocr: Command) -> None:
    first, second = write_papers(ocr.home / "in", 2)
    words = ("batch", "in", "-o", "in", "--outputs", "json")

    before = ocr.answer(*words)
    first.write_bytes(second.read_bytes() + b"\n% a new version\n")
    after = ocr.answer(*words)

    assert done(before) == ["paper01.pdf", "paper02.pdf"]
    assert done(after) == ["paper01.pdf"]
    assert [Path(skip["file"]).name for skip in after["skipped"]] == ["paper02.pdf"]


def test_no_pattern_takes_manifests_or_outputs_for_inputs(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    ocr.answer("batch", "in", "-o", "in", "--outputs", "txt")

    again = ocr.answer("batch", "in", "-o", "in", "--outputs", "txt", "--include", "*")

    assert again["total_files"] == 1
    assert [skip["reason"] for skip in again["skipped"]] == ["up_to_date"]


def test_a_name_alone_proves_nothing_about_what_lies_beside_it(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    for text in ("", "[]", json.dumps({"schema": "another", "outputs": {"pdf": {"name": "paper01.pdf"}}})):
        (ocr.home / "in" / "paper01_ocr_results.json").write_text(text, encoding="utf-8")

        result = ocr.answer("batch", "in", "-o", "in", "--dry-run", "--on-existing", "suffix")

        assert done(result) == ["paper01.pdf"]


def test_what_results_name_as_their_source_is_an_input_even_where_they_list_it(tmp_path: Path) -> None:
    source = tmp_path / "scan.pdf"
    head = {
        "schema": "ocr-sidecar/results",
        "source": {"path": str(source)},
        "settings": {"outputs": ["pdf", "txt"]},
    }
    # As bytes: our files have the same line ends on each system.
    (tmp_path / "scan_ocr_results.json").write_bytes(f'{json.dumps(head)[:-1]},\n"pages":[]}}'.encode())

    found = own_outputs(tmp_path, ["scan.pdf", "scan_ocr_results.json"])

    assert found == {"scan_ocr_results.json", "scan.txt"}


def test_a_folder_that_can_not_be_read_is_named_and_the_others_are_done(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    too_deep(ocr.home / "in")

    told = ocr("batch", "in", "-o", "out", "--quiet")

    assert told.returncode == 1
    assert "Skipped, because it can't be read: in/ddd" in told.stderr
    assert "File name too long" in told.stderr
    assert "paper01.pdf" in names(ocr.home / "out")


def too_deep(folder: Path) -> None:
    """Folders in folders whose path at last is longer than a system takes: unreadable for root as well."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=here)  # pathlib knows no dir_fd
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
