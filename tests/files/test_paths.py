"""Paths as they are written, by the worker's half and the protocol's."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_protocol import path_from_wire, path_to_wire
from ocr_worker.files.paths import absolute_path, verbatim, written

BYTES = st.binary(min_size=1, max_size=40).filter(lambda name: b"\0" not in name).map(os.fsdecode)
WIDE = st.text(st.characters(exclude_characters='\0\\/:*?"<>|'), min_size=1, max_size=40).filter(
    lambda name: name.strip(" .")
)
"""What Windows has in names: halves of surrogate pairs, but no bytes, and more than blanks and dots, which it drops."""


@given(WIDE if os.name == "nt" else BYTES)
def test_every_path_survives_writing_and_is_written_as_the_wire_writes_it(name: str) -> None:
    path = os.path.abspath(f"/scans/{name}")  # noqa: PTH100  # as text

    assert absolute_path(written(path)) == path
    assert written(path) == path_to_wire(path)


@given(st.sampled_from(["", "file:///", "file://localhost/", "file://", "http://"]), st.text(max_size=20))
def test_what_is_written_is_read_as_the_wire_reads_it(start: str, rest: str) -> None:
    expected: object = ValueError
    with suppress(ValueError):
        expected = os.path.abspath(path_from_wire(start + rest))  # noqa: PTH100  # as text

    try:
        read: object = absolute_path(start + rest)
    except ValueError:
        read = ValueError

    assert read == expected


@pytest.mark.parametrize("text", ["", "a\0b", "file:///a%00b"])
def test_what_no_file_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not empty"):
        absolute_path(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"C:\scans\a.pdf", r"\\?\C:\scans\a.pdf"),
        (r"\\server\scans\a.pdf", r"\\?\UNC\server\scans\a.pdf"),
        (r"\\?\C:\scans\a.pdf", r"\\?\C:\scans\a.pdf"),
        (r"\\.\C:\scans\a.pdf", r"\\?\C:\scans\a.pdf"),
    ],
)
def test_a_path_of_windows_has_a_form_that_may_be_long(path: str, expected: str) -> None:
    assert verbatim(path) == expected


@pytest.mark.skipif(os.name != "nt", reason="Windows alone has drives and shares")
@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///C:/scans/a%20b.pdf", r"C:\scans\a b.pdf"),
        ("file://server/scans/a.pdf", r"\\server\scans\a.pdf"),
        ("c:/scans/../a.pdf", r"c:\a.pdf"),
        ("C:/scans/a.pdf. .", r"C:\scans\a.pdf"),
        (r"\\?\C:\scans\a.pdf.", r"\\?\C:\scans\a.pdf."),
        (r"\\server\scans\..\a.pdf", r"\\server\scans\a.pdf"),
        (r"\\server\scans" + "\\d" * 90, r"\\?\UNC\server\scans" + "\\d" * 90),
        ("C:\\" + "d" * 200, "\\\\?\\C:\\" + "d" * 200),
    ],
)
def test_what_windows_calls_a_path_is_read_as_one(text: str, path: str) -> None:
    assert absolute_path(text) == path
