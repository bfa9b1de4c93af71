from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from ocr_worker.cli.commands.batch import BatchCommand, Order
from ocr_worker.cli.runner import JobRunner, Signals
from ocr_worker.cli.watch import STUCK_SECONDS, Seen, watch
from ocr_worker.model.jobs import JobOptions
from ocr_worker.settings import Settings
from rigs.papers import write_papers
from tests.cli.command import Command
from tests.limits import HANG_SECONDS


@pytest.mark.slow
def test_a_watched_folder_is_kept_done_until_ctrl_c(ocr: Command) -> None:
    (ocr.home / "in").mkdir()
    with ocr.start("batch", "in", "-o", "out", "--watch", "--verbose") as process:
        (paper,) = write_papers(ocr.home / "in", 1)
        wait_for(process, process.stderr, f"Finished {Path('in/paper01.pdf')}")
        later = write_papers(ocr.home / "later", 2)[1]
        paper.write_bytes(later.read_bytes())
        wait_for(process, process.stderr, f"Finished {Path('in/paper01.pdf')}")
        # Until the second batch says so it is at work, and Ctrl-C cancels it.
        for _ in range(2):
            wait_for(process, process.stdout, "Manifest: ")
        ocr.interrupt(process)
        process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 0
    assert "This is paper02" in (ocr.home / "out" / "paper01.txt").read_text(encoding="utf-8")
    assert [job["stats"]["completed"] for job in ocr.answer("jobs")] == [1, 1]


@pytest.mark.slow
def test_the_rest_of_a_batch_that_too_many_failures_stopped_is_done_all_the_same(ocr: Command) -> None:
    write_papers(ocr.home / "in", 2)
    for number in range(12):
        (ocr.home / "in" / f"bad{number:02}.pdf").write_bytes(b"no pdf")
    with ocr.start("batch", "in", "-o", "out", "--watch", "--verbose") as process:
        for _ in range(2):
            wait_for(process, process.stderr, f"Finished {Path('in/paper')}")
        ocr.interrupt(process)
        process.communicate(timeout=HANG_SECONDS)

    second, first = ocr.answer("jobs")
    assert first["stats"]["pending"] == 4
    assert (second["stats"]["total"], second["stats"]["completed"]) == (4, 2)


@dataclass
class Folder:
    """A folder whose batches end as they are told to."""

    files: list[str]
    ends: Iterator[set[str]]
    signals: Signals = field(default_factory=Signals)
    batches: list[list[str]] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)

    def do(self, files: list[str]) -> tuple[int, set[str]]:
        self.batches.append(files)
        ended = next(self.ends, None)
        if ended is None:
            self.signals.heard = signal.SIGINT
        return 0, ended or set()

    def look(self, call: Callable[[], Seen]) -> Seen | None:
        return call()

    def wait(self, seconds: float) -> None:
        self.rests.append(seconds)

    def watch(self) -> None:
        watch(lambda: self.files, self.do, self, self.signals)


def test_what_has_not_ended_is_tried_again_and_not_at_once_where_nothing_could_be_done(
    tmp_path: Path,
) -> None:
    one, two = (os.fspath(path) for path in write_papers(tmp_path, 2))
    folder = Folder([one, two], iter([{two}, set()]))

    folder.watch()

    assert folder.batches == [[one, two], [one], [one]]
    assert folder.rests.count(STUCK_SECONDS) == 2


def test_a_folder_whose_disk_does_not_answer_is_watched_until_a_signal_comes(tmp_path: Path) -> None:
    answered, signals = threading.Event(), Signals()

    def find() -> list[str]:
        signals.heard = signal.SIGTERM
        answered.wait(HANG_SECONDS)
        return []

    with JobRunner(Settings(tmp_path, 1), signals) as runner:
        code = watch(find, lambda _: (1, set()), runner, signals)
        ended = runner.ended_by_signal
        answered.set()

    assert (code, ended) == (0, 128 + signal.SIGTERM)


def test_what_a_search_comes_to_and_what_it_raises_comes_through(tmp_path: Path) -> None:
    with JobRunner(Settings(tmp_path, 1), Signals()) as runner:
        assert runner.look(lambda: 7) == 7
        with pytest.raises(ZeroDivisionError):
            runner.look(lambda: 1 // 0)


def test_a_searched_folder_stays_one_below_which_no_links_are_followed_though_it_is_away_for_a_moment(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "in"
    write_papers(folder, 1)
    with JobRunner(Settings(tmp_path / "state", 1), signals := Signals()) as runner:
        command = BatchCommand(paths=[folder], output_dir=tmp_path / "out")
        order = Order(command, JobOptions(), None, runner, signals)
        files = order.find()
        folder.rename(tmp_path / "away")

        assert order._request(files).options.no_links_below == (str(folder),)


def wait_for(process: subprocess.Popen[str], stream: IO[str] | None, text: str) -> None:
    assert stream is not None
    alarm = threading.Timer(HANG_SECONDS, process.kill)
    alarm.start()
    try:
        while text not in (line := stream.readline()):
            assert line, f"it ended, or was ended, without {text!r}"
    finally:
        alarm.cancel()
