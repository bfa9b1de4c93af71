"""The generated schema is fresh, agrees with the codec on the vectors, and its hash is known at run time."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ocr_protocol import SCHEMA_SHA256, Error, Event, Info, Progress, Result, encode
from ocr_protocol.events import Accepted, Acknowledged, ErrorData, PingData, ProgressData
from ocr_protocol.schema import event_adapter, main
from tests.protocol.vectors import read_vectors

FOLDER = Path(__file__).parents[2] / "protocol" / "schema"
# What JSON Schema cannot say, or says otherwise: 1.0 is an integer to it, a repeated field is gone, NUL is a character.
# And to Python's `re`, which jsonschema uses, `$` stands before a last newline too.
BEYOND_SCHEMA = re.compile(r"repeated|whole-fraction|nul-in|-nul$|-newline")

EVENTS: list[Event] = [
    Progress(job_id="j", data=ProgressData(current=1, total=2, message="m", percent=50)),
    Result(id=1, command="ping", data=PingData(state="idle", uptime_seconds=0, rss_bytes=1, queued_jobs=0)),
    Error(id="x", data=ErrorData(message="m", code="busy", retryable=True)),
    Info(job_id="j", data=Accepted(message="m", file_count=2)),
    Info(data=Acknowledged(kind="cancel", message="Cancellation requested")),
]


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def said_in(stream: bytes) -> list[Any]:
    return [json.loads(line) for line in stream.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]


def test_the_generated_files_are_fresh() -> None:
    assert main(["--check"]) == 0


def test_the_hash_is_that_of_the_files() -> None:
    files = b"".join((FOLDER / name).read_bytes() for name in ("commands.json", "events.json"))

    assert hashlib.sha256(files).hexdigest() == SCHEMA_SHA256


def test_the_schema_accepts_every_valid_vector() -> None:
    commands = validator("commands.json")

    for vector in read_vectors("valid"):
        for message in said_in(vector.stream):
            assert commands.is_valid(message), vector.name


def test_the_schema_refuses_every_vector_with_invalid_params_that_it_can_express() -> None:
    commands = validator("commands.json")

    vectors = [vector for vector in read_vectors("invalid") if not BEYOND_SCHEMA.search(vector.name)]
    refused = [
        vector for vector in vectors if vector.outcomes[0].get("error", {}).get("code") == "invalid_params"
    ]

    assert len(refused) > 150
    for vector in refused:
        assert not any(commands.is_valid(message) for message in said_in(vector.stream)), vector.name


@pytest.mark.parametrize("event", EVENTS)
def test_events_as_written_fit_the_schema_and_are_read_back_as_they_were(event: Event) -> None:
    line = encode(event, seq=1)

    assert validator("events.json").is_valid(json.loads(line))
    assert event_adapter().validate_json(line).model_copy(update={"seq": None}) == event
