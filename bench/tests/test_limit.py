"""The recognition limit and the bare pipeline: the same work as ours, less what is around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.contenders import Contender, bare, recognition_limit
from bench.meter import measure
from bench.rivals.limit import prepare, recognise
from samples import BOOKS, Sample, save_book, save_text_book
from samples.scores import score


@pytest.mark.parametrize("contender", [bare, recognition_limit])
def test_the_text_of_each_file_is_left_under_its_name(
    contender: Contender, sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    samples = [sample("cards"), sample("fax")]

    measure(contender([one.path for one in samples], tmp_path / "out"), tmp_path / "log")

    for one in samples:
        text = (tmp_path / "out" / f"{one.path.stem}.txt").read_text(encoding="utf-8")
        assert score(one.truth, text).cer < 5


def test_the_limit_counts_recognition_alone(sample: Callable[[str], Sample], tmp_path: Path) -> None:
    command = recognition_limit([sample("cards").path], tmp_path / "out")

    run = measure(command, tmp_path / "log")

    told = json.loads((tmp_path / "out" / "clock.json").read_text(encoding="utf-8"))
    assert (run.seconds, run.cpu_seconds, run.shrunk_pages) == (told["seconds"], told["cpu_seconds"], 0)
    assert 0 < run.cpu_seconds <= run.seconds * 2


def test_large_print_is_shown_to_the_limit_as_it_is_shown_to_ours_shrunk(tmp_path: Path) -> None:
    [truth] = save_book(tmp_path / "book.pdf", 1, look=BOOKS["large"])

    bitmap = prepare(tmp_path / "book.pdf", 0, tmp_path)

    assert bitmap.is_shrunk
    assert bitmap.width < 2480
    assert bitmap.dpi < 300
    assert score(truth, recognise(bitmap)[0]).cer < 1


def test_a_page_of_real_text_costs_the_limit_nothing(tmp_path: Path) -> None:
    [truth] = save_text_book(tmp_path / "book.pdf", 1)

    text, cpu_seconds = recognise(prepare(tmp_path / "book.pdf", 0, tmp_path))

    assert cpu_seconds == 0
    assert score(truth, text).cer < 1
