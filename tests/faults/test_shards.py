"""Shards under long trouble: kills at any moment, a small disk, and plans of many shards."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from rigs.papers import write_papers
from tests.cli.command import Command
from tests.limits import HANG_SECONDS
from tests.shards.material import Shards, write_cards

pytestmark = pytest.mark.faults_long
KILLS = 20


def put(shards: Shards) -> int:
    return len(list(shards.out.rglob("*_ocr_results.json")))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_twenty_ends_at_random_moments_lose_nothing_and_redo_what_was_in_work(
    tmp_path: Path, how: signal.Signals
) -> None:
    shards, dice, redone = Shards(Command(tmp_path), tmp_path), random.Random(how), 0
    cards = write_cards(shards.inputs, 10)
    shards.plan()
    begun = time.monotonic()
    shards.run()
    whole_seconds = time.monotonic() - begun
    shutil.rmtree(shards.out)

    for _ in range(KILLS):
        process = shards.ocr.start(*shards.run_words())
        try:
            process.wait(dice.uniform(0.2, whole_seconds))
        except subprocess.TimeoutExpired:
            process.send_signal(how)
        process.communicate(timeout=HANG_SECONDS)
        there, is_done = put(shards), (shards.out / "done/0000/0000000.json").exists()
        noted = max(
            (json.loads(path.read_bytes())["files"] for path in shards.out.rglob("tries/**/*.json")),
            default=0,
        )
        said = shards.run()

        if not is_done:
            # What a note calls put is never done again; what is put and not noted yet may be noted now.
            assert said["files"].get("kept", 0) == there >= noted
            redone += said["files"].get("completed", 0) - (len(cards) - there)
        assert len(shards.results()) == len(cards)
        assert shards.leftovers() == []
        shutil.rmtree(shards.out)
    assert redone == 0


def write_heavy(folder: Path, count: int, size: int) -> None:
    """PDFs of a page with text, and so many bytes that outputs carry too."""
    folder.mkdir()
    for paper in write_papers(folder, count):
        with pikepdf.open(paper, allow_overwriting_input=True) as pdf:
            pdf.pages[0].obj.PieceInfo = pikepdf.Dictionary(
                Ours=pdf.make_stream(random.Random(paper.name).randbytes(size))
            )
            pdf.save(paper)


def test_a_local_disk_of_300_mb_holds_a_shard_of_twice_that(
    tmp_path: Path, mount: Callable[..., Path]
) -> None:
    disk = mount("disk", "-t", "tmpfs", "-o", "size=300m", "tmpfs")
    shards = Shards(Command(tmp_path), tmp_path)
    write_heavy(shards.inputs, 40, 15 * 2**20)
    shards.plan("--bytes", str(2**40))
    process = shards.ocr.start(
        "shards",
        "run",
        shards.plan_folder,
        shards.out,
        "--index",
        "0",
        "--scratch",
        disk / "scratch",
        "--json",
    )
    most = 0
    while process.poll() is None:
        most = max(most, shutil.disk_usage(disk).used)
        time.sleep(0.02)
    stdout, stderr = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 0, stderr
    assert json.loads(stdout)["files"] == {"completed": 40}
    assert len(shards.results()) == 40
    print(f"at most {most / 2**20:.0f} MB on the local disk")
    assert most < 290 * 2**20


def test_ten_thousand_tiny_shards_are_planned_and_twenty_run(tmp_path: Path) -> None:
    shards = Shards(Command(tmp_path), tmp_path)
    paper = write_papers(shards.inputs, 1)[0].read_bytes()
    for number in range(10_000):
        (shards.inputs / f"{number:05}.pdf").write_bytes(paper)
    (shards.inputs / "paper01.pdf").unlink()
    planned = shards.plan("--pages-per-shard", "1")

    chosen = random.Random(3).sample(range(10_000), 20)
    for index in chosen:
        done = shards.ocr(*shards.run_words(index), "--json")
        assert done.returncode == 0, done.stderr

    status = shards.status()
    assert planned["shards"] == 10_000
    assert (status["done"], status["files_done"]) == (20, 20)
    array = shards.ocr("shards", "retry", shards.plan_folder, shards.out).stdout.strip()
    ranges = [[int(end) for end in part.split("-")] for part in array.split(",")]
    missing = {number for one in ranges for number in range(one[0], one[-1] + 1)}
    assert missing == set(range(10_000)) - set(chosen)
