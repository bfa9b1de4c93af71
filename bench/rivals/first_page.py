"""How long a host waits, from spawning the worker to the event that tells of the first page."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.host import WorkerHost


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    start = time.monotonic()
    with WorkerHost(output_dir / ".host") as worker:
        names = [str(file) for file in files]
        options = {"outputs": ["pdf", "txt"], "max_workers": jobs}
        worker.send("ocr_batch", id=1, files=names, output_dir=str(output_dir), options=options)
        first = 0.0
        for event in worker.events():
            if event["type"] == "progress" and "page" in event["data"] and not first:
                first = time.monotonic() - start
            if event["type"] in ("result", "error"):
                break
    (output_dir / "seconds").write_text(f"{first}", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
