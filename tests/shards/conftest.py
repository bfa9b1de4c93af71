from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Command
from tests.shards.material import Shards


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(Command(tmp_path), tmp_path)
