"""How long a host waits, from spawning the worker to the event that tells of the first page."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.host import WorkerHost
from bench.meter import write_clock


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    start = time.monotonic()
    with WorkerHost(output_dir / ".host") as worker:
        names = [str(file) for file in files]
        options = {"outputs": ["pdf", "txt"], "max_workers": jobs}
        worker.send("ocr_batch", id=1, files=names, output_dir=str(output_dir), options=options)
        first = None
        for event in worker.events():
            if first is None and event["type"] == "progress" and "page" in event["data"]:
                first = time.monotonic() - start, worker.cpu_seconds()
            if event["type"] in ("result", "error"):
                break
    if first is None:
        sys.exit("no event told of a page")
    write_clock(output_dir / "clock.json", *first)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
