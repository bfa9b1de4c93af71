"""What breaks the rules of a content is put as it was meant; what keeps them is left alone."""

from __future__ import annotations

import pytest

from ocr_worker.engines.pdf.content_syntax import corrected, fault

BITS = bytes(range(256)) * 2


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"5.952e2 0 0 8E+2 1e-2 .5e1 cm", b"595.200000 0 0 800.000000 0.010000 5.000000 cm"),
        (b"595,2 0 m --5 +-6 l ++7 8 l", b"595.2 0 m -5 -6 l 7 8 l"),
        (b"59-5.2 7- m 1.2.3 4..5 l", b"595.2 7 m 1.2 4. l"),
        (b"NaN -inf m 1.#QNAN 0 l", b"0 0 m 0 0 l"),
        (b"3f 0 m 4abc 0 l", b"3 0 m 4 0 l"),
        (b"1 0 0 1 5 0cm 0 0 9 9ref [] 0d", b"1 0 0 1 5 0 cm 0 0 9 9 re f [] 0 d"),
        (b"q1 0 0 1 5 0 cm/Scan DoQq Q", b"q 1 0 0 1 5 0 cm/Scan Do Q q Q"),
        (b"\xef\xbb\xbfq 1 0 0 1 5 0\xa0cm Q", b"q 1 0 0 1 5 0 cm Q"),
        (b"BT [(Hello) TJ ET", b"BT [(Hello) ] TJ ET"),
        (b"/Span <</MCID 0 BDC EMC", b"/Span <</MCID 0 >> BDC EMC"),
        (b"[(a) -2e1 (b)] TJ", b"[(a) -20.000000 (b)] TJ"),
        (b"1e400 0 m", b"0 0 m"),
    ],
)
def test_what_was_meant(written: bytes, meant: bytes) -> None:
    found = corrected([written], None)

    assert found is not None
    assert found.content.split() == meant.split()


@pytest.mark.parametrize(
    "written",
    [
        b"q 595.2 0 0 841.92 0 -.5 cm +1 0. m -0 4 l S Q T* f* B* /F1 2 Tf 1 0 d0",
        b"BT (in 1990s, 5e2 at 4-3 DoQ \\) [ ) Tj (a(b(c(d 1e5)))) Tj <1e2F> Tj ET",
        b"/Name5e2 gs /A#201e5 gs % 5.952e2 0cm\n/Span <</K [1 2]>> BDC EMC",
        b"BI /W 64 /H 64 /IM true ID " + BITS + b" EI Q 0 0 m",
        b"BX /P 5 zap EX true false null",
        b"[(a) 0 Tc (b)] TJ",
    ],
)
def test_what_keeps_the_rules_is_left_alone(written: bytes) -> None:
    assert corrected([written], None) is None


@pytest.mark.parametrize(
    ("parts", "meant"),
    [
        ([b"1 0 0 1 841.", b"92 0 cm"], b"1 0 0 1 841.92 0 cm"),
        ([b"1 0 0 1 5 0 c", b"m /Sc", b"an Do"], b"1 0 0 1 5 0 cm /Scan Do"),
        ([b"0 0 m 5 5 ", b"l S q", b"Q q\n", b"Q"], None),
        ([b"1 0 0 1 5", b"0 cm q", b"1 0 0 1 5 0 cm"], None),
        ([b"q Q", b"Q BT", b"/F 1 Tf ET"], None),
    ],
)
def test_words_that_are_split_over_two_streams_are_joined(parts: list[bytes], meant: bytes | None) -> None:
    found = corrected(parts, None)

    assert (found.content if found else None) == meant


def test_a_picture_that_is_not_closed_is() -> None:
    found = corrected([b"q BI /W 64 /H 64 /IM true ID " + BITS], None)

    assert found is not None
    assert found.content.split()[-1] == b"EI"
    assert BITS in found.content


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"q 1 0 0 1 0 cm Q", "cm"),
        (b"BT (Hello ET q Q", "(Hello ET q Q"),
        (b"q zap Q", "zap"),
        (b"q 1 0 0 1 0 0 cm /Scan", "an end without an operator"),
        (b"\x01\x80zap Q", "??zap"),
        (b"q 0\xa0zap Q", "0?zap"),
        (b"q BX zap EX 0 0 m Q", None),
        (b"(a) Tj [1] 0 d 0 0 5 5 re f 0 .5 0 sc /P scn 0 0 m", None),
    ],
)
def test_the_word_that_breaks_a_rule_is_told(written: bytes, told: str | None) -> None:
    assert fault([written], None) == told
