"""The model of the protocol notices what is wrong: sessions with one fault each, and good ones without."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.host import Event
from tests.fuzz.model import check

ASKED = {1: "ocr_batch", 2: "ping", 3: "get_job", 4: "retry_failed", 5: "pause", 6: "delete_job"}


def _said(kind: str, asked: int | None = None, job: str | None = None, **data: Any) -> Event:
    types = {"accepted": "info", "file_done": "info", "pause": "info", "progress": "progress", "error": "error",
             "note": "info", "dance": "dance"}  # fmt: skip
    fields = {"id": asked, "job_id": job}
    data = data if kind in ("progress", "error") else {"kind": kind, **data}
    return {"type": types.get(kind, "result"), "data": data} | {
        k: v for k, v in fields.items() if v is not None
    }


def _end(asked: int = 1, status: str = "completed", **lists: str) -> Event:
    names = ("successful", "failed", "skipped")
    listed: dict[str, Any] = {name: [{"file": file} for file in lists.get(name, "")] for name in names}
    return _said("batch", asked, "j", status=status, total_files=sum(map(len, listed.values())), **listed)


def _done(file: str = "a", status: str = "completed") -> Event:
    return _said("file_done", job="j", file=file, status=status)


def _progress(current: int, total: int, percent: float) -> Event:
    return _said("progress", job="j", current=current, total=total, percent=percent)


BEGIN, END = _said("accepted", 1, "j"), _end(successful="a")
DONE, ALL = _done(), _progress(1, 1, 100)
RUN = [BEGIN, DONE, ALL, END]
PONG = _said("ping", 2, state="idle")
FAILED = [BEGIN, _done("a", "failed"), ALL, _end(failed="a")]
AGAIN = _said("accepted", 4, "j")

GOOD = {
    "a run": RUN,
    "a ping in a run": [BEGIN, _said("ping", 2, state="running"), *RUN[1:]],
    "a run that fails": [BEGIN, _said("error", 1, "j")],
    "a refusal": [_said("error", 1)],
    "a question after the end": [*RUN, _said("job", 3, "j", job_id="j", state="completed")],
    "a failed file done again": [*FAILED, AGAIN, DONE, ALL, _end(4, successful="a")],
    "a run that is cancelled": [BEGIN, _progress(0, 2, 0), _end(status="cancelled")],
}

WRONG: dict[str, tuple[str, list[Event]]] = {
    "a file done twice": ("done twice", [BEGIN, DONE, DONE, ALL, END]),
    "a second end, an error": ("answered twice", [*RUN, _said("error", 1, "j")]),
    "a second end, a result": ("answered twice", [*RUN, END]),
    "news of a job after its end": ("note outside", [*RUN, _said("note", job="j")]),
    "a file done after the end": ("file_done outside", [BEGIN, ALL, _end(), DONE]),
    "progress after the end": ("progress outside", [*RUN, ALL]),
    "progress before the beginning": ("not there", [ALL, *RUN]),
    "more pages than there are": ("more pages", [BEGIN, _progress(5, 1, 50), *RUN[1:]]),
    "100 % of a part": ("of a part", [BEGIN, DONE, _progress(1, 2, 100), END]),
    "100 % before the last file": ("after 100 %", [BEGIN, ALL, DONE, END]),
    "completed without 100 %": ("not both", [BEGIN, DONE, END]),
    "a percent that falls": ("percent fell", [BEGIN, _progress(2, 4, 50), _progress(1, 4, 25), *RUN[1:]]),
    "a command answered twice": ("answered twice", [PONG, PONG, *RUN]),
    "a command that got no answer": ("no answer", []),
    "an answer to nothing": ("not asked", [*RUN, _said("ping", 99, state="idle")]),
    "an answer to another command": ("another command", [*RUN, PONG | {"command": "inspect"}]),
    "a success that was not done": ("differ", [BEGIN, ALL, END]),
    "a file done that is in no list": ("differ", [BEGIN, DONE, ALL, _end()]),
    "a failure among the successes": ("differ", [BEGIN, _done("a", "failed"), ALL, END]),
    "a fifth type": ("fifth type", [BEGIN, _said("dance"), *RUN[1:]]),
    "no end": ("without its terminal", RUN[:-1]),
    "two beginnings": ("two runs", [BEGIN, AGAIN, *RUN[1:]]),
    "an end without a beginning": ("not there", RUN[1:]),
    "an end that answers another command": ("not accepted", [BEGIN, DONE, ALL, _end(2, successful="a")]),
    "a job that is not there": ("not there", [_said("job", 3, "j", job_id="j", state="completed")]),
    "a state that it can't have": ("out of place", [*RUN, _said("job", 3, "j", job_id="j", state="running")]),
    "idle in a run": ("idle", [BEGIN, PONG, *RUN[1:]]),
    "a job that ended and is paused": ("does not run", [*RUN, _said("pause", 5, jobs=["j"])]),
    "a running job deleted": ("was deleted", [BEGIN, _said("deleted", 6, "j"), *RUN[1:]]),
    "a batch that takes up another's job": ("another's", [*RUN, _said("accepted", 7, "j"), _end(7, successful="a")]),
}  # fmt: skip
"""What the model says, and the session."""


def _asked(session: list[Event]) -> dict[object, str]:
    """What this session answers, and the batch that each begins with."""
    answered = {event.get("id") for event in session}
    return {asked: command for asked, command in {**ASKED, 7: "ocr_batch"}.items() if asked in answered | {1}}


@pytest.mark.parametrize("name", GOOD)
def test_a_session_by_the_rules_passes(name: str) -> None:
    check(_asked(GOOD[name]), GOOD[name])


@pytest.mark.parametrize("name", WRONG)
def test_a_session_with_a_fault_is_noticed(name: str) -> None:
    words, session = WRONG[name]

    with pytest.raises(AssertionError, match=words):
        check(_asked(session), session)
