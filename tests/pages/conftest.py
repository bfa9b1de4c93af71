"""What the tests of page work share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from samples import Sample
from tests.pages.desk import Desk, Done


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.bench.close()


@pytest.fixture(scope="session")
def as_read(
    sample: Callable[[str], Sample], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Done]]:
    """`as_read("clean")`: the scan of a kind, read as it is by default, once a session. Change none of its files."""
    desk = Desk(tmp_path_factory.mktemp("as-read"))
    yield cache(lambda kind: desk.process(sample(kind).path))
    desk.bench.close()
