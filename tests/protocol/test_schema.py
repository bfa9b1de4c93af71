"""The generated schema is fresh, agrees with the codec on the vectors, and its hash is known at run time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ocr_protocol import COMMANDS, SCHEMA_SHA256, Error, Event, Info, Progress, Result, encode
from ocr_protocol.answers import OF_A_JOB
from ocr_protocol.events import Accepted, CancelAcknowledged, ErrorData, PingData, ProgressData
from ocr_protocol.schema import documents, event_adapter, main
from tests.protocol.vectors import read_vectors

FOLDER = Path(__file__).parents[2] / "protocol" / "schema"
# What JSON Schema cannot say, or says otherwise: 1.0 is an integer to it, a repeated field is gone, NUL is a character.
# And to Python's `re`, which jsonschema uses, `$` stands before a last newline too.
BEYOND_SCHEMA = re.compile(r"repeated|whole-fraction|nul-in|-nul$|-newline")
# The worker takes null for absent. The schema knows no null, so that no generator makes three cases of two.
WITH_NULLS = re.compile(r"-nulls?$")

EVENTS: list[Event] = [
    Progress(job_id="j", data=ProgressData(current=1, total=2, message="m", percent=50)),
    Result(id=1, command="ping", data=PingData(state="idle", uptime_seconds=0, rss_bytes=1, queued_jobs=0)),
    Error(id="x", data=ErrorData(message="m", code="busy", retryable=True)),
    Info(job_id="j", data=Accepted(message="m", file_count=2, total_files=3)),
    Info(command="cancel", data=CancelAcknowledged(message="Cancellation requested")),
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
            assert commands.is_valid(message) != bool(WITH_NULLS.search(vector.name)), vector.name


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


def inner(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a schema, at any depth."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from inner(one)


@pytest.mark.parametrize("name", ["commands", "events"])
def test_generators_find_no_title_no_null_no_nameless_enum_and_one_constant_a_variant(name: str) -> None:
    document = documents()[name]
    definitions = list(document["$defs"].values())

    assert not [
        node
        for one in definitions
        for node in inner(one)
        if "title" in node or "anyOf" in node.get("items", {})
    ]
    assert not [
        node
        for one in definitions
        for node in inner(one)
        if node.get("type") == "null" or "enum" in node.get("items", {})
    ]
    for definition in definitions:
        for field in definition.get("properties", {}).values():
            assert not {"enum", "anyOf", "oneOf"} & set(field), field
    for union in [document, *(one for one in definitions if "oneOf" in one)]:
        variants = [document["$defs"][ref["$ref"].rpartition("/")[2]] for ref in union["oneOf"]]
        tags = [
            {field: rule["const"] for field, rule in variant["properties"].items() if "const" in rule}
            for variant in variants
        ]
        assert all(set(tag) <= set(variant["required"]) for tag, variant in zip(tags, variants, strict=True))
        assert len({json.dumps(tag) for tag in tags}) == len(tags)
        assert {len(tag) for tag in tags} == {1}


def test_what_is_always_there_is_required_and_each_command_says_what_answers_it() -> None:
    commands, events = documents()["commands"]["$defs"], documents()["events"]["$defs"]
    of_kind = {
        rule["properties"]["kind"]["const"]: rule
        for rule in events.values()
        if "kind" in rule.get("properties", {})
    }

    assert all(
        "seq" in events[f"{name}Event"]["required"] for name in ("Progress", "Result", "Error", "Info")
    )
    assert "job_id" in events["ProgressEvent"]["required"]
    assert {kind for kind, rule in of_kind.items() if "x-job-id" in rule} == OF_A_JOB
    for command in COMMANDS:
        (definition,) = (
            one
            for one in commands.values()
            if one.get("properties", {}).get("command", {}).get("const") == command
        )
        answer = definition["x-answer"]
        union = events[{"info": "InfoData", "result": "ResultData"}[answer["type"]]]["oneOf"]
        assert {of_kind[kind]["properties"]["kind"]["const"] for kind in answer["kinds"]} == set(
            answer["kinds"]
        )
        assert all(
            any(events[ref["$ref"].rpartition("/")[2]] is of_kind[kind] for ref in union)
            for kind in answer["kinds"]
        )
