"""The protocol as a model: given what was asked and all that was said, it fails at the first word out of place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.host import Event

TYPES = {"progress", "result", "error", "info"}
ACTIVE = {"queued", "running", "paused"}
OPENS_A_RUN = {"ocr_batch", "resume", "retry_failed"}
LIST_OF = {"completed": "successful", "completed_with_errors": "successful", "failed": "failed", "skipped": "skipped"}  # fmt: skip


@dataclass
class Job:
    """What a host knows of a job."""

    states: set[str] = field(default_factory=lambda: set(ACTIVE))
    """Those that `get_job` may name now."""
    run: object = None
    """The command that the open run answers."""
    percent: float = 0.0
    done: dict[str, str] = field(default_factory=dict)
    """Files that have ended, and the list of the result that must name each."""


class Model:
    """A host that believes nothing."""

    def __init__(self, asked: Mapping[object, str]) -> None:
        self._asked = asked
        self._answers: dict[object, list[str]] = {asked_id: [] for asked_id in asked}
        self._jobs: dict[object, Job] = {}

    def take(self, event: Event) -> None:
        assert event["type"] in TYPES, "an event of a fifth type"
        kind = event["data"].get("kind", event["type"])
        if "id" not in event:
            self._unasked(event, kind)
        elif kind == "accepted":
            self._answered(event, kind)
            self._begin(event)
        elif self._answered(event, kind) == ["accepted"]:
            self._end(event, kind)
        else:
            self._reply(event, kind)

    def finish(self) -> None:
        """All is said: nothing may be owed any more."""
        for asked, answers in self._answers.items():
            assert answers, f"command {asked} got no answer"
            assert answers != ["accepted"], "a run without its terminal event"

    def _answered(self, event: Event, kind: str) -> list[str]:
        """Count the answer; those before it."""
        asked = event["id"]
        assert asked in self._asked, "an answer to what was not asked"
        assert event.get("command", self._asked[asked]) == self._asked[asked], "an answer to another command"
        before = self._answers[asked]
        assert before in ([], ["accepted"]), "a command was answered twice"
        self._answers[asked] = [*before, kind]
        return before

    def _begin(self, event: Event) -> None:
        job = self._jobs.setdefault(event["job_id"], Job())
        assert job.run is None, "two runs of a job at a time"
        command = self._asked[event["id"]]
        assert command in OPENS_A_RUN, f"{command} opened a run"
        assert (command == "ocr_batch") is (not job.states - ACTIVE), (
            "a run of a job that is not there, or of another's"
        )
        if "completed" in job.states:
            job.percent = 0.0
        if command == "retry_failed":
            job.done = {file: found for file, found in job.done.items() if found != "failed"}
        job.run, job.states = event["id"], set(ACTIVE)

    def _end(self, event: Event, kind: str) -> None:
        job = self._jobs[event["job_id"]]
        assert kind in ("batch", "error"), "a run's second answer is not its end"
        assert job.run == event["id"], "a terminal event answers another command"
        job.run = None
        job.states = {"failed", "interrupted", "stopped"}
        if kind == "batch":
            job.states = {event["data"]["status"]}
            _agree(job, event["data"])

    def _unasked(self, event: Event, kind: str) -> None:
        """Only a run speaks without being asked; lines that were none are errors without id."""
        if "job_id" not in event:
            assert kind == "error", "an event of no job and no command"
            return
        assert event["job_id"] in self._jobs, "an event of a job that is not there"
        job = self._jobs[event["job_id"]]
        assert job.run is not None, f"{kind} outside of a run"
        assert job.percent < 100, f"{kind} after 100 %"
        if kind == "progress":
            _progress(job, event["data"])
        elif kind == "file_done":
            _file_done(job, event["data"])

    def _reply(self, event: Event, kind: str) -> None:
        assert kind != "batch", "a result of a run that was not accepted"
        for name in event["data"].get("jobs", ()) if kind in ("pause", "resume", "cancel") else ():
            assert self._jobs[name].run is not None, f"{kind} of a job that does not run"
            self._jobs[name].states = {
                "pause": {"paused"},
                "resume": {"queued", "running"},
                "cancel": ACTIVE,
            }[kind]
        if kind == "deleted":
            job = self._jobs.pop(event["job_id"])
            assert job.run is None, "a running job was deleted"
        elif kind == "job":
            self._summary(event["data"])
        elif kind == "jobs":
            assert {one["job_id"] for one in event["data"]["jobs"]} == set(self._jobs), (
                "other jobs than there are"
            )
            for one in event["data"]["jobs"]:
                self._summary(one)
        elif kind == "ping":
            assert (event["data"]["state"] == "idle") is not any(job.run for job in self._jobs.values()), (
                "idle or not?"
            )

    def _summary(self, data: Event) -> None:
        assert data["job_id"] in self._jobs, "a job that is not there"
        assert data["state"] in self._jobs[data["job_id"]].states, f"{data['state']}: a state out of place"


def check(asked: Mapping[object, str], events: list[Event]) -> None:
    """Hold a whole session, which has ended, to the protocol."""
    model = Model(asked)
    for event in events:
        model.take(event)
    model.finish()


def _progress(job: Job, data: Event) -> None:
    assert 0 <= data["current"] <= data["total"], "more pages done than there are"
    assert job.percent <= data["percent"] <= 100, "percent fell"
    assert data["percent"] < 100 or data["current"] == data["total"], "100 % of a part"
    job.percent = data["percent"]


def _file_done(job: Job, data: Event) -> None:
    assert data["file"] not in job.done, "a file was done twice"
    job.done[data["file"]] = LIST_OF[data["status"]]


def _agree(job: Job, data: Event) -> None:
    """The result lists each file that ended, once and where its `file_done` says."""
    listed = [(entry["file"], name) for name in ("successful", "failed", "skipped") for entry in data[name]]
    assert sorted(listed) == sorted(job.done.items()), "the result and the files that were done differ"
    assert (data["status"] == "completed") is (job.percent == 100), "100 %, or completed, but not both"
    assert data["status"] != "completed" or len(listed) == data["total_files"], "completed with files left"
