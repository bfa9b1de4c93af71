"""One writer that drops nothing but old news, one reader that never runs ahead."""

from __future__ import annotations

import fcntl
import json
import os
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ocr_protocol import Event, Info
from ocr_worker.processes.claim import Channel
from ocr_worker.stdio.streams import WINDOW, Reader, Writer
from tests.limits import HANG_SECONDS

LIMIT = 5
END = "end"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        try:
            os.close(end)
        except OSError:
            continue


def event(number: int, text: str = "") -> Event:
    return Info(id=number, data={"kind": "warning", "message": text})


def start_writer(write: int) -> tuple[Writer, queue.Queue[Any]]:
    posted: queue.Queue[Any] = queue.Queue()
    writer = Writer(Channel(-1, write), lambda: posted.put("drained"), lambda: posted.put("lost"))
    writer.start()
    return writer, posted


def stuff(write: int) -> bytes:
    """Fill the pipe; what fills it."""
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(write, False)
    os.write(write, b" " * 4095 + b"\n")
    os.set_blocking(write, True)
    return b" " * 4095 + b"\n"


def read_events(read: int, count: int) -> list[dict[str, Any]]:
    lines = os.fdopen(os.dup(read), "rb")
    with lines:
        return [json.loads(lines.readline()) for _ in range(count)]


def test_events_come_in_order_each_a_line_counted_from_1(pipe: tuple[int, int]) -> None:
    read, write = pipe
    writer, _ = start_writer(write)

    for number in range(3):
        writer.put(event(number, "line\nbreak \u2028"))

    told = read_events(read, 3)
    assert [(one["id"], one["seq"]) for one in told] == [(0, 1), (1, 2), (2, 3)]


def test_of_unread_progress_only_the_newest_is_kept_and_of_outcomes_all(pipe: tuple[int, int]) -> None:
    read, write = pipe
    stuffing = stuff(write)
    writer, _ = start_writer(write)
    writer.put(event(0))

    for number in range(1, 101):
        writer.put_latest("job", event(-number))
        writer.put(event(number))
    unread = writer.flush(0)

    os.read(read, len(stuffing))
    told = read_events(read, 102)
    assert not unread
    assert [one["id"] for one in told] == [*range(100), -100, 100]
    assert [one["seq"] for one in told] == list(range(1, 103))
    assert writer.flush(LIMIT)


def test_an_event_is_made_only_when_the_host_is_ready_for_it(pipe: tuple[int, int]) -> None:
    read, write = pipe
    stuffing = stuff(write)
    writer, _ = start_writer(write)
    made = list[int]()

    def draft(number: int) -> Event:
        made.append(number)
        return event(number)

    writer.put(event(0))
    for number in (1, 2):
        writer.put(lambda number=number: draft(number))  # type: ignore[misc]
    before = list(made)
    os.read(read, len(stuffing))
    read_events(read, 3)

    assert before == []
    assert made == [1, 2]


def test_a_draft_of_nothing_has_its_turn_when_all_before_it_is_written_and_takes_no_number(
    pipe: tuple[int, int],
) -> None:
    read, write = pipe
    stuffing = stuff(write)
    writer, _ = start_writer(write)
    turn = threading.Event()

    writer.put(event(0))
    writer.put(turn.set)
    writer.put(event(1))
    early = turn.is_set()
    os.read(read, len(stuffing))

    assert [one["seq"] for one in read_events(read, 2)] == [1, 2]
    assert not early
    assert turn.is_set()


def test_a_host_that_is_gone_is_noticed_by_the_write(pipe: tuple[int, int]) -> None:
    read, write = pipe
    writer, posted = start_writer(write)

    os.close(read)
    writer.put(event(1))

    assert posted.get(timeout=LIMIT) == "lost"
    assert writer.flush(LIMIT)


def start_reader(read: int, max_line_bytes: int = 100) -> tuple[Reader, queue.Queue[Any]]:
    posted: queue.Queue[Any] = queue.Queue()
    reader = Reader(Channel(read, -1), posted.put, lambda: posted.put(END), max_line_bytes)
    reader.start()
    return reader, posted


def test_lines_are_posted_and_the_last_needs_no_line_feed(pipe: tuple[int, int]) -> None:
    read, write = pipe
    _, posted = start_reader(read)

    os.write(write, b'{"a":\n"b\r\n\nlast')
    os.close(write)

    got = [posted.get(timeout=LIMIT) for _ in range(4)]
    assert got[:3] == [b'{"a":', b'"b', b"last"]
    assert got[3] == END


def test_a_flood_of_commands_waits_in_the_pipe_until_answers_are_written(pipe: tuple[int, int]) -> None:
    read, write = pipe
    reader, posted = start_reader(read)
    os.write(write, b"x\n" * 200)
    os.close(write)

    first = [posted.get(timeout=LIMIT) for _ in range(WINDOW)]
    held = posted.empty()
    rest = list[Any]()
    for _ in range(200 - WINDOW):
        reader.answered()
        rest.append(posted.get(timeout=LIMIT))

    assert held
    assert first + rest == [b"x"] * 200
    assert posted.get(timeout=LIMIT) == END


def test_a_pipe_that_somebody_made_non_blocking_is_no_host_that_has_gone(pipe: tuple[int, int]) -> None:
    read, write = pipe
    filling = stuff(write)
    writer, posted = start_writer(write)
    os.set_blocking(write, False)

    writer.put(event(1, "x" * 20_000))
    writer.put(event(2))
    heard = bytearray()
    while heard.count(b"\n") < 3:
        heard += os.read(read, 4096)

    assert [json.loads(line)["id"] for line in heard[len(filling) :].splitlines()] == [1, 2]
    assert posted.get(timeout=HANG_SECONDS) == "drained"
    assert posted.empty()


def test_a_stdin_that_somebody_made_non_blocking_has_not_ended(pipe: tuple[int, int]) -> None:
    read, write = pipe
    os.set_blocking(read, False)
    heard: queue.Queue[Any] = queue.Queue()
    reader = Reader(Channel(read, -1), heard.put, lambda: heard.put(END), 1000)
    reader.start()
    # By now it has found nothing, or will.
    os.write(write, b"{}\n")

    first = heard.get(timeout=HANG_SECONDS)
    os.close(write)

    assert first != END
    assert heard.get(timeout=HANG_SECONDS) == END
