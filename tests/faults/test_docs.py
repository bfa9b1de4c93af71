"""docs/errors.md knows every code, and says of each what the table of failures says."""

from __future__ import annotations

import re

import pytest

from ocr_worker.errors import FAILURES
from tests.conftest import REPOSITORY

_ROW = re.compile(r"^\| `(\w+)` \| (.+) \| (.+) \| (yes|no) \|$", re.MULTILINE)
TEXT = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
TABLE = {row[1]: row for row in _ROW.finditer(TEXT)}


def test_every_code_has_its_row_and_no_other_has() -> None:
    assert list(TABLE) == list(FAILURES)


@pytest.mark.parametrize("code", TABLE)
def test_a_row_says_cause_remedy_and_whether_to_retry(code: str) -> None:
    row = TABLE[code]

    assert row[2].endswith(".")
    assert row[3].endswith(".")
    assert (row[4] == "yes") is FAILURES[code].retryable


def test_a_code_stands_among_those_of_commands_or_of_files_and_pages_as_its_scope_says() -> None:
    of_files, of_commands = TEXT.split("## Of commands")

    for code, kind in FAILURES.items():
        assert f"| `{code}` |" in (of_commands if kind.scope == "command" else of_files)


def test_the_tests_that_the_security_page_names_are_there() -> None:
    text = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "tests").rglob("test_*.py"))
    files = {path.name for path in (REPOSITORY / "tests").rglob("test_*.py")}

    named = set(re.findall(r"test_\w+(?=[`.])", text))

    assert len(named) > 12
    for name in named:
        assert f"def {name}(" in sources or f"{name}.py" in files, name
