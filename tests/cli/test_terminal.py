from __future__ import annotations

import json
import os
import re
import signal

import pytest

from ocr_worker.cli.runner import Signals
from rigs.papers import write_papers
from tests.cli.command import Command
from tests.cli.terminal import CTRL_C, Terminal
from tests.e2e import tree
from tests.limits import HANG_SECONDS

SLOWLY = ("--pages-per-minute", "60")
STANDING_STILL = ("--pages-per-minute", "1")
STANDING = r"\d/6 \(\d ok, 0 failed, 0 skipped\) Elapsed 0:\d\d, ETA \d:\d\d"


@pytest.mark.slow
def test_on_a_terminal_a_bar_lives_and_ctrl_c_cancels_so_that_the_batch_can_be_resumed(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)

    terminal = Terminal(ocr, "batch", "in", "-o", "out", *SLOWLY)
    terminal.wait_for(r"Processing file 1/6: paper01\.pdf \(page 1/1\)")
    terminal.wait_for(r"[1-9] %, \d+\.\d pages/s")
    terminal.wait_for(STANDING)
    terminal.press(CTRL_C)
    code = terminal.exit_code()
    resumed = ocr("batch", "--resume", "-o", "out")

    assert code == 130
    assert terminal.moves
    assert "Cancelling: what is finished is kept" in terminal.text
    assert re.search(r"Cancelled: 6 files \(\d ok, 0 failed, 0 skipped, \d left\)", terminal.text)
    assert re.search(r"Go on with: ocr-worker batch --resume --batch-id \d{8}_", terminal.text)
    assert resumed.returncode == 0
    assert "Done: 6 files (6 ok, 0 failed, 0 skipped); 6 pages" in resumed.stdout


def test_ctrl_c_twice_ends_at_once_and_leaves_no_process(ocr: Command) -> None:
    write_papers(ocr.home / "in", 6)

    terminal = Terminal(ocr, "batch", "in", "-o", "out", *STANDING_STILL)
    terminal.wait_for(STANDING)
    terminal.press(CTRL_C + CTRL_C)
    code = terminal.exit_code()

    assert code == 130
    assert re.search(r"Go on with: ocr-worker (resume|batch --resume --batch-id) \d{8}_", terminal.text)
    tree.wait_gone(ocr.home / "state")


def test_the_second_signal_interrupts_whatever_goes_on() -> None:
    before = signal.getsignal(signal.SIGINT)

    with Signals() as signals:
        signal.raise_signal(signal.SIGINT)
        assert signals.heard == signal.SIGINT

        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_hangup_means_no_more_than_the_first() -> None:
    with Signals() as signals:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)

        assert signals.heard == signal.SIGHUP
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_hangup_that_was_to_be_ignored_is_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(signal.SIGHUP)

            assert signals.heard is None
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_interrupts_the_batch_so_that_it_can_be_resumed(
    number: signal.Signals, code: int, ocr: Command
) -> None:
    write_papers(ocr.home / "in", 6)

    process = ocr.start("batch", "in", "-o", "out", "--verbose", *STANDING_STILL)
    assert process.stderr is not None
    while "Finished" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == code
    assert "Go on with: " in stdout
    assert [job["state"] for job in ocr.answer("jobs")] == ["interrupted"]


@pytest.mark.parametrize("log", [None, "log"])
@pytest.mark.parametrize("way", ["closed", "SIGHUP", "SIGTERM"])
def test_a_batch_whose_terminal_goes_is_interrupted_and_leaves_nobody_behind(
    way: str, log: str | None, ocr: Command
) -> None:
    """Whether stderr was on that terminal too or not. The hook is told, and the exit code says which."""
    write_papers(ocr.home / "in", 6)
    terminal = Terminal(
        ocr, "batch", "in", "-o", "out", "--verbose", "--on-finish", "tee told.json", *STANDING_STILL, log=log
    )
    state = ocr.home / "state"
    tree.wait_until(lambda: tree.page_processes(state), "a file is in work")

    if way != "closed":
        os.kill(terminal.pid, signal.Signals[way])
    code = terminal.hang_up() if way == "closed" else terminal.exit_code()

    assert code == 128 + (signal.SIGTERM if way == "SIGTERM" else signal.SIGHUP)
    assert [job["state"] for job in ocr.answer("jobs")] == ["interrupted"]
    assert json.loads((ocr.home / "told.json").read_text(encoding="utf-8"))["status"] == "cancelled"
    said = (ocr.home / log).read_text(encoding="utf-8") if log else terminal.text
    assert "Traceback" not in said
    tree.wait_gone(state)
