"""`python -m bench.server [CARDS]`: OCR beside 50 watchers, 300 uploads and 1,000 polls a second, and after kill -9.

Of cards, which are quick, and of letters of A4, half as many, which are what a service usually reads.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from bench import report
from bench.server.load import UPLOADS, WATCHERS
from ocr_worker.store.job_store import JobStore
from rigs.papers import write_papers
from rigs.service import Running, ended_files, environment, serve_command, serving, until
from samples import build

CARDS = 120
OUT = Path(__file__).parents[1] / "out"
ANSWER_MS, EVENT_MS, RSS_MB, SHARE = 50, 50, 150, 0.95
"""What must be reached: of answers, events, the server's memory, and its pages a second beside the command line's."""
RATE, SERVER, CLIENTS = "server, pages a second", "server, cores", "clients, cores"


@dataclass(frozen=True, slots=True)
class Goal:
    name: str
    said: str
    is_reached: bool


def main() -> int:
    """Return 1 if a goal is missed."""
    cards = int(sys.argv[1]) if len(sys.argv) > 1 else CARDS
    found = report.circumstances()
    figures: dict[str, Any] = {"load of the machine before": round(os.getloadavg()[0], 2)}
    goals = list[Goal]()
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        [paper] = write_papers(home / "papers", 1)
        for kind, count in (("cards", cards), ("letters", cards // 2)):
            seen, reached = _measured(home / kind, _corpus(home / "roots" / kind, kind, count), paper)
            figures |= {f"{kind}: {name}": figure for name, figure in seen.items()}
            goals += [replace(goal, name=f"{kind}: {goal.name}") for goal in reached]
        goals += _killed(home / "killed", home / "roots" / "cards", paper)
    OUT.mkdir(exist_ok=True)
    report.save(OUT, "server", figures, found, {"cards": cards})
    for name, value in {**found, **figures}.items():
        print(f"{name}: {value}")
    for goal in goals:
        print(f"{'reached' if goal.is_reached else 'MISSED'}: {goal.name}: {goal.said}")
    return int(not all(goal.is_reached for goal in goals))


def _corpus(root: Path, kind: str, count: int) -> Path:
    """So many files of one page each."""
    made = [sample.path for sample in build(kind, root / "made", count=min(20, count))]
    for number in range(count):
        page = made[number % len(made)]
        shutil.copy(page, root / f"page-{number:04}{page.suffix}")
    shutil.rmtree(root / "made")
    return root


def _measured(home: Path, root: Path, paper: Path) -> tuple[dict[str, Any], list[Goal]]:
    """The command line alone, the service under load, and the command line with less of the machine."""
    home.mkdir()
    alone = _command_line(home / "alone", root)
    figures, goals = _served(home / "served", root, paper)
    beside = _beside(home / "beside", root, figures[CLIENTS])
    figures |= {
        "command line, pages a second": alone,
        "command line beside what the clients take, pages a second": beside,
    }
    return figures, [
        _as_fast("the command line's", figures[RATE], alone),
        _as_fast("those of the command line beside what the clients take", figures[RATE], beside),
        *goals,
    ]


def _command_line(home: Path, root: Path) -> float:
    """Pages a second of `ocr-worker batch`."""
    home.mkdir()
    command = [sys.executable, "-m", "ocr_worker", "batch", str(root), "--output-dir", str(home / "out")]
    subprocess.run(command, env=environment(home), check=True, capture_output=True)
    listed = subprocess.run(
        [sys.executable, "-m", "ocr_worker", "jobs", "--json"],
        env=environment(home), check=True, capture_output=True, text=True,
    )  # fmt: skip
    [job] = json.loads(listed.stdout)
    shown = subprocess.run(
        [sys.executable, "-m", "ocr_worker", "show", job["job_id"], "--json"],
        env=environment(home), check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(json.loads(shown.stdout)["statistics"]["pages_per_second"])


def _beside(home: Path, root: Path, cores: float) -> float:
    """The same while so much of the machine is taken: what the clients take, the server can't have."""
    with subprocess.Popen([sys.executable, "-m", "bench.server.burden", str(cores)]) as burden:
        try:
            return _command_line(home, root)
        finally:
            burden.kill()


def _as_fast(whose: str, rate: float, other: float) -> Goal:
    return Goal(f"pages a second, of {whose}", f"{rate / other:.2f}", rate >= SHARE * other)


