from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Command


@pytest.fixture
def ocr(tmp_path: Path) -> Command:
    """The command, whose state, configuration and working directory are the test's own."""
    return Command(tmp_path)
