"""A page process that a hostile file has taken over may answer what it likes: the worker takes no harm."""

from __future__ import annotations

import json
import queue
import sys
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.model.tasks import (
    Composed,
    ComposeTask,
    Drawn,
    Failure,
    Inspected,
    Opened,
    OpenTask,
    Outcome,
    PageDone,
    PageSettings,
    Source,
    Task,
    Warmed,
)
from ocr_worker.processes import messages, slot
from ocr_worker.processes.pool import TaskEnded
from tests.limits import HANG_SECONDS
from tests.processes.test_pool import pool_of_one

SOUND: tuple[Outcome, ...] = (
    Warmed("why"),
    Opened("pdf", 2, "0f", (1, 2, 2**63 + 1), (5, 6), ("w",), languages=("eng",), survey={"pages": [{}]}),
    PageDone(1, "ok", 3, 97.5, 0.25),
    PageDone(1, "blank", 0, None, 1),
    Composed({"pdf": "/out/\udcff.pdf"}, 100, 5),
    Inspected({"page_list": [{"page": 1}]}),
    Drawn(3),
    Failure("corrupt", "x", retryable=False, details={"page": 1}),
    Failure(messages.NEEDS_COMMAND, "x", retryable=False),
)
OPENED = {
    "ticket": 1, "kind": "Opened", "type": "pdf", "pages": 2, "sha256": "0f", "stamp": [1, 2, 3], "page_weights": [1, 1],
}  # fmt: skip
DONE = {
    "ticket": 1,
    "kind": "PageDone",
    "page": 1,
    "status": "ok",
    "words": 1,
    "confidence": 9.0,
    "seconds": 1.0,
}
FAILED = {"ticket": 1, "kind": "Failure", "code": "corrupt", "message": "x", "retryable": False}
HOSTILE: tuple[dict[str, Any], ...] = (
    {**OPENED, "pages": "2"}, {**OPENED, "pages": 10**9, "page_weights": []}, {**OPENED, "pages": 0, "page_weights": []},
    {**OPENED, "pages": -1}, {**OPENED, "pages": True}, {**OPENED, "pages": 2.0}, {**OPENED, "page_weights": [1]},
    {**OPENED, "page_weights": [1, "1"]}, {**OPENED, "stamp": [1, 2]}, {**OPENED, "sha256": "\ud800"},
    {**OPENED, "sha256": None}, {**OPENED, "warnings": "w"}, {**OPENED, "warnings": [1]}, {**OPENED, "survey": []},
    {**OPENED, "up_to_date": 1}, {**OPENED, "languages": [["eng"]]}, {**OPENED, "more": 1}, {**OPENED, "ticket": "1"},
    {**OPENED, "ticket": None}, {**OPENED, "ticket": True}, {**OPENED, "kind": "OpenTask"}, {**OPENED, "kind": ["Opened"]},
    {**DONE, "status": "queued"}, {**DONE, "status": {"a": 1}}, {**DONE, "status": ["ok"]}, {**DONE, "words": 2**64},
    {**DONE, "confidence": float("nan")}, {**DONE, "confidence": "9"}, {**DONE, "seconds": float("inf")},
    {**DONE, "seconds": None}, {**DONE, "page": [1]}, {**FAILED, "code": "none"}, {**FAILED, "code": 7},
    {**FAILED, "message": 7}, {**FAILED, "message": None}, {**FAILED, "retryable": "no"}, {**FAILED, "details": [1]},
    {"ticket": 1, "kind": "Composed", "outputs": {"pdf": 7}, "confidence": None, "characters": 0},
    {"ticket": 1, "kind": "Composed", "outputs": ["/etc/passwd"], "confidence": None, "characters": 0},
    {"ticket": 1, "kind": "Inspected", "report": "x"}, {"ticket": 1, "kind": "Drawn", "words": "x"}, {"ticket": 1},
)  # fmt: skip


@pytest.mark.parametrize("outcome", SOUND)
def test_what_a_page_process_answers_comes_back_as_it_was(outcome: Outcome) -> None:
    assert messages.load_outcome(messages.dump(7, outcome)) == (7, outcome)


@pytest.mark.parametrize("answer", HOSTILE)
def test_an_answer_with_a_field_of_another_type_or_size_is_none(answer: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        messages.load_outcome(json.dumps(answer).encode("ascii"))


@pytest.mark.parametrize("line", [b"", b"\xff", b"[]", b"7", b"[" * 100_000, b'{"ticket":' + b"9" * 5000])
def test_a_line_that_is_no_answer_is_none(line: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, RecursionError)):
        messages.load_outcome(line)


ENDLESS = "import os\nwhile True: os.write(1, b'x' * 65536)"
LIAR = """
import json, sys
for line in sys.stdin:
    if (ticket := json.loads(line)["ticket"]) > 0:
        print(json.dumps({"ticket": ticket, **json.loads(sys.argv[1])}), flush=True)
"""
ELSEWHERE = {"kind": "Composed", "outputs": {"pdf": "/etc/passwd"}, "confidence": None, "characters": 0}
COMPOSE = ComposeTask(Source("x"), PageSettings(), 1, "0", "/results", {"pdf": "/out/x.pdf"})
REHEARSE = OpenTask(Source("x"), PageSettings(), survey=True)


@pytest.mark.parametrize(
    ("program", "answer", "task"),
    [(ENDLESS, {}, COMPOSE), (LIAR, ELSEWHERE, COMPOSE), (LIAR, OPENED, REHEARSE)],
)
def test_a_process_that_writes_without_end_or_answers_what_was_not_asked_is_ended(
    program: str, answer: dict[str, Any], task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_LINE_BYTES", 2**20)
    monkeypatch.setattr(
        slot, "_command", lambda *_: [sys.executable, "-c", program, json.dumps({**answer, "ticket": 1})]
    )
    inbox, ended = queue.SimpleQueue[Any](), list[TaskEnded]()
    with pool_of_one(tmp_path / "state", inbox) as pool:
        pool.start(1, task, HANG_SECONDS)
        while not ended:
            ended = pool.handle(inbox.get(timeout=HANG_SECONDS))

    assert isinstance(ended[0].outcome, Failure)
    assert ended[0].outcome.code == "crashed"
