"""A folder of a service that does not answer costs those who ask for its files, and nobody else."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from rigs.service import ended
from tests.e2e.tree import wait_until
from tests.faults import pictures
from tests.faults.privileges import CAP_SYS_ADMIN, need
from tests.faults.share import shared
from tests.server.service import service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs FUSE, which Linux has")


def test_files_below_a_root_that_hangs_hold_up_who_names_them_and_no_other_request(tmp_path: Path) -> None:
    need(CAP_SYS_ADMIN, "mount a file system")
    asked = [
        ("/api/v1/jobs", {"files": [{"path": "away.png"}]}),
        ("/api/v1/jobs", {"files": [{"path": str(tmp_path / "here" / "a.png")}], "output_dir": "away"}),
        ("/api/batch/start", {"items": [{"id": 1, "path": "away.png"}]}),
    ]
    (tmp_path / "here").mkdir()
    with (
        shared(tmp_path / "share", {"away.png": pictures.png()}) as share,
        service(tmp_path, "--root", share.place, "--root", tmp_path / "here") as served,
        served.client() as client,
        ThreadPoolExecutor() as others,
    ):
        share.hang()
        waiting = [others.submit(httpx.post, served.address.rstrip("/") + path, json=body, timeout=None)
                   for path, body in asked]  # fmt: skip
        wait_until(lambda: share.is_asked, "the share is asked")
        answers = [
            client.get(path).status_code
            for path in ("/api/v1/health", "/api/v1/jobs", "/", "/api/batch/jobs")
        ]
        early = [each.done() for each in waiting]
        share.answer()
        statuses = [each.result().status_code for each in waiting]

    assert answers == [200] * 4
    assert early == [False] * 3
    # Nothing can be written to this share.
    assert statuses == [201, 403, 200]


def test_an_output_on_a_share_that_hangs_is_waited_for_by_who_downloads_it_alone(tmp_path: Path) -> None:
    need(CAP_SYS_ADMIN, "mount a file system")
    with (
        shared(tmp_path / "share", {"away.png": pictures.png()}) as share,
        service(tmp_path, "--root", share.place) as served,
        served.client() as client,
        ThreadPoolExecutor() as others,
    ):
        made = client.post("/api/v1/jobs", json={"files": [{"path": "away.png"}]})
        job_id = made.json()["job_id"]
        ended(client, job_id)
        picture = f"{served.address}api/v1/jobs/{job_id}/files/1/pages/1/picture"
        share.hang()
        waiting = others.submit(httpx.get, picture, timeout=None)
        wait_until(lambda: share.is_asked, "the share is asked")
        answers = [client.get(path).status_code for path in ("/api/v1/health", "/api/v1/jobs", "/")]
        early = waiting.done()
        share.answer()
        status = waiting.result().status_code

    assert (answers, early, status) == ([200] * 3, False, 200)
