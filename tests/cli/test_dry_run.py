"""The whole verdict of a dry run, file by file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from rigs.papers import write_papers
from samples import Sample
from tests.cli.command import Command
from tests.faults import documents


def verdicts(ocr: Command, *words: str) -> dict[str, dict[str, Any]]:
    result = ocr.answer("batch", "in", "-o", "out", "--dry-run", *words)
    assert result["dry_run"]
    return {Path(done["file"]).name: done for done in result["successful"]}


def test_each_file_is_told_by_what_it_is_and_what_would_come_of_it(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    Image.new("L", (600, 900), 255).save(ocr.home / "in" / "photo.png", dpi=(100, 100))

    found = verdicts(ocr, "--outputs", "pdf,txt")

    survey = found["paper01.pdf"]["survey"]
    assert survey == {
        "type": "pdf", "bytes": paper.stat().st_size, "pages": 1, "encrypted": False, "signed": False,
        "form": "none", "pages_with_text": 1, "largest_page_points": [500, 120],
        "largest_page_pixels": [2083, 500], "languages": {"eng": True}, "refused": None,
    }  # fmt: skip
    image = found["photo.png"]["survey"]
    assert (image["type"], image["pages_with_text"]) == ("png", 0)
    assert (image["largest_page_points"], image["largest_page_pixels"]) == ([432, 648], [600, 900])
    assert found["paper01.pdf"]["output"] == str(ocr.home / "out" / "paper01.pdf")
    assert set(found["paper01.pdf"]["outputs"]) == {"pdf", "txt", "json"}
    assert 0 < found["paper01.pdf"]["needed_bytes"] < found["paper01.pdf"]["free_bytes"]
    assert not (ocr.home / "out").exists()


def test_the_largest_page_is_the_one_of_the_largest_area(ocr: Command) -> None:
    (ocr.home / "in").mkdir()
    with pikepdf.new() as pdf:
        for size in ((600, 10), (500, 700), (300, 300)):
            pdf.add_blank_page(page_size=size)
        pdf.save(ocr.home / "in" / "mixed.pdf")

    survey = verdicts(ocr, "--dpi", "144")["mixed.pdf"]["survey"]

    assert (survey["largest_page_points"], survey["largest_page_pixels"]) == ([500, 700], [1000, 1400])


def test_protection_signatures_and_forms_are_told(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    with pikepdf.open(paper) as pdf:
        pdf.save(paper.with_name("locked.pdf"), encryption=pikepdf.Encryption(user="sesame", owner="owner"))
    paper.with_name("signed.pdf").write_bytes(documents.signed())
    paper.with_name("form.pdf").write_bytes(documents.form())
    command = Command(ocr.home, {"OCR_WORKER_PASSWORD": "sesame"})

    found = verdicts(command, "--signed", "unsigned_copy")

    assert {name: done["survey"]["encrypted"] for name, done in found.items() if name != "form.pdf"} == {
        "paper01.pdf": False, "locked.pdf": True, "signed.pdf": False,
    }  # fmt: skip
    assert found["signed.pdf"]["survey"]["signed"]
    assert found["form.pdf"]["survey"]["form"] == "acroform"


def test_the_time_is_estimated_by_what_this_machine_has_done(
    ocr: Command, sample: Callable[[str], Sample]
) -> None:
    scan = sample("cards").path
    (ocr.home / "in").mkdir()
    (ocr.home / "in" / "scan.png").write_bytes(scan.read_bytes())

    before = verdicts(ocr)["scan.png"]["estimated_seconds"]
    ocr.answer("batch", "in", "-o", "elsewhere")
    after = verdicts(ocr)["scan.png"]["estimated_seconds"]

    assert before is None
    assert 0 < after < 60


def test_a_missing_language_is_told_of_each_file_and_what_to_do_once(ocr: Command) -> None:
    write_papers(ocr.home / "in", 2)

    done = ocr("batch", "in", "-o", "out", "--dry-run", "-l", "eng+tlh")
    told = ocr("batch", "in", "-o", "out", "--dry-run", "-l", "eng+tlh", "--json")

    assert done.returncode == told.returncode == 1
    assert done.stdout.count("no data for tlh") == 2
    assert done.stdout.count("It would be refused: No data for the language tlh") == 1
    assert '"tlh": false' in told.stdout
    assert '"code": "language_missing"' in told.stdout


def test_bad_files_do_not_keep_a_dry_run_from_the_others(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    for number in range(12):
        (ocr.home / "in" / f"bad{number:02}.pdf").write_bytes(b"no pdf")

    done = ocr("batch", "in", "-o", "out", "--dry-run")

    assert done.returncode == 1
    assert "(1 would be recognised, 12 failed, 0 skipped)" in done.stdout


PLACES = ["afile", "afile/sub/deeper", "dangling/sub", *(["Q:/scans/out"] if os.name == "nt" else [])]
"""The last on a drive that is not there."""


@pytest.mark.parametrize("place", PLACES)
def test_an_output_folder_that_can_not_be_made_is_found_out(ocr: Command, place: str) -> None:
    write_papers(ocr.home / "in", 1)
    (ocr.home / "afile").touch()
    if place.startswith("dangling"):
        (ocr.home / "dangling").symlink_to("nowhere")

    done, real = (ocr("batch", "in", "-o", place, *words) for words in (("--dry-run",), ()))

    assert (done.returncode, real.returncode) == (3, 3)
    assert f"The output folder {Path(place)} can't be made" in done.stderr
