"""What a row says of its goals, and what is kept of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bench import jobs, report
from bench.__main__ import Session
from bench.jobs import Effort, Job
from bench.long import Growth
from bench.meter import Command, Run, thinned
from bench.pairs import Row, race
from bench.speed import verdicts
from samples.scores import Score

GOOD = Score(0, 100, 0, 20, 20, 20)
BAD = Score(5, 100, 3, 20, 20, 17)
SECOND = Run(1, 1, 1)


def test_a_row_at_twice_the_speed_with_the_gate_open_reaches_one_goal_and_misses_the_other() -> None:
    row = _row(ours=SECOND, ocrmypdf=Run(2.2, 4, 1), limit=Run(0.95, 1, 1, shrunk_pages=4))

    assert _missed(row) == ["scans, gate open, ours: 2.20 times as fast as ocrmypdf, the goal is 2.6"]


def test_where_the_gate_is_closed_twice_the_speed_is_enough() -> None:
    assert not _missed(_row(ours=SECOND, ocrmypdf=Run(2.2, 4, 1), limit=Run(0.95, 1, 1, shrunk_pages=3)))


def test_speed_bought_with_errors_is_missed() -> None:
    row = _row(ours=SECOND, ocrmypdf=Run(9, 4, 1), limit=Run(1, 1, 1, shrunk_pages=0))
    row.texts["ours"] = row.layers["ours"] = BAD

    assert _missed(row) == [
        "scans: CER 5.00, OCRmyPDF's is 0.00",
        "scans: layer F1 85.00, OCRmyPDF's is 100.00",
    ]


def test_cores_that_wait_half_of_the_time_are_half_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)

    assert _row(ours=Run(seconds=10, cpu_seconds=10, peak_pss_bytes=1)).busy("ours") == 0.5


def test_a_long_job_whose_pages_cost_more_than_its_start_explains_misses() -> None:
    rows = [_alone(pages, cpu) for pages, cpu in ((1, 2.0), (20, 21.0), (100, 121.0))]

    missed = [one.text for one in Growth("scans", tuple(rows)).verdicts() if not one.is_reached]

    assert missed == ["long scans: a page costs x1.202, the goal is x1.05"]


def test_no_peak_is_lost_when_samples_are_thinned() -> None:
    samples = [(float(n), 500.0 if n == 77 else 100.0, n) for n in range(1000)]

    kept = thinned(samples, 200)

    assert len(kept) == 200
    assert (77.0, 500.0, 77) in kept


def test_an_output_that_is_missing_has_read_nothing(tmp_path: Path) -> None:
    files = [tmp_path / "one.png", tmp_path / "two.png"]
    for file in files:
        file.touch()

    def write_one(_: list[Path], output_dir: Path) -> Command:
        output_dir.mkdir(parents=True)
        (output_dir / "one.txt").write_text("here", encoding="utf-8")
        return Command(["true"])

    row = race(Job("job", files, 2, ["here", "lost"]), {"a": write_one}, tmp_path, 1)

    assert (row.texts["a"].character_errors, row.texts["a"].characters) == (4, 8)


def test_the_kept_figures_say_where_they_come_from(tmp_path: Path) -> None:
    row = _row(ours=Run(1 / 3, 1, 1, ((0.1, 2.0, 3),)))

    path = report.save(tmp_path, "row", row, {"cores": 2}, {"seed": 1})

    kept = json.loads(path.read_text(encoding="utf-8"))
    assert (kept["cores"], kept["settings"]["seed"]) == (2, 1)
    assert kept["figures"]["runs"]["ours"][0]["seconds"] == 0.3333
    assert kept["figures"]["texts"]["ours"]["cer"] == 0
    assert "[0.1, 2.0, 3]" in path.read_text(encoding="utf-8")


@pytest.mark.long
def test_cards_past_a_thousand_keep_their_own_truth(tmp_path: Path) -> None:
    job = jobs.card_job("cards", Effort(tmp_path), 1001)

    assert job.files[1000].name == "cards-1001.png"
    assert len(job.files) == len(job.truths) == 1001


def test_a_mixed_job_is_a_long_book_before_many_cards(tmp_path: Path) -> None:
    job = jobs.mixed_job("mixed", Effort(tmp_path), 16, 3)

    assert [file.name for file in job.files] == [
        "book.pdf",
        "cards-001.png",
        "cards-002.png",
        "cards-003.png",
    ]
    assert job.pages == 19
    assert job.truths[0].count("\f") == 15


def test_the_corpus_is_one_pdf_of_as_many_pages_as_truths(corpus: Path, tmp_path: Path) -> None:
    job = jobs.corpus_job("corpus", Effort(tmp_path), 5)

    assert job is not None
    assert job.pages == job.truths[0].count("\f") + 1
    assert 3 <= job.pages <= 5


def _row(**runs: Run) -> Row:
    texts = dict.fromkeys(runs, GOOD)
    return Row("scans", 4, {name: [run] for name, run in runs.items()}, texts, dict(texts))


def _alone(pages: int, cpu_seconds: float) -> Row:
    return Row("scans", pages, {"ours": [Run(1, cpu_seconds, 1)]}, {"ours": GOOD}, {"ours": GOOD})


def _missed(row: Row) -> list[str]:
    return [one.text for one in verdicts(row) if not one.is_reached]


def test_a_row_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    session = Session(argparse.Namespace(jobs=["cards", "NOSUCH"]), tmp_path, {})

    with pytest.raises(SystemExit, match=r"^no such row: NOSUCH; there are: scans, cards$"):
        session.jobs(("scans", "cards"))
