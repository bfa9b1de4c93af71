"""A cluster of four machines under all that networks and machines do. `make cluster-test` runs it, as root with iproute2."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ocr_worker.engines.ocr.tessdata import find_data, tessdata_folders
from rigs import await_that
from rigs.network import (
    BUSY_SECONDS,
    SCANS,
    Batch,
    Network,
    await_work,
    cpu_of,
    ip,
    network,
    space,
    write_scans,
)
from tests.conftest import miss, need_command
from tests.limits import HANG_SECONDS


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    need_command("ip")
    if os.geteuid() != 0:
        miss("needs root for network namespaces")
    try:
        with network(tmp_path_factory.mktemp("hosts")) as hosts:
            yield hosts
    except subprocess.CalledProcessError as error:
        miss(f"needs network namespaces: {error.stderr!r}")


@pytest.fixture
def net(hosts: Network) -> Iterator[Network]:
    """With a scheduler and two nodes."""
    hosts.start_scheduler()
    hosts.start_node("a")
    hosts.start_node("b")
    hosts.await_nodes(2)
    yield hosts
    hosts.end_all()
    assert [one for one in psutil.process_iter(["cmdline"]) if _is_of(one, hosts.folder)] == [], "an orphan"


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scans(tmp_path_factory.mktemp("scans"))


def _is_of(process: psutil.Process, folder: Path) -> bool:
    """A page process of a node or coordinator of these tests."""
    try:
        return "page-process" in process.cmdline() and str(folder) in process.environ().get("TMPDIR", "")
    except psutil.Error:
        return False


def assert_whole(batch: Batch, count: int = SCANS) -> dict[str, Any]:
    """Nothing lost, nothing half done."""
    result = batch.result()
    assert (result["status"], len(result["successful"]), result["failed"]) == ("completed", count, [])
    assert len(batch.texts()) == count
    assert not list(batch.out.rglob("*.part"))
    return result


def test_text_and_boxes_are_those_of_one_machine(net: Network, scans: Path, tmp_path: Path) -> None:
    here = subprocess.run(
        ["ocr-worker", "batch", str(scans), "-o", str(tmp_path / "here"), "--quiet"],
        env={**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")}, timeout=HANG_SECONDS, check=True,
    )  # fmt: skip
    away = net.batch(scans, tmp_path / "away")
    assert_whole(away)

    local = Batch(here, tmp_path / "here")  # type: ignore[arg-type]  # a program that has ended
    assert away.texts() == local.texts()
    assert away.boxes() == local.boxes()
    assert any(one["pages_per_minute"] for one in net.nodes())


WHO = ("page process", "node", "scheduler", "coordinator")


@pytest.mark.parametrize("who", WHO)
def test_a_kill_in_mid_page_loses_nothing(net: Network, scans: Path, tmp_path: Path, who: str) -> None:
    batch = net.batch(scans, tmp_path / "out")
    name = await_work(net, "a", "b")
    at_work = [one for one in net.pages_of("a") + net.pages_of("b") if cpu_of(one) > BUSY_SECONDS]

    kill(net, who, name)
    if who == "coordinator":
        assert psutil.wait_procs(at_work, timeout=10)[1] == []

    assert_goes_on(net, batch, scans, who)


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.faults_long) for seed in range(2, 51))]
)
def test_a_kill_at_any_moment_loses_nothing(net: Network, scans: Path, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    who, name, ended = dice.choice(WHO), dice.choice("ab"), dice.randrange(SCANS)
    batch = net.batch(scans, tmp_path / "out")
    await_that(lambda: len(batch.texts()) >= ended, f"{ended} files")
    time.sleep(dice.uniform(0, 1))

    kill(net, who, name)

    assert_goes_on(net, batch, scans, who)


def kill(net: Network, who: str, name: str) -> None:
    """End it by SIGKILL; the page process is one of this node, if it has one at the moment."""
    if who == "page process":
        for one in net.pages_of(name)[:1]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        return
    net.kill({"node": name, "coordinator": "batch"}.get(who, who))
    if who == "scheduler":
        net.start_scheduler()


def assert_goes_on(net: Network, batch: Batch, scans: Path, who: str) -> None:
    if who != "coordinator":
        # Two nodes had a page each.
        assert assert_whole(batch)["statistics"]["retries"] <= 2
        return
    batch = net.batch(scans, batch.out)
    result = batch.result()
    assert (result["status"], result["failed"]) == ("completed", [])
    assert len(batch.texts()) == SCANS
    assert not list(batch.out.rglob("*.part"))


def test_a_node_that_is_cut_off_costs_nothing_and_joins_again(
    net: Network, scans: Path, tmp_path: Path
) -> None:
    batch = net.batch(scans, tmp_path / "out")
    await_work(net, "a")
    pages = net.pages_of("a")

    net.cut("a")
    alive = psutil.wait_procs(pages, timeout=25)[1]
    assert_whole(batch)
    net.mend("a")

    assert alive == [], "nobody waits for what it reads"
    net.await_nodes(2)


def test_a_node_that_stands_still_costs_nothing(net: Network, scans: Path, tmp_path: Path) -> None:
    batch = net.batch(scans, tmp_path / "out")
    await_work(net, "a")

    net.kill("a", signal.SIGSTOP)
    assert_whole(batch)
    net.kill("a", signal.SIGCONT)

    net.await_nodes(2)


def test_a_bad_line_is_slow_and_no_more(net: Network, scans: Path, tmp_path: Path) -> None:
    need_command("tc")
    words = [
        "exec",
        space("a"),
        "tc",
        "qdisc",
        "add",
        "dev",
        "eth0",
        "root",
        "netem",
        "delay",
        "200ms",
        "loss",
        "2%",
    ]
    try:
        ip("netns", *words)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no netem")
    try:
        assert_whole(net.batch(scans, tmp_path / "out"))
    finally:
        ip("netns", "exec", space("a"), "tc", "qdisc", "del", "dev", "eth0", "root")


def test_a_cancel_ends_the_page_processes_of_nodes(net: Network, scans: Path, tmp_path: Path) -> None:
    batch = net.batch(scans, tmp_path / "out")
    await_work(net, "a", "b")
    at_work = [one for name in ("a", "b") for one in net.pages_of(name) if cpu_of(one) > BUSY_SECONDS]

    batch.program.send_signal(signal.SIGINT)

    assert psutil.wait_procs(at_work, timeout=5)[1] == []
    assert batch.result()["status"] == "cancelled"


def test_a_node_that_leaves_in_peace_finishes_its_page(net: Network, scans: Path, tmp_path: Path) -> None:
    batch = net.batch(scans, tmp_path / "out")
    name = await_work(net, "a", "b")

    net.kill(name, signal.SIGTERM)

    assert_whole(batch)


def test_nodes_that_differ_or_see_nothing_are_refused_and_told(
    hosts: Network, scans: Path, tmp_path: Path
) -> None:
    data = tmp_path / "tessdata"
    data.mkdir()
    other = find_data("deu", tessdata_folders())
    assert other is not None
    shutil.copy(other, data / "eng.traineddata")
    hosts.start_scheduler()
    hosts.start_node("a", TESSDATA_PREFIX=str(data))
    hosts.start_node("b", before=f"mount -t tmpfs none {scans}")
    try:
        await_that(lambda: len(hosts.nodes()) == 2, "two nodes", 60)

        assert_whole(hosts.batch(scans, tmp_path / "out"))

        log = (hosts.folder / "batch.log").read_text("utf-8")
        assert "it does not see" in log
        assert any("its data of eng is other data" in one["refused"] for one in hosts.nodes())
    finally:
        hosts.end_all()


def test_who_has_no_certificate_is_refused(net: Network, scans: Path, tmp_path: Path) -> None:
    stranger = subprocess.run(
        ["ip", "netns", "exec", space("coordinator"), "ocr-worker", "cluster", "tcp://10.77.0.2:8786", "--insecure"],
        capture_output=True, timeout=HANG_SECONDS,
    )  # fmt: skip

    assert stranger.returncode == 3
    assert b"does not answer" in stranger.stderr


def test_a_share_that_nodes_may_only_read_is_enough(hosts: Network, scans: Path, tmp_path: Path) -> None:
    hosts.start_scheduler()
    for host in ("a", "b"):
        hosts.start_node(host, before=f"mount --bind {scans} {scans}; mount -o remount,ro,bind {scans}")
    try:
        hosts.await_nodes(2)

        assert_whole(hosts.batch(scans, tmp_path / "out"))
    finally:
        hosts.end_all()


def test_two_coordinators_share_the_nodes(net: Network, scans: Path, tmp_path: Path) -> None:
    batches = [net.batch(scans, tmp_path / f"out-{name}", name=name) for name in ("one", "two")]

    for batch in batches:
        assert_whole(batch)
