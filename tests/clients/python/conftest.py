"""A client of the real worker, with little patience: what takes a desktop half a minute must not take a test that long."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_client import Client, Timing
from tests.e2e import tree
from tests.e2e.material import Material, make_material
from tests.hold import Hold

WORKER = (sys.executable, "-m", "ocr_worker")
HASTY = Timing(ping_seconds=0.2, silence_seconds=600, answer_seconds=2, backoff_seconds=(0.05, 0.05, 0.05))
"""Of silence it knows nothing: a machine under load is silent at times."""

MakeClient = Callable[..., Client]


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """For a client whose worker has its state under this folder."""
    environment = Hold(folder).environment({"OCR_WORKER_PAGE_PROCESSES": "2"})
    return {
        "command": WORKER,
        "state_dir": folder / "state",
        "environment": environment,
        "timing": HASTY,
        **more,
    }


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return make_material(tmp_path_factory.mktemp("material"))


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    """Start a client: `make_client()`, or with settings of its own. Nothing of it is left after the test."""
    clients: list[Client] = []

    def make(name: str = "tests", **more: Any) -> Client:
        clients.append(Client(name, **settings(tmp_path, **more)))
        clients[-1].start()
        return clients[-1]

    yield make
    for client in clients:
        client.stop()
    tree.kill_all(tmp_path / "state")


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()
