"""The eight endpoints of the design note, by its own curl lines."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from rigs.papers import write_papers
from rigs.service import events
from tests.e2e.material import Material
from tests.server.service import Service

pytestmark = pytest.mark.needs("curl")


def curl(served: Service, line: str) -> Any:
    """What a line of the note answers; its host and port are the service's."""
    words = shlex.split(
        line.replace("http://localhost:3000/", served.address.replace("127.0.0.1", "localhost"))
    )
    done = subprocess.run(
        [*words, "--silent", "--max-time", "100"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def start(served: Service, body: dict[str, Any]) -> Any:
    return curl(
        served,
        "curl -X POST http://localhost:3000/api/batch/start -H 'Content-Type: application/json' "
        f"-d {shlex.quote(json.dumps(body))}",
    )


def heard(client: httpx.Client, job_id: str) -> list[Any]:
    return list(events(client, f"/api/batch/progress/{job_id}"))


def test_a_batch_of_items_by_the_notes_own_lines(
    served: Service, client: httpx.Client, root: Path, material: Material
) -> None:
    pictures = material.quick_files(root / "pictures", 3)
    items = [{"id": f"img-{n}", "path": str(path)} for n, path in enumerate(pictures)]

    started = start(
        served, {"items": items, "options": {"chunkSize": 50, "retryCount": 2, "overwrite": False}}
    )
    told = heard(client, started["jobId"])
    status = curl(served, f"curl http://localhost:3000/api/batch/status/{started['jobId']}")
    jobs = curl(served, "curl http://localhost:3000/api/batch/jobs")

    assert started == {
        "success": True,
        "jobId": started["jobId"],
        "totalItems": 3,
        "options": {"chunkSize": 50, "retryCount": 2, "overwrite": False},
    }
    assert [event.kind for event in told if event.kind != "progress"] == ["item"] * 3 + ["complete"]
    assert {event.data["id"] for event in told if event.kind == "item"} == {"img-0", "img-1", "img-2"}
    assert told[-1].data["status"] == status["status"] == "completed"
    assert status["stats"] == {
        "total": 3, "pending": 0, "processing": 0, "completed": 3, "failed": 0, "skipped": 0,
    }  # fmt: skip
    assert [(item["id"], item["path"], item["status"]) for item in status["items"]] == [
        (item["id"], item["path"], "completed") for item in items
    ]
    assert started["jobId"] in [job["jobId"] for job in jobs["jobs"]]
    beside = {path.name for path in (root / "pictures").iterdir()}
    assert {"quick-001_ocr_results.json", "quick-001.txt"} <= beside
    assert "quick-001.pdf" not in beside


def test_a_file_that_is_named_twice_is_one_item_and_the_others_keep_their_ids(
    served: Service, client: httpx.Client, root: Path, material: Material
) -> None:
    one, other = material.quick_files(root / "twice", 2)
    (root / "twice" / "same.png").symlink_to(one)
    named = {"first": one, "again": one, "linked": root / "twice" / "same.png", "other": other}

    items = [{"id": name, "path": str(path)} for name, path in named.items()]
    started = start(served, {"items": items})
    heard(client, started["jobId"])
    status = client.get(f"/api/batch/status/{started['jobId']}").json()

    assert started["totalItems"] == 2
    assert {item["id"]: item["path"] for item in status["items"]} == {"first": str(one), "other": str(other)}


def test_inputs_whose_results_are_there_are_skipped_unless_they_are_to_be_overwritten(
    served: Service, client: httpx.Client, root: Path, material: Material
) -> None:
    files = [str(path) for path in material.quick_files(root / "again", 2)]
    heard(client, start(served, {"files": files})["jobId"])

    skipped = heard(client, start(served, {"files": files})["jobId"])[-1].data
    anew = heard(client, start(served, {"files": files, "options": {"overwrite": True}})["jobId"])[-1].data

    assert (skipped["stats"]["skipped"], skipped["stats"]["completed"]) == (2, 0)
    assert (anew["stats"]["skipped"], anew["stats"]["completed"]) == (0, 2)


def test_a_batch_is_paused_resumed_cancelled_and_deleted(
    served: Service, client: httpx.Client, root: Path, material: Material
) -> None:
    slow = material.pdf(root / "slow" / "slow.pdf", "hqqq")
    job_id = start(served, {"items": [{"id": 1, "path": str(slow)}]})["jobId"]

    paused = curl(served, f"curl -X POST http://localhost:3000/api/batch/pause/{job_id}")
    status = curl(served, f"curl http://localhost:3000/api/batch/status/{job_id}")
    active = curl(served, f"curl -X DELETE http://localhost:3000/api/batch/job/{job_id}")
    resumed = curl(served, f"curl -X POST http://localhost:3000/api/batch/resume/{job_id}")
    cancelled = curl(served, f"curl -X POST http://localhost:3000/api/batch/cancel/{job_id}")
    too_late = curl(served, f"curl -X POST http://localhost:3000/api/batch/pause/{job_id}")
    deleted = curl(served, f"curl -X DELETE http://localhost:3000/api/batch/job/{job_id}")
    gone = curl(served, f"curl http://localhost:3000/api/batch/status/{job_id}")

    assert paused == {"success": True, "jobId": job_id, "status": "paused"}
    assert status["status"] == "paused"
    assert (active["success"], active["code"]) == (False, "job_active")
    assert (resumed["success"], resumed["jobId"]) == (True, job_id)
    assert cancelled == {"success": True, "jobId": job_id, "status": "cancelled"}
    assert too_late["success"] is False
    assert deleted["success"] is True
    assert gone == {"success": False, "error": f"There is no job {job_id}.", "code": "job_not_found"}


def test_a_form_of_files_is_a_batch_too(served: Service, client: httpx.Client, tmp_path: Path) -> None:
    one, other = write_papers(tmp_path, 2)

    started = curl(
        served,
        f"curl -X POST http://localhost:3000/api/batch/start -F files=@{one} -F files=@{other} "
        """-F 'options={"retryCount": 1, "languages": ["en-GB"], "outputs": ["pdf"]}'""",
    )
    heard(client, started["jobId"])
    status = curl(served, f"curl http://localhost:3000/api/batch/status/{started['jobId']}")

    assert (started["totalItems"], started["options"]["retryCount"]) == (2, 1)
    assert [(item["id"], item["path"], item["status"]) for item in status["items"]] == [
        (1, "paper01.pdf", "completed"),
        (2, "paper02.pdf", "completed"),
    ]


@pytest.mark.parametrize("options", ["{", '{}, "files": ["/etc/passwd"]', "[" * 10_000, "[]", "NaN"])
def test_options_of_a_form_are_json_and_nothing_beside_it(
    served: Service, client: httpx.Client, tmp_path: Path, options: str
) -> None:
    folder = served.state_dir / "server" / "uploads"
    before, [paper] = set(folder.iterdir()), write_papers(tmp_path, 1)

    refused = client.post(
        "/api/batch/start",
        files={"files": (paper.name, paper.read_bytes())}, data={"options": options},
    )  # fmt: skip

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_params")
    assert refused.json()["error"].startswith("options")
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_params"),
        ({"items": []}, "invalid_params"),
        ({"items": [{"id": 1}]}, "invalid_params"),
        ({"files": ["a.png"], "options": {"chunkSize": 0}}, "invalid_params"),
        ({"files": ["a.png"], "options": {"chunkSize": True}}, "invalid_params"),
        ({"files": ["/etc/passwd"]}, "permission"),
        ({"files": ["../../etc/passwd"]}, "permission"),
        ({"files": ["a.png"], "options": {"outputDir": "/tmp"}}, "permission"),
        ({"files": ["a.png"], "options": {"languages": ["tlh"]}}, "language_missing"),
    ],
)
def test_what_cannot_be_a_batch_is_refused_in_the_notes_form(
    served: Service, body: dict[str, Any], code: str
) -> None:
    refused = start(served, body)

    assert (refused["success"], refused["code"]) == (False, code)
    assert refused["error"]
