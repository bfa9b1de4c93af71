"""A page process that rests gives memory back, and hears the next order as before."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ocr_worker.engines import heap
from ocr_worker.model.tasks import WarmTask
from ocr_worker.processes import child, messages
from ocr_worker.processes.claim import Channel
from ocr_worker.processes.limits import Limits
from tests.limits import HANG_SECONDS


def test_a_process_without_orders_gives_memory_back_once_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rested, ours, given = threading.Event(), *os.pipe()
    monkeypatch.setattr(child, "REST_SECONDS", 0.01)
    monkeypatch.setattr(heap, "give_back", rested.set)
    orders = child.Orders(Channel(ours, 1), tmp_path, Limits(4096))
    orders._confined = True  # and this process is not
    hears = threading.Thread(target=orders._hear)
    hears.start()

    def go_on() -> None:
        if rested.wait(HANG_SECONDS):
            os.write(given, messages.dump(7, WarmTask()))
        os.close(given)

    host = threading.Thread(target=go_on)
    host.start()

    assert list(orders.tasks()) == [(7, WarmTask())]
    assert rested.is_set()
    host.join()
    hears.join()


_HELD = """
import ctypes
from ocr_worker.engines import heap

c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p

def resident():
    with open("/proc/self/statm") as counts:
        return int(counts.read().split()[1]) * 4096

blocks = [c.malloc(65536) for _ in range(600)]
for block in blocks:
    ctypes.memset(block, 1, 65536)
for block in blocks[:-1]:
    c.free(ctypes.c_void_p(block))
before = resident()
heap.give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_what_was_freed_below_what_is_in_use_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", _HELD], capture_output=True, text=True, check=True).stdout

    assert int(said) > 30_000_000
