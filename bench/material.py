"""What accuracy is measured on: the corpus's scans with truth, by group, and the generated ones."""

from __future__ import annotations

import csv
from pathlib import Path

from samples import HARD_KINDS, KINDS, Sample, build

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"

_GROUPS = (
    ("turned", "turned"),
    ("cardinal", "turned"),
    ("skewed", "skewed scan"),
    ("book page, Fraktur", "Fraktur"),
    ("book", "book"),
    ("multi-page scanned", "book"),
    ("typewritten letter", "typed letter"),
    ("typewritten page", "typed page"),
    ("magazine", "magazine"),
    ("clean print", "print"),
    ("scan", "brochure"),
)
"""A word of the manifest's kind, and the group it puts a file into; the first that fits. Handwriting fits none: no
engine here reads it, so its rates say nothing."""


def corpus_samples(per_group: int | None = None) -> list[Sample]:
    """Every scan of the corpus that has text truth, or so many of each group; none where the corpus is not there."""
    manifest = CORPUS / "MANIFEST.tsv"
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    samples = [
        Sample(
            CORPUS / row["file"], _text(row), f"{row['language']} {group}", int(row["pages"]), row["language"]
        )
        for row in rows
        if (row["ground_truth_file"] or "").endswith(".gt.txt")
        and row["file"].startswith("scans/")
        and (group := _group(row["kind"]))
    ]
    groups = {one.group: [other for other in samples if other.group == one.group] for one in samples}
    return [sample for group in groups.values() for sample in group[:per_group]]


def generated_samples(folder: Path, seed: int, count: int) -> list[Sample]:
    """So many scans of every kind that has text, hard kinds included."""
    return [
        sample
        for kind in (*KINDS, *HARD_KINDS)
        if kind != "blank"
        for sample in build(kind, folder / kind, seed=seed, count=count)
    ]


def _text(row: dict[str, str]) -> str:
    return (CORPUS / row["ground_truth_file"]).read_text(encoding="utf-8")


def _group(kind: str) -> str | None:
    return next((group for word, group in _GROUPS if word in kind), None)
