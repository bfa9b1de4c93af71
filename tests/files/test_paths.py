"""Paths as they are written, by the worker's half and the protocol's."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_protocol import path_from_wire, path_to_wire
from ocr_worker.files.paths import absolute_path, written


@given(st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name))
def test_every_path_survives_writing_and_is_written_as_the_wire_writes_it(name: bytes) -> None:
    path = os.path.normpath(os.fsdecode(b"/scans/" + name))

    assert absolute_path(written(path)) == path
    assert written(path) == path_to_wire(path)


@given(st.sampled_from(["", "file:///", "file://localhost/", "file://", "http://"]), st.text(max_size=20))
def test_what_is_written_is_read_as_the_wire_reads_it(start: str, rest: str) -> None:
    expected: object = ValueError
    with suppress(ValueError):
        expected = os.path.normpath(Path.cwd() / path_from_wire(start + rest))

    try:
        read: object = absolute_path(start + rest)
    except ValueError:
        read = ValueError

    assert read == expected


@pytest.mark.parametrize("text", ["", "a\0b", "file:///a%00b"])
def test_what_no_file_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not empty"):
        absolute_path(text)
