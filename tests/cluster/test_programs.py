"""Programs: Dask's scheduler as the guide starts it, a node, and a worker that our preload makes one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest

from ocr_worker.cluster.dask_engine import look_at
from ocr_worker.settings import ClusterSettings
from rigs.scheduler import SCHEDULER_SETTINGS, SCHEDULER_WORDS
from tests.cli.command import Command
from tests.e2e.tree import wait_until
from tests.limits import HANG_SECONDS
from tests.shards.material import write_cards

CARDS = 3


@contextmanager
def running(*words: str | Path) -> Iterator[psutil.Process]:
    """A program by its module until it is not needed any more, when it ends in peace."""
    command = [sys.executable, "-m", *map(str, words)]
    environment = {**os.environ, **SCHEDULER_SETTINGS}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment) as program:
        try:
            yield psutil.Process(program.pid)
        finally:
            program.terminate()
            program.wait(HANG_SECONDS)


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """And its address."""
    place = folder / "scheduler.json"
    host = ("--host", "127.0.0.1", "--port", "0")
    with running("dask", "scheduler", *host, *SCHEDULER_WORDS, "--scheduler-file", place) as program:
        wait_until(lambda: place.exists() and place.read_bytes(), "the scheduler")
        yield program, json.loads(place.read_bytes())["address"]


@pytest.mark.slow
def test_a_scheduler_and_a_node_show_nothing_to_strangers_and_the_node_holds_no_more_than_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))
    with scheduler(tmp_path) as (program, address):
        words = ("node", address, "--slots", "3", "--name", "ada", "--map", "/theirs=/ours")
        with running("ocr_worker", *words) as node:
            wait_until(lambda: look_at(ClusterSettings(address)), "the node")

            (facts,) = look_at(ClusterSettings(address))
            listening = [one.laddr for one in program.net_connections() if one.status == "LISTEN"]
            libraries = {Path(one.path).parent.name for one in node.memory_maps() if ".so" in one.path}
            for port in {one.port for one in listening} - {int(address.rpartition(":")[2])}:
                with pytest.raises(HTTPError, match="404"):
                    urlopen(f"http://127.0.0.1:{port}/info/main/workers.html")

    assert (facts.name, facts.slots, facts.refused) == ("ada", 3, "")
    assert {one.ip for one in listening} == {"127.0.0.1"}
    assert "lib-dynload" in libraries
    assert not libraries & {"_core", "pydantic_core", "pypdfium2_raw"}, "NumPy, and what a command line takes"


@pytest.mark.slow
def test_a_worker_that_others_start_is_a_node_by_its_preload(tmp_path: Path) -> None:
    write_cards(tmp_path / "in", CARDS)
    ocr = Command(tmp_path, {"OCR_WORKER_PAGE_PROCESSES": "1"})
    with scheduler(tmp_path) as (_, address):
        settings = ClusterSettings(address)
        words = ("--preload", "ocr_worker.cluster.preload", "--no-nanny", "--nthreads", "2", "--no-dashboard")
        with running("dask", "worker", address, *words):
            wait_until(lambda: look_at(settings), "the node")

            done = ocr(
                "batch", tmp_path / "in", "--output-dir", tmp_path / "out", "--cluster", settings.address
            )

            wait_until(lambda: look_at(settings)[0].pages_per_minute == CARDS, "its pages")
    assert done.returncode == 0, done.stderr
    assert [path.read_text("utf-8").strip() for path in sorted((tmp_path / "out").glob("*.txt"))] == [
        f"This is card{number:03}" for number in range(CARDS)
    ]
