"""INPUTS.md, line 75: a wall clock that jumps by a day at every look."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults import documents
from tests.faults.host import Spawn, running
from tests.limits import HANG_SECONDS

JUMPING = """
import itertools, time
real, days = time.time, itertools.cycle((0, 86400, -86400, 3600))
time.time = lambda: real() + next(days)
"""
SMALLEST_JUMP_SECONDS = 3600


def test_a_clock_that_jumps_moves_neither_limits_nor_the_time_left(
    tmp_path: Path, page: Path, out: Path
) -> None:
    (tmp_path / "jumping").mkdir()
    (tmp_path / "jumping" / "sitecustomize.py").write_text(JUMPING, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(tmp_path / "jumping"), os.environ.get("PYTHONPATH")]))
    file = tmp_path / "long.pdf"
    file.write_bytes(documents.whole(documents.scan(*(f"Page {n}" for n in range(20)))))

    with running(tmp_path / "home", Spawn({"PYTHONPATH": path})) as worker:
        worker.ask("hello", heartbeat_seconds=1)
        data = worker.batch(
            [file, page], out, page_timeout_seconds=HANG_SECONDS, file_timeout_seconds=HANG_SECONDS
        )

        assert (data["status"], data["failed"]) == ("completed", [])
        assert 0 <= data["duration_seconds"] < SMALLEST_JUMP_SECONDS / 2
        progress = [e["data"] for e in worker.events if e["type"] == "progress"]
        assert all(0 <= (p.get("eta_seconds") or 0) < SMALLEST_JUMP_SECONDS / 2 for p in progress)
        assert all(0 <= p["elapsed_seconds"] < SMALLEST_JUMP_SECONDS / 2 for p in progress)
        assert 0 <= worker.ask("ping")["data"]["uptime_seconds"] < SMALLEST_JUMP_SECONDS / 2
