"""One worker for all tests that leave it as it was, and what a machine must have for real faults."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import miss, need_command
from tests.faults import aftermath, pictures
from tests.faults.host import Worker
from tests.faults.privileges import CAP_SYS_ADMIN, need

Mounted = Callable[..., Path]


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Worker]]:
    """The worker that all share; a new one when a test has been the end of it."""
    with ExitStack() as stack:
        alive: list[Worker] = []

        def get() -> Worker:
            if not alive or alive[-1].process.poll() is not None:
                alive.append(stack.enter_context(closing(Worker(tmp_path_factory.mktemp("shared")))))
            return alive[-1]

        yield get


@pytest.fixture
def worker(workers: Callable[[], Worker], tmp_path: Path) -> Iterator[Worker]:
    """The shared one. After each test all holds that must hold whatever the fault."""
    worker = workers()
    since = len(worker.events)
    yield worker
    aftermath.check(worker, since, tmp_path)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Path]:
    """A scan of a second's work at most. No test changes it, and no worker may."""
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "page.png"
    path.write_bytes(pictures.png())
    yield path
    path.chmod(0o600)
    assert path.read_bytes() == pictures.png()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mounted]:
    """`mount("disk", "-t", "tmpfs", "-o", "size=4m", "tmpfs")` makes and mounts a folder (or `bind` a file) for one test."""
    need(CAP_SYS_ADMIN, "mount a file system")
    need_command("mount")
    with ExitStack() as stack:
        yield lambda name, *arguments: stack.enter_context(_mounted(tmp_path / name, arguments))


@contextmanager
def _mounted(place: Path, arguments: tuple[str, ...]) -> Iterator[Path]:
    if not place.exists():
        place.mkdir(parents=True)
    done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, check=False)
    if done.returncode:
        miss(f"this machine can't mount: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
