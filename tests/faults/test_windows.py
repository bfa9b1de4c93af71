"""INPUTS.md, line 65, as Windows alone has it: programs that hold inputs and outputs by real handles."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("tells of sharing violations, which Windows has", allow_module_level=True)

from tests.faults.host import Worker, nothing_is_left
from tests.limits import HANG_SECONDS

if sys.platform == "win32":
    from tests.files.handles import READ, SHARE_READ, WRITE, held, let_go

assert sys.platform == "win32"


@pytest.mark.parametrize("name", ["page.pdf", "page.txt", "page_ocr_results.json"])
def test_of_a_set_that_a_viewer_has_in_part_open_all_stays_and_with_the_file_free_all_is_replaced(
    name: str, worker: Worker, page: Path, out: Path
) -> None:
    worker.batch([page], out)
    before, made = _contents(out), {path.stat().st_ino for path in out.glob("page*")}

    with held(out / name, READ, SHARE_READ):
        job = worker.start_batch([page], out, on_existing="overwrite", dpi=150, max_lock_wait_seconds=0.1)
        failed = worker.ended(job)["failed"]
    kept = _contents(out)
    worker.send("retry_failed", job_id=job)
    done = worker.ended(job)["successful"]

    assert [(one["code"], one["retryable"]) for one in failed] == [("locked", True)]
    assert kept == before
    assert [one["file"] for one in done] == [str(page)]
    assert not {path.stat().st_ino for path in out.glob("page*")} & made
    nothing_is_left(out)


def test_an_input_that_is_copied_while_others_are_done_is_done_once_it_is_whole(
    worker: Worker, page: Path, out: Path
) -> None:
    other = Path(shutil.copy(page, page.with_name("other.png")))

    with held(page, WRITE, 0) as handles:
        job = worker.start_batch([page, other], out, max_lock_wait_seconds=HANG_SECONDS)
        worker.wait(lambda event: event["data"].get("file") == str(other) and "outputs" in event["data"])
        let_go(handles)
        ended = worker.ended(job)

    assert {one["file"] for one in ended["successful"]} == {str(page), str(other)}


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("page*")}
