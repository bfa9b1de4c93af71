"""Events that are longer than the host can read have fewer, or no lists; what they say stays true."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ocr_protocol import Event, Info, Progress, Result
from ocr_protocol.schema import event_adapter
from ocr_worker.stdio.event_size import encode_within

LEAST = 4096
STATISTICS = {
    "start_time": "",
    "pages_per_second": 1.0,
    "retries": 0,
    "worker_restarts": 0,
    "peak_rss_bytes": 1,
}
SUMMARY = {
    "job_id": "j", "state": "running", "created_at": "", "updated_at": "", "output_dir": "/out", "priority": 0,
    "stats": {"total": 500, "pending": 500, "processing": 0, "completed": 0, "failed": 0, "skipped": 0},
    "pages_done": 0, "pages_total": 500,
}  # fmt: skip
FAILED_PAGES = [{"page": page, "code": "timeout", "error": "too late"} for page in range(200)]


def within(event: Event) -> dict[str, Any]:
    line = encode_within(event, 1, LEAST)
    event_adapter().validate_json(line)
    assert len(line) <= LEAST
    data: dict[str, Any] = json.loads(line)["data"]
    return data


def batch(files: int) -> Result:
    done = [{"file": f"/in/{n}.png", "pages": 1, "output": f"/out/{n}.pdf"} for n in range(files)]
    done[0]["status"] = "completed_with_errors"
    data: dict[str, Any] = {
        "kind": "batch", "status": "completed", "successful": done, "skipped": [],
        "failed": [{"file": "/x", "error": "e", "code": "corrupt", "retryable": False}], "manifest": "/out/m.json",
        "total_files": files + 1, "total_pages_processed": files, "duration_seconds": 1, "statistics": STATISTICS,
    }  # fmt: skip
    return Result(command="ocr_batch", job_id="j", data=data)


def test_counts_and_the_manifest_stand_for_the_lists_of_a_long_result() -> None:
    told = within(batch(500))

    assert told["counts"] == {"successful": 500, "completed_with_errors": 1, "failed": 1, "skipped": 0}
    assert told["manifest"] == "/out/m.json"
    assert not {"successful", "failed", "skipped"} & set(told)


def test_a_result_that_is_short_enough_has_its_lists() -> None:
    told = within(batch(5))

    assert (len(told["successful"]), "counts" in told) == (5, False)


@pytest.mark.parametrize(("kind", "entries"), [("jobs", "jobs"), ("job", "files")])
def test_a_listing_has_as_many_entries_from_the_first_on_as_the_line_takes(kind: str, entries: str) -> None:
    of_kind: dict[str, dict[str, Any]] = {
        "jobs": {"jobs": [{**SUMMARY, "job_id": str(n)} for n in range(500)], "total": 500},
        "job": {**SUMMARY, "files": [{"file": str(n), "status": "pending"} for n in range(500)]},
    }

    told = within(Result(command="list_jobs", data={"kind": kind, **of_kind[kind]}))

    names = [one.get("file", one.get("job_id")) for one in told[entries]]
    assert names == [str(n) for n in range(len(names))]
    assert 5 < len(names) < 500
    assert told.get("total", told.get("stats", {}).get("total")) == 500


def test_what_a_file_says_of_its_pages_gives_way_to_the_file() -> None:
    done: dict[str, Any] = {"file": "a.pdf", "status": "completed_with_errors", "failed_pages": FAILED_PAGES}

    news = within(Info(job_id="j", data={"kind": "file_done", "message": "m", **done}))
    listed = within(Result(command="get_job", data={"kind": "job", **SUMMARY, "files": [done]}))

    assert ("failed_pages" in news, news["file"]) == (False, "a.pdf")
    assert [(file["file"], "failed_pages" in file) for file in listed["files"]] == [("a.pdf", False)]


def test_what_is_in_work_is_listed_from_the_first_on_as_far_as_the_line_takes_it() -> None:
    working = [{"file": f"/scans/{n:040}.png", "file_index": n, "page": 1} for n in range(256)]
    made: dict[str, Any] = {
        "current": 1,
        "total": 300,
        "message": "m",
        "percent": 0.3,
        "file": "/scans/1.png",
    }

    told = within(Progress(job_id="j", data={**made, "working": working}))

    assert told["working"] == working[: len(told["working"])]
    assert 8 < len(told["working"]) < 256
    assert {name: told[name] for name in made} == made


def test_nodes_that_are_refused_are_listed_as_far_as_the_line_takes_them() -> None:
    refused = [
        {"node": f"tcp://10.0.0.{n}:1", "code": "node_differs", "message": "m" * 50} for n in range(200)
    ]
    news: dict[str, Any] = {"kind": "cluster", "message": "m", "nodes": 1, "slots": 8, "lost_pages": 0}

    told = within(Info(job_id="j", data={**news, "refused": refused}))

    assert told["refused"] == refused[: len(told["refused"])]
    assert 8 < len(told["refused"]) < 200


def test_an_inspection_of_very_many_pages_has_their_number() -> None:
    page = {"width_points": 595.0, "height_points": 842.0, "has_text": False}
    data: dict[str, Any] = {
        "kind": "inspect", "file": "a.pdf", "type": "pdf", "bytes": 9, "pages": 900, "encrypted": False, "signed": False,
        "form": "none", "page_list": [page] * 900,
    }  # fmt: skip

    told = within(Result(command="inspect", data=data))

    assert (told["pages"], "page_list" in told) == (900, False)
