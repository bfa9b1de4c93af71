"""A service's owner in its own process waits as long as it said, whatever interrupts it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from ocr_worker.jobs.runtime import FLAG_SECONDS, Inbox
from ocr_worker.jobs.service import JobService
from ocr_worker.settings import Settings


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_signal_that_takes_longer_than_the_wait_does_not_make_it_last_for_ever(tmp_path: Path) -> None:
    """As after a sleep of the machine: the time is up when the signal comes."""
    inbox, heard = Inbox(), list[int]()
    service = JobService(inbox.surroundings(Settings(tmp_path / "state", page_processes=1)))

    def hear(number: int, _: object) -> None:
        end = time.monotonic() + 3 * FLAG_SECONDS
        while time.monotonic() < end:
            continue
        heard.append(number)

    before = signal.signal(signal.SIGUSR1, hear)
    try:
        main = threading.get_ident()
        threading.Timer(FLAG_SECONDS / 5, signal.pthread_kill, [main, signal.SIGUSR1]).start()
        inbox.wait(service)
    finally:
        signal.signal(signal.SIGUSR1, before)
        service.cleanup()

    assert heard == [signal.SIGUSR1]
