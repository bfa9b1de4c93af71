"""docs/errors.md knows every code, and says of each what the wire says."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from ocr_protocol.codes import RETRYABLE, CommandCode, FileCode
from ocr_worker import errors
from tests.conftest import REPOSITORY

_ROW = re.compile(r"^\| `(\w+)` \| (.+) \| (.+) \| (yes|no) \|$", re.MULTILINE)
TABLE = {
    row[1]: row for row in _ROW.finditer((REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8"))
}


def test_every_code_has_its_row_and_no_other_has() -> None:
    assert list(TABLE) == [*get_args(FileCode), *get_args(CommandCode)]


@pytest.mark.parametrize("code", TABLE)
def test_a_row_says_cause_remedy_and_whether_to_retry(code: str) -> None:
    row = TABLE[code]

    assert row[2].endswith(".")
    assert row[3].endswith(".")
    assert (row[4] == "yes") is (code in RETRYABLE)


def test_our_errors_are_retryable_as_the_wire_says() -> None:
    ours = [
        error
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.OcrError)
    ]

    assert len(ours) > 30
    for error in ours:
        assert error.code in TABLE
        assert error.retryable is (error.code in RETRYABLE), error


def test_the_tests_that_the_security_page_names_are_there() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    files = {path.name for path in (REPOSITORY / "tests").rglob("test_*.py")}

    named = set(re.findall(r"test_\w+(?=[`.])", text))

    assert len(named) > 12
    for name in named:
        assert f"def {name}(" in sources or f"{name}.py" in files, name
