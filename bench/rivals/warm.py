"""How long a batch takes in a worker that has its page processes, engine and model ready."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.host import WorkerHost
from bench.meter import write_clock


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    with WorkerHost(output_dir / ".host") as worker:
        options = {"outputs": ["pdf", "txt"], "max_workers": jobs, "on_existing": "overwrite"}
        worker.batch(files, output_dir, **options)
        start, used = time.monotonic(), worker.cpu_seconds()
        worker.batch(files, output_dir, **options)
        write_clock(output_dir / "clock.json", time.monotonic() - start, worker.cpu_seconds() - used)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
