from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from ocr_worker.descriptors import read_some, write_all
from tests.limits import HANG_SECONDS


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends made non-blocking."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    yield ends
    for end in ends:
        os.close(end)


def test_what_a_full_pipe_does_not_take_at_once_is_written_when_there_is_room(pipe: tuple[int, int]) -> None:
    read, write = pipe
    content = os.urandom(1_000_000)
    writing = threading.Thread(target=write_all, args=(write, content), daemon=True)
    writing.start()

    heard = bytearray()
    while len(heard) < len(content):
        heard += read_some(read, 65536)
    writing.join(HANG_SECONDS)

    assert bytes(heard) == content


def test_a_pipe_without_a_reader_is_still_an_error(pipe: tuple[int, int]) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    os.close(read)

    with pytest.raises(BrokenPipeError):
        write_all(write, b"x" * 1_000_000)
    os.close(write)


def test_the_end_of_a_pipe_is_the_end(pipe: tuple[int, int]) -> None:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.close(write)

    assert read_some(read, 10) == b""
    os.close(read)
