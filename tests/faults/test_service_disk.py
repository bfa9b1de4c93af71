"""A service whose disk is full, or which dies, while files come: nothing is lost that has come, and nothing half-made stays."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from rigs.papers import write_papers
from rigs.service import ended_files, until
from tests.faults.conftest import Mounted
from tests.server.service import TUS, Service, append, service

MIB = 2**20


def announce(client: httpx.Client, size: int) -> httpx.Response:
    return client.post("/api/v1/uploads", headers={**TUS, "Upload-Length": str(size)})


def long_paper(folder: Path) -> bytes:
    return write_papers(folder, 1)[0].read_bytes() + b"%" * 3 * MIB


@pytest.mark.slow
def test_an_upload_to_a_full_disk_goes_on_once_there_is_room(mount: Mounted, tmp_path: Path) -> None:
    uploads = mount("state/server/uploads", "-t", "tmpfs", "-o", "size=5m", "tmpfs")
    content = long_paper(tmp_path / "papers")
    with service(tmp_path) as served, served.client() as client:
        place = announce(client, len(content)).headers["location"]
        filler = uploads / "filler"
        filler.write_bytes(b"x" * 3 * MIB)

        refused = append(client, place, 0, content)
        others = [announce(client, 100), client.post("/api/batch/start", files={"files": ("a.pdf", content)})]
        left = {path.name for path in uploads.iterdir()}
        filler.unlink()
        at = client.get(place).json()["offset"]
        done = append(client, place, at, content[at:])
        said = served.log.read_text(encoding="utf-8")

    assert [answer.status_code for answer in (refused, *others)] == [507] * 3
    assert refused.json()["error"]["code"] == others[1].json()["code"] == "no_space"
    assert left == {place.rpartition("/")[2], "filler"}
    assert 0 < at < len(content)
    assert (done.status_code, done.headers["upload-offset"], said) == (204, str(len(content)), "")


@pytest.mark.slow
def test_an_upload_goes_on_at_another_service_when_its_own_was_killed(tmp_path: Path) -> None:
    content = long_paper(tmp_path / "papers")
    with service(tmp_path) as served, served.client() as client:
        place = announce(client, len(content)).headers["location"]
        with _sending(served, place, content[: 2 * MIB], len(content)):
            until(lambda: client.get(place).json()["offset"], lambda offset: offset >= MIB)
            served.process.kill()
            served.process.wait()

    with service(tmp_path) as served, served.client() as client:
        at = client.get(place).json()["offset"]
        done = append(client, place, at, content[at:])
        job = client.post("/api/v1/jobs", json={"files": [{"upload": place.rpartition("/")[2]}]}).json()
        [file] = ended_files(client, job["job_id"])

    assert MIB <= at < len(content)
    assert (done.status_code, file["status"]) == (204, "completed")


def _sending(served: Service, place: str, some: bytes, size: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", served.port))
    head = (
        f"PATCH {place} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {size}\r\n\r\n"
    )
    connection.sendall(head.encode() + some)
    return connection


def test_what_nobody_foresaw_is_said_without_details_and_ends_the_connection(tmp_path: Path) -> None:
    with service(tmp_path) as served, served.client() as client:
        place = announce(client, 10).headers["location"]
        facts = served.state_dir / "server" / "uploads" / place.rpartition("/")[2] / ".facts.json"
        facts.write_text('{"name": "file", "size": "large"}', encoding="utf-8")
        broken = client.get(place)
        facts.write_text("[]", encoding="utf-8")
        gone = client.get(place)

    assert (broken.status_code, broken.json()["error"]["code"]) == (500, "internal")
    assert "large" not in broken.text
    assert broken.headers["connection"] == "close"
    assert gone.status_code == 404
