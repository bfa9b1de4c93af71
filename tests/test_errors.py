"""One table says what follows from a code; the wire, the classes and the exit codes agree with it."""

from __future__ import annotations

import ast
import errno
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import ocr_worker
from ocr_protocol.codes import RETRYABLE, CommandCode, FileCode
from ocr_worker import errors
from ocr_worker.cli.exit_codes import BatchBrokenError, EndedAtOnceError, UsageError
from ocr_worker.errors import FAILURES, OcrError, exhausted
from ocr_worker.jobs.course import FILE_CODES, RETRIED_CODES, RETRYABLE_CODES
from ocr_worker.model.option_table import options
from ocr_worker.model.tasks import Failure


def test_the_table_and_the_wire_know_the_same_codes_and_which_of_them_may_be_retried() -> None:
    assert set(FAILURES) == {*get_args(FileCode), *get_args(CommandCode)}
    assert {code for code, kind in FAILURES.items() if kind.scope == "command"} == set(get_args(CommandCode))
    assert {code for code, kind in FAILURES.items() if kind.retryable} == RETRYABLE


def test_every_error_of_ours_has_a_code_of_the_table() -> None:
    ours = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, OcrError)]

    assert len(ours) > 30
    assert {cls.code for cls in ours} <= set(FAILURES)


def test_a_dead_page_is_tried_at_once_a_hung_one_later_and_a_gone_file_not_page_by_page() -> None:
    assert {"crashed", "engine"} == RETRIED_CODES
    assert {"crashed", "engine", "node_lost", "timeout"} == RETRYABLE_CODES
    assert {"not_found", "changed", "locked", "no_space", "bad_password"} <= FILE_CODES
    assert not FILE_CODES & {"corrupt", "too_large", "unsupported_type", "internal"}


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UsageError("no"), 2),
        (errors.InvalidParamsError("no"), 2),
        (errors.LanguageMissingError("no"), 3),
        (errors.JobActiveError("no"), 3),
        (BatchBrokenError("no", "job", "no_space"), 4),
        (errors.InternalError("no"), 70),
        (EndedAtOnceError("no"), 130),
    ],
)
def test_an_error_ends_a_command_with_the_exit_code_of_its_kind(error: OcrError, exit_code: int) -> None:
    assert error.exit_code == exit_code


def test_a_failure_says_what_the_error_said() -> None:
    error = errors.ChangedError("a.pdf changed", size=7)

    failure = Failure.of(error)

    assert failure.to_fields() == error.to_fields()
    assert failure.to_fields() == {"code": "changed", "message": "a.pdf changed", "retryable": True}
    assert failure.details == {"size": 7}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "busy"),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "busy"),
        (MemoryError(), "busy"),
        (RuntimeError("can't start new thread"), "busy"),
        (RuntimeError("dictionary changed size during iteration"), None),
        (OSError(errno.EBADF, "Bad file descriptor"), None),
    ],
)
def test_what_the_machine_has_no_more_of_is_no_fault_of_ours_and_may_be_tried_again(
    error: Exception, code: str | None
) -> None:
    ours = exhausted(error)

    assert (ours and ours.code) == code
    assert ours is None or ours.retryable


def test_sentences_of_the_core_set_options_apart_so_that_each_face_says_them_its_own_way() -> None:
    names = "|".join(name for name in options() if "_" in name)
    named = re.compile(rf"(?<![\w-])({names}|list_jobs|retry_failed|get_job)(?![\w-])")
    core = Path(ocr_worker.__file__).parent
    loose = [
        f"{path.name}: {sentence}"
        for room in ("engines", "files", "jobs", "outputs", "pages", "processes", "store")
        for path in sorted((core / room).rglob("*.py"))
        for sentence in sentences(ast.parse(path.read_text(encoding="utf-8")))
        if named.search(re.sub("`[^`]*`", "", sentence)) and "CREATE TABLE" not in sentence
    ]

    assert loose == []


def sentences(module: ast.Module) -> Iterator[str]:
    """Texts of several words, but for docstrings."""
    silent = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            silent.update(id(part) for part in node.values)
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in silent and " " in str(node.value):
            yield str(node.value)
