"""What all tests share: generated scans, the corpus beside the repository, and commands whose lack is a named skip, but a failure in CI."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from samples import Sample, build

REPOSITORY = Path(__file__).resolve().parent.parent
READS_SCANS = {"sample", "corpus"}


class FilesAndParts(LoadFileScheduling):  # type: ignore[misc]
    """Gives each process whole files, so that it shares their fixtures; a long one in parts, which ids name: `[part=...-`."""

    def _split_scope(self, nodeid: str) -> str:
        part = re.search(r"\[part=\w+", nodeid)
        return f"{super()._split_scope(nodeid)}{part.group() if part else ''}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesAndParts | None:
    return FilesAndParts(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_configure() -> None:
    if sys.platform != "win32":
        # Under nohup all that the tests start would ignore it.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what reads a generated scan, so that `make test-quick` leaves it out."""
    for item in items:
        if READS_SCANS & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for command in mark.args:
            need_command(command)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Sample]:
    """One generated scan of a kind, made once a session: `sample("clean")`. Copy it before you change it."""
    folder = tmp_path_factory.mktemp("samples")
    return cache(lambda kind: build(kind, folder)[0])


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The test material beside the repository. Not a failure where it is not: the project's own tests run without it."""
    folder = REPOSITORY.parent / "shared" / "corpus"
    if not folder.exists():
        pytest.skip("needs ../shared/corpus")
    return folder


def need_command(command: str) -> None:
    """What the mark `needs` does, for what several tests use: a fixture, a tracer."""
    if shutil.which(command) is None:
        miss(f"needs the command {command}: make system-tools")


def miss(reason: str) -> NoReturn:
    """Skip by name what a machine lacks that it could have; CI must have it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