def _served(home: Path, root: Path, paper: Path) -> tuple[dict[str, Any], list[Goal]]:
    home.mkdir()
    with _service(home, root) as served, served.client() as client:
        peak = _Peak(served.process.pid)
        job_id, pages = _begin(served, root)
        spent = _Spent(served.process.pid)
        seen = _loaded(served, job_id, paper)
        shares = spent.shares(seen["seconds"])
        rate = client.get(f"/api/v1/jobs/{job_id}").json()["statistics"]["pages_per_second"]
        files = [{"upload": upload} for upload in seen["uploads"]]
        second = client.post("/api/v1/jobs", json={"files": files}).json()["job_id"]
        done = [file["status"] for file in ended_files(client, second)]
        rss = peak.stop()
    lags = _lags(home / "state", job_id, seen["heard"])
    cuts = [1000 * cut for cut in statistics.quantiles(seen["polls"], n=100)]
    figures = {
        RATE: rate,
        SERVER: shares[0],
        CLIENTS: shares[1],
        "polls a second": round(len(seen["polls"]) / seen["seconds"], 1),
        "answer, ms, median and p99": (round(cuts[49], 1), round(cuts[98], 1)),
        "from the end of a file to its event, ms, median and p99": (round(lags[49], 1), round(lags[98], 1)),
        "server, peak RSS, MB": round(rss / 1e6, 1),
        "uploads read": done.count("completed") + done.count("skipped"),
    }
    lost = [heard for heard in seen["heard"] if len(heard) != pages]
    return figures, [
        Goal("p99 of an answer", f"{cuts[98]:.1f} ms", cuts[98] <= ANSWER_MS),
        Goal("from the end of a file to its event, median", f"{lags[49]:.1f} ms", lags[49] <= EVENT_MS),
        Goal("memory of the server", f"{rss / 1e6:.0f} MB", rss <= RSS_MB * 1e6),
        Goal("every watcher heard of every file", f"{WATCHERS - len(lost)} of {WATCHERS}", not lost),
        Goal("every upload was read", f"{len(done)} of {UPLOADS}", len(done) == UPLOADS),
        Goal("no poll was refused", f"{seen['refused']} were", not seen["refused"]),
    ]


def _lags(state_dir: Path, job_id: str, heard: list[list[float]]) -> list[float]:
    """Hundredths of the milliseconds from the end of a file to each watcher who heard of it as it happened."""
    with closing(JobStore(state_dir)) as store:
        ended = [file.ended_at or 0.0 for _, file in store.files_ended_after(job_id, 0, 10**6)]
    # Those that ended before were told of together.
    since = min(times[0] for times in heard if times)
    lags = [
        1000 * (then - end) for times in heard for end, then in zip(ended, times, strict=False) if end > since
    ]
    return statistics.quantiles(lags, n=100)


def _killed(home: Path, root: Path, paper: Path) -> list[Goal]:
    """Kill the server in the midst of all that; its jobs go on with `--resume`, and by a click."""
    home.mkdir()
    with _service(home, root) as served, served.client() as client:
        jobs = [_begin(served, root)[0] for _ in range(2)]
        # They lose their connections, and say so.
        clients = _clients(served, jobs[0], paper, subprocess.DEVNULL)
        until(lambda: client.get(f"/api/v1/jobs/{jobs[0]}").json()["pages_done"], lambda pages: pages > 5)
        served.process.kill()
        served.process.wait()
        clients.wait()
    with _service(home, root) as served, served.client() as client:
        states = [client.get(f"/api/v1/jobs/{job_id}").json()["state"] for job_id in jobs]
        client.post(f"/api/v1/jobs/{jobs[1]}/resume")
        clicked = _ended_well(served, jobs[1])
    with _service(home, root, "--resume") as served:
        resumed = _ended_well(served, jobs[0])
    return [
        Goal("after kill -9 jobs are interrupted", str(states), states == ["interrupted"] * 2),
        Goal("one goes on by a click", f"{clicked} files were read", clicked == len(list(root.iterdir()))),
        Goal("one goes on by --resume", f"{resumed} files were read", resumed == len(list(root.iterdir()))),
    ]


def _ended_well(served: Running, job_id: str) -> int:
    """How many files of a job were read, once it is complete."""
    with served.client() as client:
        job = until(
            lambda: client.get(f"/api/v1/jobs/{job_id}").json(), lambda job: job["state"] == "completed"
        )
        return int(job["stats"]["completed"])


def _begin(served: Running, root: Path) -> tuple[str, int]:
    names = sorted(path.name for path in root.iterdir())
    with served.client() as client:
        made = client.post("/api/v1/jobs", json={"files": [{"path": name} for name in names]})
        return str(made.json()["job_id"]), len(names)


def _loaded(served: Running, job_id: str, paper: Path) -> dict[str, Any]:
    clients = _clients(served, job_id, paper)
    said, _ = clients.communicate()
    assert clients.returncode == 0
    seen: dict[str, Any] = json.loads(said)
    return seen


def _clients(served: Running, job_id: str, paper: Path, stderr: int | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.server.load", served.address, job_id, str(paper)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)


def _service(home: Path, root: Path, *words: str) -> Any:
    # As users run it: with as many page processes as there are cores.
    return serving(home, serve_command("--root", root, *words), environment(home))


class _Spent:
    """What a server, without its page processes, and the clients that end meanwhile take of the processor."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before = self._now()

    def shares(self, seconds: float) -> tuple[float, float]:
        """Cores, of each."""
        now = self._now()
        return (
            round((now[0] - self._before[0]) / seconds, 2),
            round((now[1] - self._before[1]) / seconds, 2),
        )

    def _now(self) -> tuple[float, float]:
        own, clients = self._process.cpu_times(), resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.user + own.system, clients.ru_utime + clients.ru_stime


class _Peak:
    """The most memory that a process had."""

    def __init__(self, pid: int) -> None:
        self._process, self._most, self._over = psutil.Process(pid), 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._over.wait(0.25):
            self._most = max(self._most, self._process.memory_info().rss)


sys.exit(main())
