"""Who inspects is ready before it is asked, but nobody tries for ever to start what can't start."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

import pytest

from ocr_protocol.commands import Inspect
from ocr_worker.processes.guard import Guard
from ocr_worker.settings import Settings
from ocr_worker.stdio.inspector import Inspector
from tests.limits import HANG_SECONDS


def test_a_process_that_can_not_start_is_started_again_only_for_somebody_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    posted, sent = queue.Queue[Any](), list[Any]()
    inspector = Inspector(Settings(tmp_path / "state", page_processes=1), Guard(), posted.put, sent.append)

    inspector.warm()
    inspector.handle(posted.get(timeout=HANG_SECONDS))
    inspector.warm()
    # It has no process to look after.
    untried = inspector.next_tick()
    inspector.ask(Inspect(command="inspect", id=1, file="scan.pdf"))
    inspector.handle(posted.get(timeout=HANG_SECONDS))

    assert untried is None
    assert [(event.id, event.data.code) for event in sent] == [(1, "crashed")]
    assert not inspector.busy
    inspector.close()
