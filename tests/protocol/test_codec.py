"""The codec: any bytes in give a command or a WireError; any event out is one line of ASCII."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocr_protocol import COMMANDS, Error, Info, Progress, Result, WireError, decode, encode
from ocr_protocol.commands import Inspect, OcrBatch
from ocr_protocol.events import ErrorData, FileDone, PingData, ProgressData

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "id",
    "command",
    "files",
    "output_dir",
    "options",
    "job_id",
    "passwords",
    "protocol",
    "state",
    "mode",
    "x",
]
MESSAGES = st.builds(
    lambda name, fields: {"command": name, **fields},
    st.sampled_from(sorted(COMMANDS)),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5),
)


# A slow, shared machine takes its time to draw; that says nothing of the codec.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def decode_or_refuse(line: bytes) -> None:
    try:
        decode(line)
    except WireError as refusal:
        encode(refusal.event())


@unhurried
@given(st.binary())
def test_arbitrary_bytes_raise_nothing_but_a_wire_error(line: bytes) -> None:
    decode_or_refuse(line)


@unhurried
@given(MESSAGES)
def test_arbitrary_fields_raise_nothing_but_a_wire_error(message: dict[str, Any]) -> None:
    decode_or_refuse(json.dumps(message).encode("utf-8", "surrogatepass"))


@unhurried
@given(st.text(st.characters(exclude_categories=[])), st.dictionaries(st.text(), JSON))
def test_an_event_is_one_line_of_ascii_and_strict_json(text: str, details: dict[str, Any]) -> None:
    line = encode(
        Error(id=1, data=ErrorData(message=text, code="internal", retryable=False, details=details))
    )

    assert line.isascii()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b"\r" not in line
    said = json.loads(line, parse_constant=pytest.fail)
    json.dumps(said, ensure_ascii=False).encode("utf-8")


@unhurried
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_survives_encoding(text: str) -> None:
    line = encode(Error(data=ErrorData(message=text, code="internal", retryable=False)))

    assert json.loads(line)["data"]["message"] == text


def test_keys_stand_in_one_order_and_absent_ones_are_left_out() -> None:
    data = PingData(state="idle", uptime_seconds=1.5, rss_bytes=7, queued_jobs=0)

    full = encode(Result(id="a", command="ping", job_id="j", seq=3, data=data))
    bare = encode(Result(data=data), seq=4)

    told = b'"data":{"kind":"ping","state":"idle","uptime_seconds":1.5,"rss_bytes":7,"queued_jobs":0}}\n'
    assert full == b'{"type":"result","id":"a","command":"ping","job_id":"j","seq":3,' + told
    assert bare == b'{"type":"result","seq":4,' + told


def test_the_seq_given_to_encode_takes_the_place_of_the_event_s_own() -> None:
    event = Progress(job_id="j", seq=1, data=ProgressData(current=0, total=1, message="", percent=0))

    assert json.loads(encode(event, seq=9))["seq"] == 9


def test_paths_that_are_not_utf_8_go_out_as_uris_and_sentences_with_replacements() -> None:
    path = "/scans/\udcff.pdf"
    data = FileDone(message=f"{path} is done", file=path, status="completed", outputs={"pdf": path})

    said = json.loads(encode(Info(job_id="j", data=data)))["data"]

    assert said["file"] == said["outputs"]["pdf"] == "file:///scans/%FF.pdf"
    assert said["message"] == "/scans/\ufffd.pdf is done"


def test_details_may_hold_paths_odd_strings_and_unknown_objects() -> None:
    details = {"path": Path("/a"), "name": "\udcff\\udcff\U0001f600", "share": float("nan"), "other": object}

    said = json.loads(
        encode(Error(data=ErrorData(message="", code="internal", retryable=False, details=details)))
    )

    assert said["data"]["details"]["path"] == str(Path("/a"))
    assert said["data"]["details"]["name"] == "\ufffd\\udcff\U0001f600"
    assert said["data"]["details"].get("share") is None


def test_fields_that_events_do_not_know_yet_pass() -> None:
    data = ProgressData(current=1, total=2, message="", percent=50, confidence=96.5)

    assert json.loads(encode(Progress(data=data)))["data"]["confidence"] == 96.5


def test_passwords_do_not_show_in_the_text_of_a_command_or_of_its_refusal() -> None:
    told = {
        "command": "ocr_batch",
        "files": ["/a"],
        "output_dir": "/o",
        "options": {"passwords": {"/a": "s3cret"}},
    }
    batch = decode(json.dumps(told).encode())
    inspect = decode(b'{"command":"inspect","file":"/a","password":"s3cret"}')
    with pytest.raises(WireError) as refusal:
        decode(b'{"command":"inspect","file":"/a","password":["s3cret"]}')

    assert isinstance(batch, OcrBatch)
    assert batch.options.passwords == {"/a": "s3cret"}
    assert isinstance(inspect, Inspect)
    assert inspect.password == "s3cret"
    assert "s3cret" not in f"{batch!r} {batch} {inspect!r} {refusal.value} {refusal.value.event()!r}"


def test_the_message_shortens_and_escapes_the_name_of_an_unknown_command() -> None:
    with pytest.raises(WireError) as refusal:
        decode(json.dumps({"command": "\u00e9\n" * 100_000}).encode())

    assert len(refusal.value.message) < 600
    assert refusal.value.message.isascii()
    assert "\n" not in refusal.value.message
