"""Every vector of protocol/vectors has the outcome that it states."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ocr_protocol import COMMANDS, BatchOptions, Line, LineSplitter, WireError, decode
from tests.protocol.vectors import Vector, read_vectors

VALID, INVALID = read_vectors("valid"), read_vectors("invalid")


def by_name(vectors: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector.name for vector in vectors])


def outcome(line: Line) -> dict[str, Any]:
    """Say what a line means, in the words of the vectors."""
    try:
        command = decode(line)
    except WireError as refusal:
        data = refusal.event().data
        said = {
            "code": data.code,
            "id": refusal.id,
            "command": refusal.command,
            "field": data.details.get("field"),
        }
        return {
            "error": {key: value for key, value in said.items() if value is not None},
            "message": data.message,
        }
    # Set fields only, and the tag, which the decoder read as one of them.
    return {"command": command.model_dump(mode="json", exclude_unset=True)}


def outcomes(stream: bytes) -> list[dict[str, Any]]:
    splitter = LineSplitter()
    return [outcome(line) for line in [*splitter.feed(stream), *splitter.finish()]]


@by_name(VALID)
def test_a_valid_vector_is_read_as_the_commands_it_states(vector: Vector) -> None:
    assert outcomes(vector.stream) == vector.outcomes


@by_name(INVALID)
def test_an_invalid_vector_is_refused_with_the_errors_it_states(vector: Vector) -> None:
    found = outcomes(vector.stream)

    assert len(found) == len(vector.outcomes)
    for actual, expected in zip(found, vector.outcomes, strict=True):
        said = actual.pop("message", None)
        if "message" in expected.get("error", {}):
            actual["error"]["message"] = said
        assert actual == expected


@by_name([vector for vector in INVALID if len(vector.outcomes) == 1])
def test_a_refusal_is_one_short_sentence_that_names_its_field(vector: Vector) -> None:
    refused = outcomes(vector.stream)[0]

    message, field = refused["message"], refused["error"].get("field", "")
    fixed = vector.outcomes[0]["error"].get("message")
    assert message.isascii()
    assert len(message) < 250
    assert not re.search(r"\n|pydantic|secret|12345|987654321", message)
    assert fixed or field in message


def test_the_vectors_cover_every_command_every_field_and_every_option() -> None:
    accepted = [said["command"] for vector in VALID for said in vector.outcomes]
    refused = {
        said["error"].get("field", "").split(".")[-1]
        for vector in INVALID
        for said in vector.outcomes
        if "error" in said
    }

    for name, model in COMMANDS.items():
        fields = {field for command in accepted if command["command"] == name for field in command}
        assert fields | {"id"} == set(model.model_fields)
    options = {option for command in accepted for option in command.get("options", {})}
    assert options == set(BatchOptions.model_fields)
    assert refused >= options - {"languages", "outputs"}
