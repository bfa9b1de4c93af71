from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.command import Command
from tests.e2e.material import Material, make_material
from tests.server.service import Service, service


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return make_material(tmp_path_factory.mktemp("material"))


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose files clients may name."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("home"), "--root", root) as running:
        yield running


@pytest.fixture(scope="session")
def client(served: Service) -> Iterator[httpx.Client]:
    with served.client() as made:
        yield made


@pytest.fixture
def ocr(tmp_path: Path) -> Command:
    """The command, with a state of its own."""
    return Command(tmp_path)
