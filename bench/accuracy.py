"""Ours beside plain Tesseract on the same pages: error rates of the text and of the PDF's text layer, group by group."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.host import WorkerHost
from bench.layer import layer_of
from bench.material import corpus_samples, generated_samples
from bench.plain import recognise_all
from samples import Sample
from samples.scores import Score, score


@dataclass(frozen=True, slots=True)
class Bar:
    """How much worse than plain Tesseract ours may be, in points."""

    cer: float
    f1: float


GROUP = Bar(cer=0.1, f1=0.3)
FILE = Bar(cer=1.0, f1=1.0)


@dataclass(frozen=True, slots=True)
class Result:
    """Of a scan, or of a group: how plain Tesseract, our text and our PDF's text layer compare with the truth."""

    name: str
    group: str
    pages: int
    plain: Score
    ours: Score
    layer: Score

    def is_worse(self, bar: Bar) -> bool:
        return self.ours.cer > self.plain.cer + bar.cer or self.ours.f1 < self.plain.f1 - bar.f1

    def __str__(self) -> str:
        plain, ours = self.plain, self.ours
        return f"{self.group}, {self.name}: CER {plain.cer:.2f} -> {ours.cer:.2f}, F1 {plain.f1:.2f} -> {ours.f1:.2f}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What we made of a sample: the text output, and the text that a PDF reader finds."""

    text: str
    layer: str


@dataclass(frozen=True, slots=True)
class Extent:
    """What is read, and with which engines."""

    seed: int = 1
    count: int = 3
    """Generated scans of each kind."""
    per_group: int | None = None
    """Scans of each group of the corpus; all if None."""
    engines: tuple[str, ...] = ("auto",)


def measure(folder: Path, extent: Extent) -> tuple[dict[str, list[Result]], list[str]]:
    """Return by engine a result for each scan, and the languages that this machine lacks."""
    generated = generated_samples(folder / "generated", extent.seed, extent.count)
    samples = [*corpus_samples(extent.per_group), *generated]
    with WorkerHost(folder) as worker:
        languages = set(worker.ask("hello")["data"]["languages"])
        known = [sample for sample in samples if languages.issuperset(sample.language.split("+"))]
        readings = {engine: _read_all(worker, known, folder, engine) for engine in extent.engines}
    plain = recognise_all(known, folder / "tessdata", os.cpu_count() or 1)
    results = {
        engine: [_result(*row) for row in zip(known, read, plain, strict=True)]
        for engine, read in readings.items()
    }
    named = {code for sample in samples for code in sample.language.split("+")}
    return results, sorted(named - languages)


def by_group(results: Iterable[Result]) -> list[Result]:
    """Add the scans of a group up to one result, groups in order of their names."""
    groups: dict[str, Result] = {}
    for one in results:
        sum_ = groups.get(one.group, Result(one.group, one.group, 0, Score(), Score(), Score()))
        groups[one.group] = Result(
            one.group,
            one.group,
            sum_.pages + one.pages,
            sum_.plain + one.plain,
            sum_.ours + one.ours,
            sum_.layer + one.layer,
        )
    return [groups[name] for name in sorted(groups)]


def worse_files(results: Iterable[Result]) -> list[Result]:
    return [one for one in results if one.is_worse(FILE)]


def worse_groups(groups: Iterable[Result]) -> list[Result]:
    return [one for one in groups if one.is_worse(GROUP)]


def table(groups: Iterable[Result]) -> str:
    """The groups as text, worse ones marked."""
    head = (
        f"{'group':20}{'pages':>6} {'CER plain':>10}{'ours':>7}{'layer':>7} {'WER plain':>10}{'ours':>7}{'layer':>7}"
        f" {'F1 plain':>9}{'ours':>7}{'layer':>7}"
    )
    return "\n".join([head, *map(_row, groups)])


def _row(group: Result) -> str:
    rates = [
        [getattr(part, rate) for part in (group.plain, group.ours, group.layer)]
        for rate in ("cer", "wer", "f1")
    ]
    cells = [f" {plain:10.2f}{ours:7.2f}{layer:7.2f}" for plain, ours, layer in rates]
    return f"{group.name:20}{group.pages:6}{cells[0]}{cells[1]}{cells[2][1:]}{'  WORSE' if group.is_worse(GROUP) else ''}"


def _read_all(worker: WorkerHost, samples: list[Sample], folder: Path, engine: str) -> list[Reading]:
    made: dict[str, dict[str, str]] = {}
    for language in sorted({sample.language for sample in samples}):
        files = [sample.path for sample in samples if sample.language == language]
        options = {"languages": language.split("+"), "outputs": ["pdf", "txt"], "on_existing": "overwrite"}
        result = worker.batch(files, folder / f"{engine}-{language}", engine=engine, **options)
        made |= {done["file"]: done["outputs"] for done in result["data"]["successful"]}
    return [_reading(made.get(str(sample.path))) for sample in samples]


def _reading(outputs: dict[str, str] | None) -> Reading:
    # A file that failed has read nothing: every character of it is an error.
    if outputs is None:
        return Reading("", "")
    return Reading(Path(outputs["txt"]).read_text(encoding="utf-8"), layer_of(Path(outputs["pdf"])))


def _result(sample: Sample, reading: Reading, plain: str) -> Result:
    truth = sample.truth
    scores = score(truth, plain), score(truth, reading.text), score(truth, reading.layer)
    return Result(sample.path.name, sample.group, sample.pages, *scores)
