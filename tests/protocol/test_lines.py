"""Lines: cut at 0x0A alone, however the bytes arrive, and never more held than the limit."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ocr_protocol import Line, LineSplitter, TooLong

STREAMS = st.lists(
    st.sampled_from([b"\n", b"\r", b" ", b"\xef\xbb\xbf", b"a", b"bcd", b"\xe2\x80\xa8", b"\x85"])
).map(b"".join)


def split(chunks: list[bytes], max_line_bytes: int = 6) -> list[Line]:
    splitter = LineSplitter(max_line_bytes)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    return lines + splitter.finish()


@given(STREAMS, st.lists(st.integers(0, 40)))
def test_lines_do_not_depend_on_how_the_stream_is_cut(stream: bytes, cuts: list[int]) -> None:
    bounds = sorted({0, len(stream), *(cut for cut in cuts if cut <= len(stream))})

    chunks = [stream[start:end] for start, end in pairwise(bounds)]

    assert split(chunks) == split([stream])


@given(STREAMS)
def test_every_line_that_is_not_blank_comes_out_once_and_in_order(stream: bytes) -> None:
    parts = stream.removeprefix(b"\xef\xbb\xbf").split(b"\n")

    lines = split([stream], max_line_bytes=10_000)

    assert lines == [part.removesuffix(b"\r") for part in parts if part.strip(b" \t\r")]


def test_a_line_at_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert split([b"123456\n1234567\nnext\n"]) == [b"123456", TooLong(6), b"next"]


def test_a_line_too_long_is_reported_once_and_never_held() -> None:
    splitter = LineSplitter(max_line_bytes=1000)

    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == []
        assert len(splitter._held) <= 1000

    assert splitter.feed(b"\nping\n") == [TooLong(1000), b"ping"]
    assert splitter.finish() == []
