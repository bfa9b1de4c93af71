"""What a process takes is seen from outside, and told in words when it is too much."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from ocr_worker.processes.meter import MOST_HANDLES, Taken, taken
from tests.limits import IS_WINE

TAKES = "{what}\nprint(flush=True)\ninput()"
MEMORY = "held = b'x' * 300 * 2**20"
HANDLES = f"import os; held = [os.open(os.devnull, os.O_RDONLY) for _ in range({MOST_HANDLES + 1})]"


def what_is_taken(what: str) -> Taken:
    command = [sys.executable, "-c", TAKES.format(what=what)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.readline()
    found = taken(psutil.Process(child.pid))
    child.communicate(b"\n")
    return found


def test_a_process_that_takes_too_much_memory_is_told_from_one_that_does_not() -> None:
    found = what_is_taken(MEMORY)

    assert found.excess(256) == "256 MiB of memory"
    assert found.excess(1536) is None


def test_of_windows_that_counts_which_wine_tells_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    memory = SimpleNamespace(rss=3, vms=5, private=2**40)
    process = SimpleNamespace(memory_info=lambda: memory, num_handles=lambda: 7)

    assert taken(process) == Taken(5, 7)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "win32", reason="Windows alone keeps no limit of them")
def test_a_process_that_takes_too_many_handles_is_seen() -> None:
    if IS_WINE:
        pytest.skip("Wine does not count handles")

    assert what_is_taken(HANDLES).excess(1536) == f"{MOST_HANDLES} handles"
