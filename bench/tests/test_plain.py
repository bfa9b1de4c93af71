"""The other side of the comparison: plain Tesseract reads what it is given, as it is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.material import corpus_samples
from bench.plain import recognise_all
from samples import Sample
from samples.scores import score


@pytest.mark.parametrize("kind", ["cards", "fax"])
def test_clean_print_is_read_nearly_without_errors(
    kind: str, sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    scan = sample(kind)

    [text] = recognise_all([scan], tmp_path, processes=1)

    assert score(scan.truth, text).cer < 5


def test_every_scan_of_the_corpus_with_truth_is_in_a_group(corpus: Path) -> None:
    samples = corpus_samples()

    assert len(samples) >= 40
    assert all(sample.path.exists() and sample.truth.strip() for sample in samples)
    assert {"eng book", "eng typed letter", "eng turned"} <= {sample.group for sample in samples}
