"""A job that stops itself has ended: nothing of it is begun any more."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.host import Host
from tests.e2e.material import Material


def test_a_job_that_stops_at_its_error_threshold_begins_no_page_after_its_end(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # Each would be overwritten by its own output, which is settled before any work.
    refused = [Path(shutil.copy(material.pdf(tmp_path / "q.pdf", "q"), out / f"{n}.pdf")) for n in range(10)]
    slow = material.pdf(tmp_path / "slow.pdf", "hh")

    job = worker.batch([slow, material.quick, *refused], out, on_existing="overwrite")
    ended = worker.wait_end(job)
    worker.ask("ping")

    assert (ended["status"], ended["reason"]) == ("stopped", "error_threshold")
    assert {file["code"] for file in ended["failed"]} == {"output_conflict"}
    assert [page for page in worker.store.pages(job, 1) if page.attempts] == []
