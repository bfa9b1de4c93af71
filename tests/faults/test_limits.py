"""A page process is held to limits by the system itself, whatever it is made to do."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.faults.host import Worker


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, which Linux has")
def test_a_page_process_has_limits_of_memory_time_files_and_dumps(
    worker: Worker, page: Path, out: Path
) -> None:
    worker.batch([page], out)

    processes = worker.page_processes()

    assert processes
    for process in processes:
        limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
        soft = dict(re.findall(r"^Max (.+?)  +(\d+|unlimited) ", limits, re.MULTILINE))
        assert int(soft["address space"]) == 4096 << 20
        assert soft["core file size"] == "0"
        for name in ("cpu time", "file size", "open files"):
            assert int(soft[name]) > 0
        assert process.nice() > 0
