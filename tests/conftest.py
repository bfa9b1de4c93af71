"""What all tests share: named skips that CI turns into failures, and the corpus beside the repository."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for command in mark.args:
            if shutil.which(command) is None:
                _miss(f"needs the command {command}: make system-tools")


@pytest.fixture(scope="session")
def corpus() -> Path:
    folder = REPOSITORY.parent / "shared" / "corpus"
    if not folder.exists():
        _miss("needs ../shared/corpus")
    return folder


def _miss(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
