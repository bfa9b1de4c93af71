"""Small capitals are read whole: a smaller bitmap takes them for small letters."""

from __future__ import annotations

from collections.abc import Callable

from samples import Sample
from samples.scores import score
from tests.pages.desk import Desk


def test_bold_small_capitals_are_told_from_small_letters(sample: Callable[[str], Sample], desk: Desk) -> None:
    labels = sample("small_capitals")

    # Read from a smaller bitmap alone 88.4; plain Tesseract 94.7.
    assert score(labels.truth, desk.process(labels.path).text).f1 > 94
