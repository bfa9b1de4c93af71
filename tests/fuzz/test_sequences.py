"""Any sequence of commands, against a model of the protocol: one answer each, one terminal event a run, nothing after it."""

from __future__ import annotations

import itertools
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from tests.faults import documents, pictures
from tests.faults.host import Event, running
from tests.fuzz.model import check

LONG = "OCR_FUZZ_SECONDS" in os.environ
ids = itertools.count(1)


class Conversation(RuleBasedStateMachine):
    """A host that says anything that is well-formed, in any order, to a worker of its own."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.stack, self.asked = ExitStack(), dict[object, str]()
        self.folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.files = _inputs(self.folder)
        self.worker = self.stack.enter_context(running(self.folder / "home"))

    @rule(target=jobs, count=st.integers(1, 4), priority=st.integers(-1, 1))
    def batch(self, count: int, priority: int) -> Any:
        fields = {"files": self.files[:count], "output_dir": str(self.folder / "out"), "priority": priority}
        answer = self.say("ocr_batch", options={"retries": 0}, **fields)
        if answer["type"] == "error":
            assert answer["data"]["code"] == "busy"
            return multiple()
        return str(answer["job_id"])

    @rule(target=jobs)
    def refused_batch(self) -> Any:
        answer = self.say("ocr_batch", files=[], output_dir=str(self.folder / "out"))
        assert answer["data"]["message"] == "No files provided for OCR batch processing"
        return multiple()

    @rule(
        job=jobs,
        command=st.sampled_from(["cancel", "pause", "resume", "retry_failed", "get_job", "delete_job"]),
    )
    def about_a_job(self, job: str, command: str) -> None:
        self.say(command, job_id=job)

    @rule(command=st.sampled_from(["cancel", "pause", "resume", "ping", "list_jobs"]))
    def about_all(self, command: str) -> None:
        self.say(command)

    @rule(command=st.sampled_from(["cancel", "resume", "retry_failed", "get_job", "delete_job"]))
    def about_none(self, command: str) -> None:
        assert self.say(command, job_id="20000101_000000_00000000")["data"]["code"] == "job_not_found"

    @rule()
    def look(self) -> None:
        assert self.say("inspect", file=self.files[0])["data"]["pages"] == 1

    @invariant()
    def events_are_counted_without_a_gap(self) -> None:
        events = list(self.worker.events)
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))

    def teardown(self) -> None:
        with self.stack:
            self.say("resume")
            self.say("shutdown", mode="drain")
            assert self.worker.exit_code() == 0
            check(self.asked, self.worker.events)

    def say(self, command: str, **fields: object) -> Event:
        """Send a command; its first and direct answer, which has its id."""
        asked = next(ids)
        self.asked[asked] = command
        self.worker.send(command, id=asked, **fields)
        return self.worker.wait(lambda e: e.get("id") == asked)


def _inputs(folder: Path) -> list[str]:
    contents = {"a.png": pictures.blank((60, 60)), "empty.png": b"", "b.png": pictures.blank((70, 60)),
                "long.pdf": documents.many_pages(20)}  # fmt: skip
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


class TestConversation(Conversation.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=60 if LONG else 8,
        stateful_step_count=30 if LONG else 20,
        deadline=None,
        derandomize=not LONG,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
