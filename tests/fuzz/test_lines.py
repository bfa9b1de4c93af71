"""Any bytes on stdin: each line gets its answer, exactly one, and the worker lives on."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ocr_protocol.commands import COMMANDS
from tests.faults.host import Event, Worker, running

EXAMPLES = 2_000 if "OCR_FUZZ_SECONDS" in os.environ else 250
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES == 250,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
QUESTIONS = sorted(set(COMMANDS) - {"shutdown", "ocr_batch"})

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = st.dictionaries(
    st.sampled_from(
        ["job_id", "file", "files", "output_dir", "options", "protocol", "state", "limit", "offset", "x"]
    ),
    values,
    max_size=3,
)
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with running(tmp_path_factory.mktemp("lines")) as worker:
        yield worker


@fuzz
@given(line=st.binary(max_size=200).map(lambda line: line.replace(b"\n", b"")))
@example(line=b"\xef\xbb\xbf{}")
@example(line=b"\r")
@example(line=b"\x0b")
@example(line=b'{"command":"ping","command":"shutdown"')
def test_any_bytes_get_one_error_or_none_if_blank(line: bytes, fuzzed: Worker) -> None:
    answers = _answers(fuzzed, line)

    assert [event["type"] for event in answers] == (["error"] if line.strip(b" \t\r") else []), answers


@fuzz
@given(command=st.sampled_from([*QUESTIONS, "ocr_batch", "dance", ""]), given_fields=fields)
def test_any_fields_get_one_answer(command: str, given_fields: dict[str, object], fuzzed: Worker) -> None:
    line = json.dumps({"command": command, "id": "fuzz", **given_fields}).encode("ascii")

    answers = _answers(fuzzed, line)

    assert len(answers) == 1, answers
    assert answers[0]["type"] in {"result", "error", "info"}
    assert answers[0].get("id", "fuzz") == "fuzz"


@fuzz
@given(value=values)
def test_any_json_gets_one_error(value: object, fuzzed: Worker) -> None:
    (answer,) = _answers(fuzzed, json.dumps(value).encode("ascii"))

    assert answer["type"] == "error"
    assert answer["data"]["code"] in {"parse_error", "invalid_params", "unknown_command"}


def _answers(worker: Worker, line: bytes) -> list[Event]:
    """What the worker says to a line: all before the answer to the ping that follows."""
    assert worker.process.stdin
    before, marker = len(worker.events), f"marker {next(numbers)}"
    worker.process.stdin.write(line + b"\n")
    worker.send("ping", id=marker)
    worker.wait(lambda e: e.get("id") == marker)
    said = worker.events[before:]
    assert [event["seq"] for event in said] == list(range(before + 1, before + 1 + len(said)))
    return [event for event in said if event.get("id") != marker]
