"""Paths: text where their bytes are UTF-8, a file URI where they are not, and back again without loss."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_protocol import path_from_wire, path_to_wire

# Windows has shares, and no names of bytes.
OF_POSIX = (
    [] if os.name == "nt"
    else [("file://host/a.pdf", "file://host/a.pdf"), ("file:///scans/%ff%C3%A9.pdf", "/scans/\udcff\u00e9.pdf")]
)  # fmt: skip
NAMES = st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"_"))


@given(NAMES)
def test_every_absolute_path_of_bytes_survives_the_wire(name: bytes) -> None:
    path = os.fsdecode(b"/" + name)

    written = path_to_wire(path)

    written.encode("utf-8")
    assert Path(path_from_wire(written)) == Path(path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/scans/a b.pdf", "/scans/a b.pdf"),
        ("/scans/100%25.pdf", "/scans/100%25.pdf"),
        ("relative.pdf", "relative.pdf"),
        ("-rf", "-rf"),
        ("http://host/a.pdf", "http://host/a.pdf"),
        ("file:a.pdf", "file:a.pdf"),
        ("FILE:///a.pdf", "FILE:///a.pdf"),
        ("file:///scans/a%20b.pdf", "/scans/a b.pdf"),
        ("file://localhost/scans/a.pdf", "/scans/a.pdf"),
        *OF_POSIX,
        ("file:///scans/\u00e9#1?.pdf", "/scans/\u00e9#1?.pdf"),
        ("file:///100%.pdf", "/100%.pdf"),
        ("file:///", "/"),
    ],
)
def test_text_of_the_wire_is_read_as_this_path(text: str, path: str) -> None:
    assert path_from_wire(text) == path


@pytest.mark.parametrize("text", ["", "a\0b", "file:///a%00b"])
def test_text_that_no_file_can_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NUL"):
        path_from_wire(text)


def test_a_path_that_is_not_utf_8_becomes_an_absolute_uri_even_when_relative() -> None:
    assert path_to_wire("/scans/\udcff b.pdf") == "file:///scans/%FF%20b.pdf"
    assert path_to_wire("\udcff.pdf") == f"file://{Path.cwd()}/%FF.pdf"
