"""Slips of the pen and early ends: nothing is begun for them, and what is said is a sentence in the words of flags."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_worker.cli.own_words import told
from rigs.papers import write_papers
from tests.cli.command import Command
from tests.faults import pictures
from tests.limits import HANG_SECONDS


def test_a_typo_in_a_path_makes_no_folder_and_no_job_and_names_what_was_meant(ocr: Command) -> None:
    write_papers(ocr.home, 1)

    done = ocr("batch", "papre01.pdf", "-o", "out")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "ocr-worker: There is no papre01.pdf: did you mean paper01.pdf?\n"
    assert not (ocr.home / "out").exists()
    assert ocr.answer("jobs") == []


def test_a_missing_file_among_others_costs_no_other(ocr: Command) -> None:
    papers = write_papers(ocr.home, 1)

    done = ocr("batch", "missing.pdf", *papers, "-o", "out")

    assert done.returncode == 1
    assert "(1 ok, 1 failed, 0 skipped)" in done.stdout


def test_a_file_that_stays_locked_is_named_with_the_way_out(ocr: Command) -> None:
    import fcntl

    ready, held = write_papers(ocr.home, 2)
    with held.open("r+b") as open_elsewhere:
        fcntl.flock(open_elsewhere, fcntl.LOCK_EX)
        done = ocr("batch", ready, held, "-o", "out", "--max-lock-wait", "0")
    again = ocr("batch", ready, held, "-o", "out")

    assert "(1 ok, 0 failed, 1 skipped)" in done.stdout
    assert (
        f"{held.name}: skipped, as another program has it open; close it there and give it again"
        in done.stdout
    )
    assert "(1 ok, 0 failed, 1 skipped)" in again.stdout
    assert "as another program" not in again.stdout


@pytest.mark.parametrize("words", [("in", "nay"), ("--input-dir", "nay")], ids=" ".join)
def test_a_watch_for_what_is_not_there_is_refused(ocr: Command, words: tuple[str, ...]) -> None:
    (ocr.home / "in").mkdir()

    done = ocr("batch", *words, "-o", "out", "--watch")

    assert done.returncode == 3
    assert "There is no nay" in done.stderr


def test_a_watch_for_a_file_alone_is_refused(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home, 1)

    done = ocr("batch", paper.name, "-o", "out", "--watch")

    assert done.returncode == 2
    assert f"--watch waits for files in folders, and {paper.name} is a file" in done.stderr
    assert not (ocr.home / "out").exists()


def test_a_choice_that_there_is_not_is_told_with_those_that_there_are(ocr: Command) -> None:
    done = ocr("batch", "paper01.pdf", "-o", "out", "--existing-text", "maybe")

    assert done.returncode == 2
    assert "'--existing-text': 'maybe' is not one of 'skip', 'redo', 'force'" in done.stderr


@pytest.mark.parametrize(
    "words", [("", "-o", "out"), ("paper01.pdf", "-o", ""), ("--input-dir", "", "-o", "out")], ids=str
)
def test_an_empty_path_does_not_stand_for_the_working_folder(ocr: Command, words: tuple[str, ...]) -> None:
    write_papers(ocr.home, 1)

    done = ocr("batch", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert "it is empty" in done.stderr
    assert ocr.answer("jobs") == []


def test_a_link_that_leads_nowhere_makes_no_folder_and_no_job(ocr: Command) -> None:
    (ocr.home / "scan.pdf").symlink_to("gone.pdf")

    done = ocr("batch", "scan.pdf", "-o", "out")

    assert (done.returncode, done.stdout) == (3, "")
    assert "scan.pdf is a link that leads nowhere" in done.stderr
    assert not (ocr.home / "out").exists()
    assert ocr.answer("jobs") == []


@pytest.mark.parametrize("name", ["out.pdf", "out.TXT", "scan.json", "deep/page.png"])
def test_an_output_folder_that_looks_like_a_file_is_refused(ocr: Command, name: str) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)

    done = ocr("batch", paper, "-o", name)

    assert done.returncode == 2
    assert f"names a folder, and {Path(name)} looks like a file" in done.stderr
    assert not (ocr.home / name).exists()


def test_a_folder_of_such_a_name_that_is_there_is_taken(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    (ocr.home / "out.pdf").mkdir()

    assert ocr("batch", paper, "-o", "out.pdf", "-q").returncode == 0


def test_the_summary_names_outputs_and_what_may_be_wrong_without_being_asked(ocr: Command) -> None:
    blank = ocr.home / "in" / "blank.png"
    blank.parent.mkdir()
    blank.write_bytes(pictures.saved(pictures.sheet(), "PNG"))
    write_papers(ocr.home / "in", 1)

    done = ocr("batch", "in", "-o", "out")

    assert done.returncode == 0, done.stderr
    assert "2 files (2 ok, 1 of them with notes, 0 failed, 0 skipped)" in done.stdout
    assert (
        f"  {Path('in/blank.png')}: note: The file states no usable resolution (dpi): it is estimated as if the page were A4\n"
        in done.stdout
    )
    out = ocr.home / "out"
    assert f"Written: {out / 'blank.pdf'}, {out / 'blank.txt'}, " in done.stdout


def test_of_many_files_the_folder_is_named(ocr: Command) -> None:
    write_papers(ocr.home / "in", 5)

    done = ocr("batch", "in", "-o", "out")

    assert f"Written into {ocr.home / 'out'}\n" in done.stdout
    assert "Written: " not in done.stdout


@pytest.mark.parametrize(
    ("wire", "here"),
    [
        ("(`signed: unsigned_copy` makes a copy)", "(--signed unsigned_copy makes a copy)"),
        ("another folder, or `on_existing: suffix`.", "another folder, or --on-existing suffix."),
        ("at most 5 are allowed (`max_pixels`)", "at most 5 are allowed (--max-pixels)"),
        ("give it (`passwords`)", "give it (--password-file)"),
        ("lower `dpi` or `max_pixels`", "lower --dpi or --max-pixels"),
        ("a`b.png: lower `dpi`", "a`b.png: lower --dpi"),
        ("run `ocr-worker jobs`, or lower `dpi`", "run `ocr-worker jobs`, or lower --dpi"),
        ("dpi` of on_existing: suffix", "dpi` of on_existing: suffix"),
        ("`signed: by whom", "`signed: by whom"),
    ],
)
def test_options_are_called_by_their_flags(wire: str, here: str) -> None:
    assert told(wire) == here


def test_a_failure_is_told_in_flags_and_in_json_in_fields(ocr: Command) -> None:
    big = ocr.home / "big.png"
    big.write_bytes(pictures.png())

    said = ocr("batch", big, "-o", "out", "--max-pixels", "10")
    asked = ocr("batch", big, "-o", "out", "--max-pixels", "10", "--json")

    assert "(--max-pixels) [too_large]" in said.stdout
    assert "(`max_pixels`)" in asked.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["typer", "platformdirs", "ocr_worker.cli.app", "ocr_worker.jobs.runtime", "sqlite3"]
)
def test_a_ctrl_c_while_imports_are_at_work_is_no_traceback(ocr: Command, part: str, tmp_path: Path) -> None:
    """The signal comes in the middle of that import, whatever the machine's pace."""
    write_papers(ocr.home / "in", 1)
    hook = tmp_path / "sitecustomize.py"
    hook.write_text(
        "import signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {part!r}:\n"
        "            sys.meta_path.remove(self)\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n",
        encoding="ascii",
    )
    environment = {**ocr.environment(), "PYTHONPATH": str(tmp_path)}

    done = subprocess.run(
        ocr.words("batch", "in", "-o", "out"), env=environment, cwd=ocr.home, capture_output=True, check=False,
        text=True, timeout=HANG_SECONDS,
    )  # fmt: skip

    assert done.returncode == 128 + signal.SIGINT
    assert "Traceback" not in done.stderr
    assert not list((ocr.home / "state").rglob("*.lock"))


INTERRUPTED = """
import signal, sys
from ocr_worker.cli.commands import batch
batch._refuse_slips = lambda *_: signal.raise_signal(signal.SIGINT)
from ocr_worker.__main__ import main
sys.exit(main())
"""


def test_a_ctrl_c_before_a_batch_has_begun_lets_all_go(ocr: Command) -> None:
    """Between two looks at the command line and the first page."""
    write_papers(ocr.home / "in", 1)

    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "batch", "in", "-o", "out", "--json"], env=ocr.environment(),
        cwd=ocr.home, capture_output=True, check=False, text=True, timeout=HANG_SECONDS,
    )  # fmt: skip

    assert done.returncode == 128 + signal.SIGINT
    assert "Traceback" not in done.stderr
    assert '"code": "cancelled"' in done.stdout
