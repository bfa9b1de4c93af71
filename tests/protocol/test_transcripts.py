"""The golden sessions are well formed, and the replayer sees what it should. test_worker.py replays them for real."""

from __future__ import annotations

import json
from collections import deque
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from ocr_protocol import COMMANDS, Event, Line, LineSplitter, WireError, decode, encode
from ocr_protocol.events import InfoData, PingData, Result, ResultData
from ocr_protocol.schema import event_adapter
from tests.protocol.transcripts import FOLDER, match, read_steps, replay

PATHS = sorted(FOLDER.glob("*.jsonl"))
STEPS = {"about", "send", "send_line", "skip", "recv", "end", "exit"}
STAND_INS: dict[str, Any] = {
    "string": "x",
    "number": 0.5,
    "integer": 1,
    "boolean": True,
    "array": [],
    "object": {},
}
# A warning comes where the state folder fails under the worker; the session of a cluster needs one, and lies apart.
OUT_OF_A_HOSTS_REACH = {"warning", "cluster"}
FOLDERS = {"in": "/in", "out": "/out"}


class PingOnly:
    """A worker that answers ping and refuses bad lines: the codec, with nothing behind it."""

    def __init__(self) -> None:
        self._splitter, self._numbers = LineSplitter(), count(1)
        self._events: deque[dict[str, Any]] = deque()

    def send(self, line: bytes) -> None:
        self._events += [
            json.loads(encode(self._answer(item), next(self._numbers))) for item in self._splitter.feed(line)
        ]

    def receive(self) -> dict[str, Any] | None:
        return self._events.popleft() if self._events else None

    def end(self) -> None:
        assert self._splitter.finish() == []

    def exit_code(self) -> int:
        return 0

    def _answer(self, line: Line) -> Event:
        try:
            command = decode(line)
        except WireError as refusal:
            return refusal.event()
        data = PingData(state="idle", uptime_seconds=1, rss_bytes=1, queued_jobs=0)
        return Result(id=command.id, command="ping", data=data)


def stand_in(pattern: Any) -> Any:
    """Make up a value that the pattern matches."""
    if isinstance(pattern, dict) and "$any" in pattern:
        return STAND_INS[pattern["$any"]]
    if isinstance(pattern, dict):
        return {name: stand_in(inner) for name, inner in pattern.items() if inner != {"$absent": True}}
    return [stand_in(inner) for inner in pattern] if isinstance(pattern, list) else pattern


def faults_of_type(event: dict[str, Any]) -> set[str]:
    try:
        event_adapter().validate_python(event)
    except ValidationError as error:
        return {fault["type"] for fault in error.errors()}
    return set()


def every_kind() -> set[str]:
    models = [*get_args(get_args(InfoData)[0]), *get_args(get_args(ResultData)[0])]
    return {kind for model in models for kind in get_args(model.model_fields["kind"].annotation)}


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_transcript_is_made_of_known_steps_and_expects_events_of_the_protocol(path: Path) -> None:
    steps = read_steps(path)

    assert set(steps[0]) == {"about"}
    assert all(len(step) == 1 for step in steps)
    assert {name for step in steps for name in step} <= STEPS
    for expected in (step["recv"] for step in steps if "recv" in step):
        assert faults_of_type(stand_in(expected)) <= {"missing"}


def test_the_transcripts_send_every_command_and_expect_every_type_and_kind_of_event() -> None:
    steps = [step for path in PATHS for step in read_steps(path)]
    expected = [step["recv"] for step in steps if "recv" in step]

    assert {step["send"]["command"] for step in steps if "send" in step} >= set(COMMANDS)
    assert {event["type"] for event in expected if "type" in event} == {"progress", "result", "error", "info"}
    assert {event["data"].get("kind") for event in expected} >= every_kind() - OUT_OF_A_HOSTS_REACH


@pytest.mark.parametrize("name", ["bad_lines", "no_files"])
def test_the_codec_alone_gives_the_answers_about_bad_lines(name: str) -> None:
    assert replay(read_steps(FOLDER / f"{name}.jsonl"), PingOnly(), FOLDERS) == []


@pytest.mark.parametrize(
    ("expected", "actual", "faults"),
    [
        ({"a": 1}, {"a": 1.0, "b": 2}, []),
        ({"a": 1}, {}, ["event.a is missing"]),
        ({"a": 1}, {"a": True}, ["event.a: True is not 1"]),
        ({"a": [1, 2]}, {"a": [1]}, ["event.a: [1] is not [1, 2]"]),
        ({"a": [1, 2]}, {"a": [1, 3]}, ["event.a.1: 3 is not 2"]),
        ({"a": {"b": None}}, {"a": {"b": 0}}, ["event.a.b: 0 is not None"]),
        ({"a": {}}, {"a": []}, ["event.a: [] is not {}"]),
        ({"a": {"$absent": True}}, {"a": 1}, ["event.a: 1 should be absent"]),
        ({"a": {"$any": "integer"}}, {"a": 2.0}, []),
        ({"a": {"$any": "integer"}}, {"a": 2.5}, ["event.a: 2.5 is not 'of type integer'"]),
        ({"a": {"$any": "number"}}, {"a": False}, ["event.a: False is not 'of type number'"]),
        ({"a": "${in}/x", "b": "${job}", "c": "${job}"}, {"a": "/in/x", "b": "j", "c": "j"}, []),
        ({"b": "${job}", "c": "${job}"}, {"b": "j", "c": "k"}, ["event.c: 'k' is not 'j'"]),
    ],
)
def test_a_pattern_and_a_value_differ_in_exactly_these_places(
    expected: Any, actual: Any, faults: list[str]
) -> None:
    assert match(expected, actual, dict(FOLDERS)) == faults


PING = {"send": {"command": "ping", "id": 1}}


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([PING, {"recv": {"type": "result", "id": 2}}], "event.id: 1 is not 2"),
        ([{"recv": {"type": "result"}}], "the worker ended before"),
        ([PING], "unexpected"),
        ([{"exit": 1}], "exit code 0, not 1"),
        ([{"skip": [{"id": 2}]}, PING, {"exit": 0}], "unexpected"),
    ],
)
def test_a_worker_that_answers_otherwise_is_found_out(steps: list[dict[str, Any]], fault: str) -> None:
    assert replay(steps, PingOnly(), {})[0].startswith(fault)


def test_skipped_events_may_come_any_number_of_times_before_the_expected_one() -> None:
    steps: list[dict[str, Any]] = [
        {"skip": [{"id": 1}]},
        PING,
        PING,
        {"send": {"command": "ping", "id": 2}},
        {"recv": {"id": 2}},
        PING,
    ]

    assert replay(steps, PingOnly(), {}) == []
