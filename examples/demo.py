"""The main job, as a desktop app would have it done: spawn the worker, send commands, watch events, use the outputs.

The half that talks to the worker is standard library only; copy it into your app.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from samples import build

FOLDER = Path("demo-out")
SCANS = ("letters", "invoice", "skewed", "fax", "mixed", "cards")
WORKER = Path(sys.executable).with_name("ocr-worker")


def main() -> int:
    """Return 0 if every scan became a searchable PDF."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    scans = [sample.path for kind in SCANS for sample in build(kind, FOLDER / "in")]
    result = run_batch(scans, FOLDER / "out")
    if result["type"] == "error":
        return 1
    for done in result["data"]["successful"]:
        list_outputs(done)
    draw_overlay(result["data"]["successful"][0])
    return 1 if result["data"]["failed"] else 0


def run_batch(scans: list[Path], output_dir: Path) -> dict[str, Any]:
    """Hold the whole conversation with a worker; return the batch's terminal event."""
    with (FOLDER / "worker.log").open("wb") as log, _spawn(log) as worker:
        assert worker.stdin
        assert worker.stdout
        _send(worker.stdin, {"command": "hello", "client": {"name": "demo", "version": "1.0"}})
        files = [str(scan) for scan in scans]
        _send(worker.stdin, {"command": "ocr_batch", "id": 1, "files": files, "output_dir": str(output_dir)})
        result: dict[str, Any] = {}
        for line in worker.stdout:
            event = json.loads(line)
            print(f"← {event['type']:8} {_in_words(event)}", flush=True)
            if event["type"] in {"result", "error"} and event.get("id") == 1:
                result = event
                # No more commands: the worker ends by itself, and with it this loop.
                worker.stdin.close()
    return result or sys.exit(f"The worker ended before the batch did: see {FOLDER / 'worker.log'}")


def list_outputs(done: dict[str, Any]) -> None:
    """Name what became of a scan, with the first line that was read from it."""
    text = Path(done["outputs"]["txt"]).read_text(encoding="utf-8")
    first = next((line for line in text.splitlines() if line.strip()), "(no text)")
    print(f"\n{Path(done['file']).name}, {done['pages']} page(s): {first}")
    for path in map(Path, done["outputs"].values()):
        print(f"  {FOLDER / 'out' / path.name}  {path.stat().st_size:,} bytes")


def draw_overlay(done: dict[str, Any]) -> None:
    """Let the product draw a page with its word boxes."""
    picture = FOLDER / "overlay.png"
    command = [WORKER, "overlay", done["outputs"]["json"], "--output", picture]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    print(f"\nA page with its word boxes: {picture}")


def _spawn(log: IO[bytes]) -> subprocess.Popen[str]:
    # An app leaves the variable out; the demo keeps its jobs out of the user's state folder.
    environment = {**os.environ, "OCR_WORKER_STATE_DIR": str(FOLDER.absolute() / "state")}
    pipe = subprocess.PIPE
    return subprocess.Popen([WORKER], stdin=pipe, stdout=pipe, stderr=log, encoding="utf-8", env=environment)


def _send(stdin: IO[str], command: dict[str, Any]) -> None:
    line = json.dumps(command)
    print(f"→ {line if len(line) < 150 else line[:147] + '...'}")
    stdin.write(line + "\n")
    stdin.flush()


def _in_words(event: dict[str, Any]) -> str:
    data = event["data"]
    match event["type"], data.get("kind"):
        case "progress", _:
            bar = "#" * round(data["percent"] / 5)
            return f"[{bar:20}] {data['percent']:5.1f} %  {data['message']}"
        case "result", "batch":
            return f"{data['status']}: {data['total_pages_processed']} pages of {data['total_files']} files in {data['duration_seconds']:.1f} s"
        case "result", _:
            return f"{event.get('command')}: {json.dumps(data)[:110]}..."
        case _:
            return str(data["message"])


if __name__ == "__main__":
    sys.exit(main())
