"""docs/protocol.md says what the models say: every command, field, default, kind and code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import img2pdf
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ocr_protocol import ANSWERS, COMMANDS, RETRYABLE, BatchOptions, CommandName
from ocr_protocol.codes import CommandCode, FileCode
from ocr_protocol.events import ErrorData, InfoData, ProgressData, ResultData
from samples import Sample
from tests.printed import fits, hold, read_session

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
EVENT_DATA: list[type[BaseModel]] = [
    ProgressData,
    ErrorData,
    *get_args(get_args(InfoData)[0]),
    *get_args(get_args(ResultData)[0]),
]


def shown_default(field: FieldInfo) -> str:
    default: Any = "required" if field.is_required() else field.get_default(call_default_factory=True)
    if default in ("required", None):
        return default or "absent"
    return f"`{json.dumps(default.model_dump(exclude_unset=True) if isinstance(default, BaseModel) else default)}`"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_docs_tell_every_field_of_a_command_with_its_bounds_and_default(name: CommandName) -> None:
    section = TEXT.partition(f"### `{name}`")[2].partition("\n#")[0]

    for field, info in COMMANDS[name].model_fields.items():
        assert (
            field in {"id", "command"}
            or f"| `{field}` | {info.description} | {shown_default(info)} |" in section
        )


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_one_table_of_the_docs_tells_what_answers_a_command(name: CommandName) -> None:
    answer = ANSWERS[name]
    kinds = " or ".join(f"`{kind}`" for kind in answer.kinds)

    assert f"\n| `{name}` | `{answer.type}` of kind {kinds} | " in TEXT


def test_the_docs_tell_every_option_with_its_bounds_and_default() -> None:
    section = TEXT.partition("## Options")[2].partition("\n#")[0]

    for name, info in BatchOptions.model_fields.items():
        assert f"| `{name}` | {info.description} | {shown_default(info)} |" in section


@pytest.mark.parametrize("model", EVENT_DATA)
def test_the_docs_name_every_field_and_kind_of_an_event(model: type[BaseModel]) -> None:
    section = TEXT.partition("## Events")[2].partition("\n## ")[0]

    kinds = get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
    assert all(f"`{word}`" in section for word in [*kinds, *set(model.model_fields) - {"kind"}])


def test_the_docs_tell_every_code_and_whether_it_may_be_retried() -> None:
    for code in (*get_args(FileCode), *get_args(CommandCode)):
        assert f"| `{code}` | {'yes' if code in RETRYABLE else ''} |" in TEXT


def test_the_session_that_the_docs_print_is_what_the_worker_says(
    sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "a.pdf").write_bytes(img2pdf.convert([str(sample("cards").path)] * 2))
    printed = read_session(TEXT.replace("/scans/", f"{tmp_path}/scans/").replace("/out", f"{tmp_path}/out"))
    environment = {**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")}

    worker = [sys.executable, "-m", "ocr_worker"]
    real = hold(worker, "\n".join(printed.commands) + "\n", tmp_path, environment)

    for event in printed.events:
        assert any(fits(event, said) for said in real), (event, real)
