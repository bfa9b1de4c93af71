from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from rigs.papers import write_papers
from samples import Sample
from tests.cli.command import Command


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if not entry.name.endswith("_manifest.json")}


def test_a_folder_of_scans_becomes_outputs_and_is_skipped_the_next_time(
    ocr: Command, sample: Callable[[str], Sample]
) -> None:
    scan = sample("cards").path
    folder = ocr.home / "in"
    write_papers(folder / "deeper", 1)
    (folder / scan.name).write_bytes(scan.read_bytes())

    first = ocr("batch", folder, "--output-dir", folder / "out")
    second = ocr("batch", folder, "--output-dir", folder / "out")

    assert first.returncode == 0, first.stderr
    assert "Done: 2 files (2 ok, 0 failed, 0 skipped); 2 pages" in first.stdout
    stems = [scan.stem, "paper01"]
    endings = (".pdf", ".txt", "_ocr_results.json")
    assert names(folder / "out") == {stem + ending for stem in stems for ending in endings}
    assert "(0 ok, 0 failed, 2 skipped)" in second.stdout


def test_without_a_terminal_the_standing_is_told_in_plain_lines(ocr: Command) -> None:
    write_papers(ocr.home / "in", 3)

    done = ocr("batch", "in", "-o", "out", "--verbose")

    assert re.search(r"^3/3 \(3 ok, 0 failed, 0 skipped\) Elapsed 0:\d\d, ETA ", done.stderr, re.MULTILINE)
    assert done.stderr.count(f"Finished {Path('in/paper')}") == 3
    assert "\x1b" not in done.stderr + done.stdout


