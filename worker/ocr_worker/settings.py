"""Settings of a worker process: folders, sizes and limits. Options of jobs are elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

MIB = 2**20
LEAST_MEMORY_MIB, MOST_MEMORY_MIB = 1536, 4096
"""Of a page process. The inputs of tests/faults get by with the least."""
_RANGES = {
    "page_processes": (1, 1024),
    "max_line_bytes": (1024, 2**30),
    "queue_limit": (1, 100_000),
    "idle_seconds": (1, 30 * 24 * 3600),
    "recycle_pages": (1, 10**9),
    "recycle_mib": (1, 2**24),
    "memory_limit_mib": (256, 2**24),
}
"""What a number may be at least and at most; without so much memory no page process starts."""
PROVIDERS = ("cpu", "cuda", "tensorrt", "directml", "coreml", "openvino")
"""Names of what ONNX Runtime may run on."""
OnNoNodes = Literal["local", "wait"]
_ON_NO_NODES = ("local", "wait")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of this side: the other side shows a certificate of the same authority."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Where pages go beside the processes of this machine."""

    address: str
    """Of a Dask scheduler, as it was given."""
    tls: TlsFiles | None = None
    insecure: bool = False
    """Whether the way there may do without TLS though it leaves this machine."""
    inline: bool = False
    """Whether small files of one page go inside the order, for nodes without a shared folder."""
    on_no_nodes: OnNoNodes = "local"
    """Who reads when no node has been there for a while: our own processes, or nobody."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults suit a desktop; every number in `_RANGES` has an environment variable `OCR_WORKER_<FIELD>`."""

    state_dir: Path
    """Where jobs are remembered; made with mode 0700."""
    page_processes: int
    """Page processes at most; a job's `max_workers` can lower it."""
    max_line_bytes: int = 8 * MIB
    queue_limit: int = 16
    """Jobs that may wait; one more is answered `busy`."""
    idle_seconds: int = 60
    """An idle page process ends after this time."""
    recycle_pages: int = 500
    """A page process is replaced after this many pages."""
    recycle_mib: int = 700
    """A page process above this resident size is replaced."""
    memory_limit_mib: int = MOST_MEMORY_MIB
    """Address space of a page process; where none is given, at most an equal share of the machine's memory."""
    grace_seconds: float = 1.5
    """From the order to end to the end by force."""
    cluster: ClusterSettings | None = None
    """None, the default: nothing of a cluster is imported, started or paid for."""

    @property
    def jobs_dir(self) -> Path:
        """Page results of unfinished files, one folder a job."""
        return self.state_dir / "jobs"

    @property
    def temp_dir(self) -> Path:
        """Temporary files of page processes, one folder a worker."""
        return self.state_dir / "tmp"


def settings_from_environment() -> Settings:
    """Read `OCR_WORKER_*`; a number that is none, or out of range, is refused with ValueError, which names the variable."""
    provider()  # which page processes ask for
    numbers = {name: number for name in _RANGES if (number := _number(name)) is not None}
    processes = numbers.setdefault("page_processes", _usable_cores())
    numbers.setdefault("memory_limit_mib", fair_share_mib(_memory_mib(), processes))
    return Settings(state_dir=_state_dir(), cluster=_cluster(), **numbers)


def tls_files(ca: Path | None, cert: Path | None, key: Path | None) -> TlsFiles | None:
    """All three, or none; ValueError for some."""
    if ca is None and cert is None and key is None:
        return None
    if ca is None or cert is None or key is None:
        raise ValueError(
            "TLS of a cluster takes three files: the authority's certificate, ours, and its key."
        )
    return TlsFiles(ca.absolute(), cert.absolute(), key.absolute())


def _cluster() -> ClusterSettings | None:
    address = os.environ.get("OCR_WORKER_CLUSTER")
    if not address:
        return None
    nobody = os.environ.get("OCR_WORKER_CLUSTER_ON_NO_NODES") or "local"
    files = (os.environ.get(f"OCR_WORKER_CLUSTER_TLS_{name}") for name in ("CA", "CERT", "KEY"))
    return ClusterSettings(
        address,
        tls_files(*(Path(file) if file else None for file in files)),
        insecure=_flag("OCR_WORKER_CLUSTER_INSECURE"),
        inline=_flag("OCR_WORKER_CLUSTER_INLINE"),
        on_no_nodes=cast("OnNoNodes", _word("OCR_WORKER_CLUSTER_ON_NO_NODES", nobody, _ON_NO_NODES)),
    )


def _word(variable: str, said: str, words: Sequence[str], form: Callable[[str], str] = str) -> str:
    """One of the words, in whatever case `form` passes over; ValueError for what is none."""
    word = form(said)
    if word not in words:
        raise ValueError(f"{variable} must be one of {', '.join(words)}, not {said[:40]!r}.")
    return word


def _flag(variable: str) -> bool:
    text = os.environ.get(variable, "")
    if text.lower() not in {"", "true", "false"}:
        raise ValueError(f"{variable} must be true or false, not {text[:40]!r}.")
    return text.lower() == "true"


def data_dir() -> Path:
    """The user's folder for what lasts: OCR_WORKER_DATA_DIR, or where the system has such folders.

    Not by platformdirs: `hello` lists the languages in it, and would wait for the import.
    """
    if given := os.environ.get("OCR_WORKER_DATA_DIR"):
        return Path(given).absolute()
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Application Support"
    else:
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "ocr-sidecar"


def log_level(usual: str) -> str:
    """What OCR_WORKER_LOG says of the log; ValueError for what is no level."""
    return _word("OCR_WORKER_LOG", os.environ.get("OCR_WORKER_LOG", usual), _LEVELS, str.upper)


def provider() -> str:
    """What OCR_WORKER_PROVIDER says of ONNX Runtime; ValueError for what is none of `PROVIDERS`."""
    said = os.environ.get("OCR_WORKER_PROVIDER", PROVIDERS[0])
    return _word("OCR_WORKER_PROVIDER", said, PROVIDERS, str.lower)


def fair_share_mib(memory_mib: int, processes: int) -> int:
    """What all page processes may take at once without the machine's having to swap; never less than a large page needs."""
    return max(LEAST_MEMORY_MIB, min(MOST_MEMORY_MIB, memory_mib // processes))


def _memory_mib() -> int:
    # Asked at the start, where to import psutil would hold up hello.
    if sys.platform == "win32":
        import ctypes

        # MEMORYSTATUSEX: its own size and a percentage in the first number, all there is in the second.
        status = (ctypes.c_uint64 * 8)(ctypes.sizeof(ctypes.c_uint64 * 8))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(status)
        return status[1] // MIB
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB


def _state_dir() -> Path:
    if given := os.environ.get("OCR_WORKER_STATE_DIR"):
        return Path(given).absolute()
    import platformdirs

    return Path(platformdirs.user_state_dir("ocr-sidecar", appauthor=False))


def _number(name: str) -> int | None:
    variable, (least, most) = f"OCR_WORKER_{name.upper()}", _RANGES[name]
    text = os.environ.get(variable)
    if text is None:
        return None
    # Python refuses to read numbers of thousands of digits.
    if not text.isascii() or not text.isdigit() or len(text) > 20 or not least <= int(text) <= most:
        raise ValueError(f"{variable} must be a whole number from {least} to {most}, not {text[:40]!r}.")
    return int(text)


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
