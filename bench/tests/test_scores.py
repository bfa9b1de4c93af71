"""The yardstick itself: rates, folding, sums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.accuracy import FILE, GROUP, Result, by_group
from samples.scores import Score, fold, score, score_pages


@pytest.mark.parametrize(
    ("printed", "plain"),
    [
        ("Waſſer — „gut“", 'Wasser - "gut"'),
        ("a word parted at the line's-\n end", "a word parted at the line'send"),
        ("over-\nboard", "overboard"),
        ("two  spaces\nand\fpages", "two spaces and pages"),
        ("u\u0364ber", "über"),
        ("ﬁne ﬂour", "fine flour"),
    ],
)
def test_old_letters_quotes_and_line_ends_do_not_count(printed: str, plain: str) -> None:
    assert fold(printed) == fold(plain)


def test_one_wrong_letter_in_ten_is_ten_per_cent_of_characters_and_half_of_the_words() -> None:
    result = score("abcd efghi", "abcd efghj")

    assert (result.cer, result.wer, result.f1) == (10, 50, 50)


def test_the_bag_of_words_is_blind_to_the_order() -> None:
    result = score("first second third", "third second first")

    assert result.f1 == 100
    assert result.wer > 0


def test_nothing_found_is_all_wrong() -> None:
    assert score("all of it", "").cer == 100


def test_an_empty_page_read_as_empty_has_no_errors() -> None:
    assert score("", "").cer == 0


def test_an_empty_page_read_as_empty_holds_all_words() -> None:
    assert score("", "").f1 == 100


def test_pages_are_compared_one_by_one_and_added_up() -> None:
    assert score_pages("one\ftwo", "one\ftwo\f") == score("one", "one") + score("two", "two")


def test_a_text_with_a_page_too_few_is_compared_as_a_whole() -> None:
    assert score_pages("one\ftwo", "one two").cer == 0


def test_long_pages_weigh_more_than_short_ones_in_a_group() -> None:
    short = _result(Score(character_errors=1, characters=10))
    long = _result(Score(character_errors=1, characters=90))

    [group] = by_group([short, long])

    assert (group.ours.cer, group.pages) == (2, 2)


def test_a_group_is_worse_past_a_tenth_of_a_point_and_a_file_past_one() -> None:
    plain = Score(character_errors=10, characters=1000, words=100, words_found=100, words_common=99)
    as_good = replace(plain, character_errors=11)
    worse, far_worse = replace(plain, character_errors=12), replace(plain, character_errors=21)
    fewer_words = replace(plain, words_common=97)

    assert not _result(as_good, plain).is_worse(GROUP)
    assert _result(worse, plain).is_worse(GROUP)
    assert not _result(worse, plain).is_worse(FILE)
    assert _result(far_worse, plain).is_worse(FILE)
    assert _result(fewer_words, plain).is_worse(FILE)


NOTHING = Score()


def _result(ours: Score, plain: Score = NOTHING) -> Result:
    return Result("scan", "group", 1, plain, ours, ours)
