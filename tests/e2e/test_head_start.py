"""A batch that is in the pipe already: its first page process begins while the worker is still importing itself."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material
from tests.limits import HANG_SECONDS

WAITING_IMPORT = """
import os, sys, time
from pathlib import Path

begun = Path(os.environ["BEGUN"])


class Waiting:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "ocr_worker.stdio.app":
            deadline = time.monotonic() + 300
            while not begun.exists():
                if time.monotonic() > deadline:
                    raise ImportError("no page process has begun")


if "page-process" in sys.orig_argv:
    begun.touch()
else:
    sys.meta_path.insert(0, Waiting)
"""


def run_script(script: str, folder: Path, **environment: str) -> list[dict[str, object]]:
    """What the worker says to lines in a file that is its stdin, to its end."""
    (folder / "script.jsonl").write_text(script, encoding="ascii")
    with (folder / "script.jsonl").open("rb") as lines:
        done = subprocess.run(
            Launch().command, stdin=lines, capture_output=True, timeout=HANG_SECONDS, check=True,
            env={**os.environ, "OCR_WORKER_STATE_DIR": str(folder / "state"), **environment},
        )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_page_process_begins_before_the_worker_is_imported(material: Material, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WAITING_IMPORT, encoding="utf-8")
    batch = {"command": "ocr_batch", "files": [str(material.quick)], "output_dir": str(tmp_path / "out")}
    script = json.dumps({"command": "ping"}) + "\n" + json.dumps(batch) + "\n"

    said = run_script(script, tmp_path, PYTHONPATH=str(tmp_path), BEGUN=str(tmp_path / "begun"))

    assert said[-1]["data"]["status"] == "completed"  # type: ignore[index]


def test_of_what_was_read_ahead_no_byte_is_lost(tmp_path: Path) -> None:
    pings = [
        json.dumps({"command": "ping", "id": number, "note": "ocr_batch" * 20}) for number in range(2000)
    ]

    said = run_script("\n".join(pings), tmp_path)

    assert [event["id"] for event in said] == list(range(2000))


def test_a_host_that_sends_no_batch_has_no_page_process(start_worker: StartWorker) -> None:
    host: Host = start_worker()

    host.ask("ping")

    assert not tree.page_processes(host.state)