def test_a_bad_file_is_named_with_its_error_and_the_others_are_done(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    # Windows has no escape character in names, but that of eight bits.
    name, shown = (
        ("b\x9b2Jad.pdf", r"b\x9b2Jad.pdf") if os.name == "nt" else ("b\x1b[2Jad.pdf", r"b\x1b[2Jad.pdf")
    )
    (ocr.home / "in" / name).write_bytes(b"no pdf")

    done = ocr("batch", "--input-dir", "in", "-o", "out")

    assert done.returncode == 1
    assert "(1 ok, 1 failed, 0 skipped)" in done.stdout
    assert re.search(rf"{re.escape(str(Path('in', shown)))}: .* \[unsupported_type\]", done.stdout)
    # Another try would find the same.
    assert "ocr-worker retry" not in done.stdout
    assert not {"\x1b", "\x9b"} & set(done.stdout + done.stderr)


def test_quiet_says_only_what_failed(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)

    good = ocr("batch", paper, "-o", "out", "--quiet")
    bad = ocr("batch", "missing.pdf", paper, "-o", "out", "--quiet")

    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("Failed: missing.pdf: ")


def test_json_on_stdout_is_the_result_of_the_wire(ocr: Command) -> None:
    first, second = write_papers(ocr.home / "in", 2)

    result = ocr.answer("batch", "--input-files", first, second, "--output-dir", "out", "--outputs", "txt")

    assert (result["kind"], result["status"], result["total_files"]) == ("batch", "completed", 2)
    assert [done["file"] for done in result["successful"]] == [str(first), str(second)]
    assert (ocr.home / "out" / "paper02.txt").read_text(encoding="utf-8").strip() == "This is paper02"
    endings = (".txt", "_ocr_results.json")
    assert names(ocr.home / "out") == {stem + ending for stem in ("paper01", "paper02") for ending in endings}


def test_globs_choose_among_the_files_of_folders(ocr: Command) -> None:
    write_papers(ocr.home / "in" / "drafts", 2)
    write_papers(ocr.home / "in" / "final", 2)

    words = ("--include", "paper*.pdf", "--exclude", "drafts", "--exclude", "final/*02*", "--dry-run")
    result = ocr.answer("batch", "in", "-o", "out", *words)

    assert [done["file"] for done in result["successful"]] == [str(Path("in/final/paper01.pdf"))]


def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(ocr: Command) -> None:
    write_papers(ocr.home / "in", 1)
    (ocr.home / "in" / "empty.pdf").touch()

    done = ocr("batch", "in", "-o", "out", "--dry-run")

    assert done.returncode == 1
    paper = Path("in/paper01.pdf")
    assert f"{paper}: pdf, 1 page, up to 2083 x 500 pixels, 1 with text already → " in done.stdout
    assert "Needs about 0.0 of " in done.stdout
    assert "[empty]" in done.stdout
    assert not (ocr.home / "out").exists()


def test_too_many_failures_stop_the_batch_and_the_summary_says_how_to_go_on(ocr: Command) -> None:
    folder = ocr.home / "in"
    folder.mkdir()
    for number in range(12):
        (folder / f"bad{number:02}.pdf").write_bytes(b"no pdf")

    done = ocr("batch", "in", "-o", "out", "--stop-on-error-threshold", "0.8")

    assert done.returncode == 4
    assert (
        "Stopped because too many files failed: 12 files (0 ok, 10 failed, 0 skipped, 2 left)" in done.stdout
    )
    assert re.search(r"Go on with: ocr-worker batch --resume --batch-id \d{8}_\d{6}_", done.stdout)


def test_a_name_that_is_not_utf8_is_done_and_told_as_a_uri(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    paper.rename(os.fsdecode(os.fsencode(paper.with_name("caf")) + b"\xe9.pdf"))

    done = ocr("batch", "in", "-o", "out", "--json", "--on-finish", "cat")

    (told,) = json.loads(done.stdout)["successful"]
    assert done.returncode == 0
    assert told["file"].endswith("/in/caf%E9.pdf")
    assert told["output"].endswith("/out/caf%E9.pdf")
    assert "/in/caf%E9.pdf" in done.stderr


@pytest.mark.parametrize("way", ["file", "environment"])
def test_a_password_opens_files_and_is_kept_nowhere(ocr: Command, way: str) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    with pikepdf.open(paper, allow_overwriting_input=True) as pdf:
        pdf.save(paper, encryption=pikepdf.Encryption(user="open-sesame", owner="owner"))
    (ocr.home / "word").write_text("open-sesame\nnot this line\n", encoding="utf-8")
    command = Command(ocr.home, {"OCR_WORKER_PASSWORD": "open-sesame"} if way == "environment" else {})
    words = ("--password-file", "word") if way == "file" else ()

    without = ocr("batch", "in", "-o", "out")
    done = command("batch", "in", "-o", "out", *words)

    assert "[encrypted]" in without.stdout
    assert done.returncode == 0, done.stdout
    stored = [
        file for folder in ("state", "out") for file in (ocr.home / folder).rglob("*") if file.is_file()
    ]
    assert stored
    assert not [file for file in stored if b"open-sesame" in file.read_bytes()]


BAD_LINES = {
    "no inputs": (("batch", "-o", "out"), 2, "No files provided for OCR batch processing"),
    "no output folder": (("batch", "x.pdf"), 2, "No output directory provided"),
    "an unknown option": (("batch", "x.pdf", "--frobnicate"), 2, "No such option: --frobnicate"),
    "a value out of bounds": (
        ("batch", "x.pdf", "-o", "out", "--page-timeout", "0"),
        2,
        "--page-timeout must be",
    ),
    "no such language": (("batch", "x.pdf", "-o", "out", "-l", "tlh"), 3, "No data for the language tlh"),
    "an odd language": (("batch", "x.pdf", "-o", "out", "-l", "../x"), 2, "--languages must be"),
    "no input folder": (
        ("batch", "--input-dir", "nowhere", "-o", "out"),
        3,
        "The input folder nowhere can't be read",
    ),
    "an output folder that can't be": (
        ("batch", sys.executable, "-o", str(Path(sys.executable, "out"))),
        3,
        f"{Path(sys.executable, 'out')} can't be made",
    ),
    "an id without resume": (
        ("batch", "x.pdf", "-o", "out", "--batch-id", "a"),
        2,
        "--batch-id goes with --resume",
    ),
    "inputs to resume with": (
        ("batch", "x.pdf", "-l", "deu", "--dpi", "200", "--dry-run", "--resume", "-o", "out"),
        2,
        "leave out inputs, --languages, --dpi, --dry-run",
    ),
    "watching a dry run": (
        ("batch", "x.pdf", "-o", "out", "--watch", "--dry-run"),
        2,
        "--watch goes neither",
    ),
    "loud and quiet": (("batch", "x.pdf", "-o", "out", "-q", "-v"), 2, "exclude each other"),
    "no such job": (("show", "20200101_000000_00000000"), 3, "There is no job 20200101_000000_00000000"),
    "no configuration": (
        ("batch", "x.pdf", "-o", "out", "--config", "no.yaml"),
        2,
        "no configuration file no.yaml",
    ),
    "an empty hook": (("batch", "x.pdf", "-o", "out", "--on-finish", ""), 2, "--on-finish is empty"),
    "no password": (
        ("batch", "x.pdf", "-o", "out", "--password-file", "no"),
        2,
        "The password file no can't be read: No such file or directory.",
    ),
}


@pytest.mark.parametrize(("words", "code", "sentence"), BAD_LINES.values(), ids=BAD_LINES)
def test_what_can_not_be_begun_is_said_in_one_sentence(
    ocr: Command, words: tuple[str, ...], code: int, sentence: str
) -> None:
    done = ocr(*words)

    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (ocr.home / "out").exists()


def test_with_json_a_refusal_is_json_too(ocr: Command) -> None:
    done = ocr("batch", "x.pdf", "-o", "out", "-l", "tlh", "--json")

    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "language_missing"


def test_a_folder_without_scans_is_nothing_to_do(ocr: Command) -> None:
    (ocr.home / "in").mkdir()
    (ocr.home / "in" / "notes.md").write_text("# no scan", encoding="utf-8")

    done = ocr("batch", "in", "-o", "out")

    assert (done.returncode, done.stdout) == (0, "Nothing to do: there is no PDF or image in the folders.\n")
