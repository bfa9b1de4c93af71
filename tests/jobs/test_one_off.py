"""Who answers single questions is ready before it is asked, but nobody tries for ever to start what can't start."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import EngineError
from ocr_worker.jobs.one_off import INSPECT_SECONDS, PageRequests, inspection
from ocr_worker.model.tasks import Failure, Inspected, InspectTask, Source
from ocr_worker.processes.guard import Guard
from ocr_worker.processes.pool import PagePool
from ocr_worker.settings import Settings

LIMIT = 30


def test_a_process_that_can_not_start_is_started_again_only_for_somebody_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    posted = queue.Queue[Any]()
    pool = PagePool(2, Settings(tmp_path / "state", page_processes=1), Guard(), posted.put)
    requests = PageRequests(pool)

    requests.warm()
    requests.handle(posted.get(timeout=LIMIT))
    requests.warm()
    # It has no process to look after.
    untried = (requests.next_step(), pool.next_tick())
    answer = requests.ask(InspectTask(Source("scan.pdf")), INSPECT_SECONDS)
    requests.handle(posted.get(timeout=LIMIT))

    assert untried == (None, None)
    outcome = answer.result(timeout=0)
    assert isinstance(outcome, Failure)
    assert outcome.code == "crashed"
    assert not requests.busy
    requests.close()


def test_who_waits_when_it_is_closed_is_told(tmp_path: Path) -> None:
    posted = queue.Queue[Any]()
    requests = PageRequests(PagePool(1, Settings(tmp_path / "state", page_processes=1), Guard(), posted.put))
    answers = [requests.ask(InspectTask(Source("scan.pdf")), INSPECT_SECONDS) for _ in range(2)]

    requests.close()

    assert [type(answer.result(timeout=0)) for answer in answers] == [Failure, Failure]


PAGE = {"width_points": 1, "height_points": 2.5, "has_text": True}
REPORT = {
    "type": "pdf", "bytes": 1, "pages": 1, "encrypted": False, "signed": False, "form": "none", "page_list": [PAGE],
}  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        {"page_list": None}, {"page_list": [{}]}, {"page_list": [{**PAGE, "has_text": "yes"}]}, {"pages": "1"}, {"form": "x"},
        {"page_list": [{**PAGE, "more": 1}]}, {"type": ["pdf"]}, {"more": 1}, {"bytes": 2**70},
    ],
)  # fmt: skip
def test_a_report_that_is_none_is_an_error_of_its_own(told: dict[str, Any]) -> None:
    """Of a page process that a hostile file has taken over; whoever asked gets an answer."""
    source = Source("/scan.pdf")

    assert inspection("scan.pdf", source, Inspected(REPORT)).page_list[0].has_text
    with pytest.raises(EngineError, match="no report"):
        inspection("scan.pdf", source, Inspected({**REPORT, **told}))
