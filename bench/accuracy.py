"""Ours beside plain Tesseract on the same pages: error rates of the text and of the PDF's text layer, group by group."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pypdfium2

from bench.corpora import Sample
from bench.host import WorkerHost
from bench.material import corpus_samples, generated_samples
from bench.plain import recognise_all
from bench.scores import Score, score

TOLERANCE_POINTS = 0.2
"""How much worse, in errors per hundred characters, ours may be on a group."""


@dataclass(slots=True)
class Group:
    pages: int = 0
    plain: Score = field(default_factory=Score)
    ours: Score = field(default_factory=Score)
    layer: Score = field(default_factory=Score)

    @property
    def is_worse(self) -> bool:
        return self.ours.cer > self.plain.cer + TOLERANCE_POINTS


@dataclass(frozen=True, slots=True)
class Reading:
    """What we made of a sample: the text output, and the text that a PDF reader finds."""

    text: str
    layer: str


def measure(folder: Path, seed: int, count: int) -> tuple[dict[str, Group], list[str]]:
    """Return the groups by name, and the languages that this machine lacks."""
    samples = [*corpus_samples(), *generated_samples(folder / "generated", seed, count)]
    with WorkerHost(folder) as worker:
        languages = set(worker.ask("hello")["data"]["languages"])
        known = [sample for sample in samples if sample.language in languages]
        readings = _read_all(worker, known, folder)
    plain = recognise_all(known, folder / "tessdata", os.cpu_count() or 1)
    groups = _grouped(zip(known, readings, plain, strict=True))
    return groups, sorted({sample.language for sample in samples} - languages)


def table(groups: dict[str, Group]) -> str:
    """The groups as text, worse ones marked."""
    head = f"{'group':22}{'pages':>6}  {'CER plain':>9}{'ours':>7}{'layer':>7}  {'WER plain':>9}{'ours':>7}  {'F1 plain':>8}{'ours':>7}{'layer':>7}"
    return "\n".join([head, *(_row(name, groups[name]) for name in sorted(groups))])


def _row(name: str, group: Group) -> str:
    plain, ours, layer = group.plain, group.ours, group.layer
    mark = "  WORSE" if group.is_worse else ""
    return (
        f"{name:22}{group.pages:6}  {plain.cer:9.2f}{ours.cer:7.2f}{layer.cer:7.2f}  {plain.wer:9.2f}{ours.wer:7.2f}"
        f"  {plain.f1:8.2f}{ours.f1:7.2f}{layer.f1:7.2f}{mark}"
    )


def _read_all(worker: WorkerHost, samples: list[Sample], folder: Path) -> list[Reading]:
    made: dict[str, dict[str, str]] = {}
    for language in sorted({sample.language for sample in samples}):
        files = [sample.path for sample in samples if sample.language == language]
        options = {"languages": [language], "outputs": ["pdf", "txt"], "on_existing": "overwrite"}
        result = worker.batch(files, folder / f"ours-{language}", **options)
        made |= {done["file"]: done["outputs"] for done in result["data"]["successful"]}
    return [_reading(made.get(str(sample.path))) for sample in samples]


def _reading(outputs: dict[str, str] | None) -> Reading:
    # A file that failed has read nothing: every character of it is an error.
    if outputs is None:
        return Reading("", "")
    return Reading(Path(outputs["txt"]).read_text(encoding="utf-8"), layer_of(Path(outputs["pdf"])))


def layer_of(path: Path) -> str:
    """The text that pdfium finds in a PDF."""
    document = pypdfium2.PdfDocument(path)
    text = "\f".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text.replace("\r\n", "\n")


def _grouped(rows: Iterable[tuple[Sample, Reading, str]]) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for sample, reading, plain in rows:
        group = groups.setdefault(sample.group, Group())
        group.pages += sample.pages
        group.plain += score(sample.truth, plain)
        group.ours += score(sample.truth, reading.text)
        group.layer += score(sample.truth, reading.layer)
    return groups
