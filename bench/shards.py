"""Shards: what a plan of a million files takes, a look at a hundred thousand shards, and a shard beside the same batch."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.speed import Verdict
from ocr_worker.files.liveness import own_mark
from samples import build

PLAN_FILES, STATUS_SHARDS, PAGES = 1_000_000, 100_000, 500
MOST_PLAN_SECONDS, MOST_STATUS_SECONDS, MOST_MB, MOST_COST = 60, 20, 200, 1.02


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took."""

    what: str
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def line(self) -> str:
        return f"{self.what}: {self.seconds:.1f} s, {self.cpu_seconds:.1f} CPU s, peak {self.peak_mb:.0f} MB"


def run(what: str, *words: str | Path, state: Path, **variables: str) -> Taken:
    """A command and all its children; the peak is that of the largest process."""
    environment = {**os.environ, "OCR_WORKER_STATE_DIR": str(state), **variables}
    command = [sys.executable, "-m", "ocr_worker", *map(str, words)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    # In between stands a process of its own, so that the peak is this command's and no earlier one's.
    watched = [sys.executable, "-c", _WATCHED, *command]
    done = subprocess.run(watched, env=environment, stdout=subprocess.PIPE, check=True)
    seconds, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(what, seconds, cpu, int(done.stdout.split()[-1]) / 1024)


_WATCHED = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def plan(folder: Path, share: float) -> Iterator[tuple[Taken, Verdict]]:
    """Of empty files on this disk, in folders of a thousand."""
    count = int(PLAN_FILES * share)
    for number in range(count):
        place = folder / "in" / f"{number // 1000:04}"
        if number % 1000 == 0:
            place.mkdir(parents=True)
        (place / f"a-scan-of-usual-name-{number:07}.pdf").touch()
    taken = run(
        f"plan of {count:,} files", "shards", "plan", folder / "in", "--plan", folder / "plan", state=folder
    )
    yield taken, _verdict(taken, MOST_PLAN_SECONDS)
    again = run(
        "the same plan again", "shards", "plan", folder / "in", "--plan", folder / "plan", state=folder
    )
    yield again, _verdict(again, MOST_PLAN_SECONDS)


def status(folder: Path, share: float) -> Iterator[tuple[Taken, Verdict]]:
    """Of shards of which nine in ten are done, and one in a hundred has a try."""
    count = int(STATUS_SHARDS * share)
    (folder / "in").mkdir(parents=True)
    for number in range(count):
        (folder / "in" / f"{number:06}.png").touch()
    words = ("shards", "plan", folder / "in", "--plan", folder / "plan", "--pages-per-shard", "1")
    taken = run(f"plan of {count:,} shards", *words, state=folder)
    yield taken, _verdict(taken, MOST_PLAN_SECONDS)
    _write_markers(folder, count)
    taken = run(
        f"status of {count:,} shards", "shards", "status", folder / "plan", folder / "out", state=folder
    )
    yield taken, _verdict(taken, MOST_STATUS_SECONDS)


def _write_markers(folder: Path, count: int) -> None:
    now = time.time()
    for first in range(0, count, 1000):
        name = f"{first // 1000:04}"
        hashes = json.loads((folder / f"plan/shards/{name}/hashes.json").read_bytes())
        done = folder / f"out/done/{name}"
        done.mkdir(parents=True)
        for place, shard_hash in enumerate(hashes):
            if place % 10:
                marker = {
                    "shard": first + place, "hash": shard_hash, "files": {"completed": 499, "failed": 1},
                    "failed": [{"url": f"s3://bucket/scans/{first + place}/torn.pdf", "code": "corrupt", "message": "It is torn." * 8}],
                    "pages": 500, "failed_pages": 0, "tries": 1, "begun": now - 900, "ended": now - 300,
                    "core_seconds": 1200.0, "versions": {"ocr_sidecar": "0.2.0"},
                }  # fmt: skip
                (done / f"{first + place:07}.json").write_text(json.dumps(marker), encoding="ascii")
            if place % 100 == 0:
                _write_note(folder / f"out/tries/{name}/{first + place:07}", shard_hash, now)


def _write_note(folder: Path, shard_hash: str, now: float) -> None:
    folder.mkdir(parents=True)
    note = {
        "hash": shard_hash, "begun": now - 100, "seen": now, "beats": 9, "mark": own_mark(), "processes": 2, "files": 7,
        "pages": 7,
    }  # fmt: skip
    (folder / "20260101T000000.000000-00000000.json").write_text(json.dumps(note), encoding="ascii")


def cost(folder: Path, share: float) -> Iterator[tuple[Taken, Verdict]]:
    """A shard and `batch` on the same scans, in turn; the shard's inputs and outputs by file URLs."""
    pages = max(4, int(PAGES * share))
    scan = Path(build("clean", folder / "sample")[0].path).read_bytes()
    (folder / "in").mkdir()
    for number in range(pages):
        # Content of its own, as far as hashes tell.
        (folder / "in" / f"{number:04}.png").write_bytes(scan + random.Random(number).randbytes(8))
    ours, batch = 0.0, 0.0
    run("plan", "shards", "plan", folder / "in", "--plan", folder / "plan", state=folder / "state")
    for turn in range(2):
        place = folder / f"turn{turn}"
        words = (
            "shards",
            "run",
            folder / "plan",
            place / "shard",
            "--index",
            "0",
            "--scratch",
            place / "scratch",
        )
        taken = run(f"shard of {pages} pages", *words, state=place / "state")
        ours += taken.cpu_seconds
        yield taken, Verdict(f"turn {turn}", is_reached=True)
        taken = run(
            f"batch of {pages} pages",
            "batch",
            folder / "in",
            "-o",
            place / "batch",
            "-q",
            state=place / "state",
        )
        batch += taken.cpu_seconds
        yield taken, Verdict(f"turn {turn}", is_reached=True)
    text = f"a shard takes x{ours / batch:.3f} the CPU of the same batch, the goal is x{MOST_COST}"
    yield Taken("both turns", 0, ours - batch, 0), Verdict(text, ours / batch <= MOST_COST)


def _verdict(taken: Taken, most_seconds: float) -> Verdict:
    text = f"{taken.what}: {taken.seconds:.1f} s of {most_seconds}, {taken.peak_mb:.0f} MB of {MOST_MB}"
    return Verdict(text, taken.seconds <= most_seconds and taken.peak_mb <= MOST_MB)


ROWS: dict[str, Callable[[Path, float], Iterable[tuple[Taken, Verdict]]]] = {
    "plan": plan,
    "status": status,
    "cost": cost,
}
