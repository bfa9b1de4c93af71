"""What the end-to-end tests share: material made once, and workers that end with their test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material, make_material


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return make_material(tmp_path_factory.mktemp("material"))


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker under the test's own folder: `start_worker()`, or with a Launch."""
    hosts: list[Host] = []

    def start(launch: Launch | None = None) -> Host:
        hosts.append(Host(tmp_path, launch))
        return hosts[-1]

    yield start
    for host in hosts:
        host.close()


@pytest.fixture
def worker(start_worker: StartWorker) -> Host:
    """A worker as an app starts it, with two page processes on any machine."""
    return start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "2"}))
