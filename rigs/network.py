"""Four machines on one: network namespaces with a bridge between them, on which real programs run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from PIL import Image, ImageDraw, ImageFont

from ocr_worker.cluster.certificates import make_certificates
from rigs import HANG_SECONDS, await_that
from rigs.outputs import Outputs
from rigs.scheduler import SCHEDULER_SETTINGS, SCHEDULER_WORDS

HOSTS = {"coordinator": "10.77.0.1", "scheduler": "10.77.0.2", "a": "10.77.0.3", "b": "10.77.0.4"}
BRIDGE = "ocr-bridge"
ADDRESS = "tls://10.77.0.2:8786"
BIN = Path(sys.executable).parent
SCANS = 6
BUSY_SECONDS = 0.8
"""Of processor time, from which on a page process has a page: to start takes less."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def space(host: str) -> str:
    return f"ocr-{host}"


@dataclass
class Network:
    folder: Path
    programs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(
        self, host: str, name: str, words: list[str], *, before: str = "", **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a program on a host; `before` is shell that comes first, in mounts of its own."""
        line = f'{before}; exec "$@"' if before else 'exec "$@"'
        known = {
            **os.environ,
            "OCR_WORKER_STATE_DIR": str(self.folder / f"state-{name}"),
            "TMPDIR": str(self.folder / "tmp"),
            **environment,
        }
        (self.folder / "tmp").mkdir(exist_ok=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            program = subprocess.Popen(
                ["ip", "netns", "exec", space(host), "sh", "-c", line, "sh", *words],
                env=known, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self.programs[name] = program
        return program

    def tls(self, side: str = "node") -> list[str]:
        place = self.folder / "tls"
        return [
            "--tls-ca",
            f"{place}/ca.pem",
            "--tls-cert",
            f"{place}/{side}.pem",
            "--tls-key",
            f"{place}/{side}.key",
        ]

    def start_scheduler(self) -> None:
        place = self.folder / "tls"
        words = [
            str(BIN / "dask"), "scheduler", "--protocol", "tls", "--host", HOSTS["scheduler"], "--port", "8786",
            *SCHEDULER_WORDS, "--tls-ca-file", f"{place}/ca.pem", "--tls-cert", f"{place}/scheduler.pem",
            "--tls-key", f"{place}/scheduler.key",
        ]  # fmt: skip
        self.run("scheduler", "scheduler", words, **SCHEDULER_SETTINGS)

    def start_node(
        self, host: str, *more: str, name: str | None = None, before: str = "", **environment: str
    ) -> None:
        words = [
            str(BIN / "ocr-worker"),
            "node",
            ADDRESS,
            "--slots",
            "1",
            "--name",
            name or host,
            *self.tls(),
            *more,
        ]
        self.run(host, name or host, words, before=before, **environment)

    def nodes(self) -> list[dict[str, Any]]:
        words = [str(BIN / "ocr-worker"), "cluster", ADDRESS, *self.tls(), "--json"]
        done = subprocess.run(
            ["ip", "netns", "exec", space("coordinator"), *words],
            check=False,
            capture_output=True,
            timeout=HANG_SECONDS,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout).get("nodes", [])
        return found

    def await_nodes(self, count: int) -> float:
        return await_that(
            lambda: sum(not one["refused"] for one in self.nodes()) == count, f"{count} nodes", 60
        )

    def batch(self, files: Path, out: Path, *more: str, name: str = "batch", **environment: str) -> Batch:
        words = [
            str(BIN / "ocr-worker"), "batch", str(files), "--output-dir", str(out), "--cluster", ADDRESS,
            "--json", "--verbose", *more,
        ]  # fmt: skip
        words += [] if "--insecure" in more else self.tls()
        environment = {"OCR_WORKER_PAGE_PROCESSES": "1", **environment}
        return Batch(self.run("coordinator", name, words, **environment), out)

    def program(self, name: str) -> psutil.Process:
        """The program itself: `ip` and `sh` have become it."""
        return psutil.Process(self.programs[name].pid)

    def pages_of(self, name: str) -> list[psutil.Process]:
        """Page processes that this program started and that work."""
        with suppress(psutil.Error):
            return [one for one in self.program(name).children() if "page-process" in one.cmdline()]
        return []

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        self.programs[name].send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.programs.pop(name).wait(HANG_SECONDS)

    def cut(self, host: str) -> None:
        ip("link", "set", f"v-{host[0]}", "down")

    def mend(self, host: str) -> None:
        ip("link", "set", f"v-{host[0]}", "up")

    def end_all(self) -> None:
        for name in list(self.programs):
            with suppress(ProcessLookupError):
                self.programs[name].send_signal(signal.SIGCONT)
            self.kill(name)


@dataclass
class Batch(Outputs):
    program: subprocess.Popen[bytes]
    out: Path

    def result(self) -> dict[str, Any]:
        """Of the batch, once it has ended."""
        stdout, _ = self.program.communicate(timeout=HANG_SECONDS)
        found: dict[str, Any] = json.loads(stdout)
        return found


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """The four hosts, with certificates, and nothing running on them."""
    _take_down()
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("link", "set", BRIDGE, "up")
    for host, address in HOSTS.items():
        ip("netns", "add", space(host))
        ip("link", "add", f"v-{host[0]}", "type", "veth", "peer", "name", "eth0", "netns", space(host))
        ip("link", "set", f"v-{host[0]}", "master", BRIDGE, "up")
        ip("-n", space(host), "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", space(host), "link", "set", "eth0", "up")
        ip("-n", space(host), "link", "set", "lo", "up")
    make_certificates(folder / "tls")
    net = Network(folder)
    try:
        yield net
    finally:
        net.end_all()
        _take_down()


def _take_down() -> None:
    for host in HOSTS:
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", space(host))
        # A namespace takes its end of the pair with it, but not at once.
        with suppress(subprocess.CalledProcessError):
            ip("link", "del", f"v-{host[0]}")
    with suppress(subprocess.CalledProcessError):
        ip("link", "del", BRIDGE)


def write_scans(folder: Path, count: int = SCANS) -> Path:
    """Pages that take about a second, so that something can befall them while they are read."""
    picture = Image.new("L", (3300, 2500), 255)
    for row in range(61):
        line = f"Line {row}: " + "the ferry leaves at twenty past seven, whatever the weather is like, " * 3
        ImageDraw.Draw(picture).text((60, 40 + 40 * row), line, fill=0, font=ImageFont.load_default(26))
    for number in range(count):
        picture.save(folder / f"scan-{number}.png", dpi=(300, 300))
    return folder


def await_work(net: Network, *names: str) -> str:
    """Wait until one of these nodes has read for a moment; its name."""
    found: list[str] = []

    def works() -> bool:
        found[:] = [name for name in names for one in net.pages_of(name) if cpu_of(one) > BUSY_SECONDS]
        return bool(found)

    await_that(works, "a page at a node")
    return found[0]


def cpu_of(process: psutil.Process) -> float:
    try:
        return float(process.cpu_times().user)
    except psutil.Error:
        return 0.0
