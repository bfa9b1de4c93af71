"""How long a batch takes in a worker that has its page processes, engine and model ready."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.host import WorkerHost


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    with WorkerHost(output_dir / ".host") as worker:
        options = {"outputs": ["pdf", "txt"], "max_workers": jobs, "on_existing": "overwrite"}
        worker.batch(files, output_dir, **options)
        start = time.monotonic()
        worker.batch(files, output_dir, **options)
        seconds = time.monotonic() - start
    (output_dir / "seconds").write_text(f"{seconds}", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
