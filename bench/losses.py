"""How soon a cluster is itself again after a cancel, a kill or a cut, by the clock: four network namespaces, as root."""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path

import psutil

from rigs import await_that
from rigs.network import (
    BUSY_SECONDS,
    Batch,
    Network,
    await_work,
    cpu_of,
    network,
    write_scans,
)

SCANS = 12
DOWN_SECONDS = 2.0


def losses() -> str:
    with tempfile.TemporaryDirectory() as place, network(Path(place)) as net:
        folder = Path(place)
        (folder / "in").mkdir()
        write_scans(folder / "in", SCANS)
        said = []
        for number, measure in enumerate((_cancel, _cancel, _coordinator, _node, _scheduler, _cut)):
            net.start_scheduler()
            for host in ("a", "b"):
                net.start_node(host)
            net.await_nodes(2)
            batch = net.batch(folder / "in", folder / f"out{number}", name=f"batch{number}")
            name = await_work(net, "a", "b")
            said.append(measure(net, batch, name))
            net.end_all()
    return "; ".join(said)


def _cancel(net: Network, batch: Batch, _: str) -> str:
    at_work, begun = _at_work(net), time.monotonic()
    batch.program.send_signal(signal.SIGINT)
    psutil.wait_procs(at_work)
    gone = time.monotonic() - begun
    batch.result()
    return f"cancel: {1000 * gone:.0f} ms to the last page process, {1000 * (time.monotonic() - begun):.0f} ms to the result"


def _coordinator(net: Network, _: Batch, __: str) -> str:
    at_work, begun = _at_work(net), time.monotonic()
    net.kill(next(name for name in net.programs if name.startswith("batch")))
    psutil.wait_procs(at_work)
    return f"coordinator killed: {1000 * (time.monotonic() - begun):.0f} ms to the last page process"


def _node(net: Network, batch: Batch, name: str) -> str:
    net.kill(name)
    seconds = _next_page(net)
    return f"node killed: {seconds:.1f} s to the next page, {_lost(batch)}"


def _scheduler(net: Network, batch: Batch, _: str) -> str:
    begun = time.monotonic()
    net.kill("scheduler")
    time.sleep(DOWN_SECONDS)
    net.start_scheduler()
    _next_page(net)
    seconds = time.monotonic() - begun
    return (
        f"scheduler killed, back {DOWN_SECONDS:g} s later: {seconds:.1f} s to the next page, {_lost(batch)}"
    )


def _cut(net: Network, batch: Batch, name: str) -> str:
    pages, begun = net.pages_of(name), time.monotonic()
    net.cut(name)
    psutil.wait_procs(pages)
    ended = time.monotonic() - begun
    lost = _lost(batch)
    net.mend(name)
    again = net.await_nodes(2)
    return f"cut off: its page processes end after {ended:.1f} s, joined again {again:.1f} s after the mending, {lost}"


def _at_work(net: Network) -> list[psutil.Process]:
    return [one for name in ("a", "b") for one in net.pages_of(name) if cpu_of(one) > BUSY_SECONDS / 2]


def _finished(net: Network) -> int:
    (log,) = net.folder.glob(f"{next(name for name in net.programs if name.startswith('batch'))}.log")
    return log.read_text("utf-8").count("Finished ")


def _next_page(net: Network) -> float:
    before = _finished(net)
    return await_that(lambda: _finished(net) > before, "a page after it")


def _lost(batch: Batch) -> str:
    result = batch.result()
    return f"{SCANS - len(result['successful'])} lost"
