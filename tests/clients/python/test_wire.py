"""What the client writes, the worker reads as it was meant; what it reads has a limit of the client's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ocr_client.errors import UnsendableError
from ocr_client.wire import MAX_COMMAND_BYTES, LineReader, encode, wire_path
from ocr_protocol import MAX_LINE_BYTES, decode, path_from_wire
from tests.protocol.vectors import Vector, read_vectors

VALID = read_vectors("valid")


@pytest.mark.parametrize("vector", VALID, ids=[vector.name for vector in VALID])
def test_every_valid_command_is_read_as_it_was_written(vector: Vector) -> None:
    for outcome in vector.outcomes:
        line = encode(outcome["command"])

        assert (
            decode(line.removesuffix(b"\n")).model_dump(mode="json", exclude_unset=True) == outcome["command"]
        )


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"command": "ping", "id": "\ud800"}, "surrogate"),
        ({"command": "ping", "id": float("nan")}, "no JSON"),
        ({"command": "ping", "id": b""}, "no JSON"),
        ({"command": "ocr_batch", "files": ["x" * MAX_COMMAND_BYTES]}, "8,388,"),
    ],
)
def test_what_the_worker_could_not_read_is_not_sent(command: dict[str, Any], why: str) -> None:
    with pytest.raises(UnsendableError, match=why):
        encode(command)


def test_the_limit_is_the_workers() -> None:
    assert MAX_COMMAND_BYTES == MAX_LINE_BYTES


NAMES = (
    ["a.png", "\ud800 \u00fc.png"]
    if sys.platform == "win32"
    else [os.fsdecode(name) for name in (b"a.png", b"\xff \xc3\xbc.png", b"file:\xff")]
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_a_file_can_have_arrives(name: str, tmp_path: Path) -> None:
    path = tmp_path / name

    assert Path(path_from_wire(wire_path(path))) == path


@pytest.mark.parametrize("uri", ["file:///in/%FF.pdf", "file://localhost/in/a.pdf"])
def test_a_name_that_the_worker_gave_goes_back_as_it_came(uri: str) -> None:
    assert wire_path(uri) == uri
    assert wire_path(Path(uri)) == str(Path.cwd() / uri)  # a path is no URI


def test_what_can_be_no_path_is_told_before_it_is_sent() -> None:
    with pytest.raises(UnsendableError, match="half a surrogate pair"):
        wire_path("\ud800.pdf")


def test_an_empty_name_is_the_workers_to_refuse() -> None:
    assert wire_path("") == ""


def test_a_relative_path_is_the_programs_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert wire_path("in/a.png") == str(tmp_path / "in" / "a.png")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_line_over_the_limit_is_dropped_whole_and_the_next_is_read(size: int) -> None:
    stream, reader = b"short\n" + b"x" * 50 + b"\n" + b"y" * 10 + b"\nend\n", LineReader(10)

    lines = [line for at in range(0, len(stream), size) for line in reader.feed(stream[at : at + size])]

    assert (lines, reader.too_long) == ([b"short", b"y" * 10, b"end"], 1)
