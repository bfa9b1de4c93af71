"""Uploads: they go on where they broke off, stay within limits, and are nobody's way out of their folder."""

from __future__ import annotations

import asyncio
import base64
import socket
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from ocr_worker.model.serving import ServiceLimits
from ocr_worker.server.problems import RefusedError
from ocr_worker.server.uploads import BLOCK_BYTES, Uploads
from ocr_worker.server.wire import UPLOAD_ID
from rigs.papers import write_papers
from rigs.service import ended_files, until
from tests.faults.pictures import png
from tests.limits import HANG_SECONDS
from tests.server.service import TUS, Limited, Service, append, service, start, upload


def create(client: httpx.Client, size: int, name: str = "scan.pdf") -> httpx.Response:
    told = f"filename {base64.b64encode(name.encode()).decode()}"
    return client.post(
        "/api/v1/uploads", headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": told}
    )


def test_an_upload_that_breaks_off_goes_on_where_it_was(
    served: Service, client: httpx.Client, tmp_path: Path
) -> None:
    content = write_papers(tmp_path, 1)[0].read_bytes() + b"%" * 3 * BLOCK_BYTES
    place = create(client, len(content)).headers["location"]
    head = (
        f"PATCH {place} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port)) as broken:
        broken.sendall(head.encode() + content[: 2 * BLOCK_BYTES])
        until(lambda: offset_of(client, place), lambda offset: offset >= BLOCK_BYTES)
        busy = append(client, place, offset_of(client, place), b"more")

    until(lambda: append(client, place, 1, b"x").json()["error"]["message"], lambda said: "offset" in said)
    offset = offset_of(client, place)
    rest = append(client, place, offset, content[offset:])
    told = client.get(place).json()

    assert busy.status_code == 409
    assert (rest.status_code, rest.headers["upload-offset"]) == (204, str(len(content)))
    assert told == {
        "upload": told["upload"], "name": "scan.pdf", "size": len(content), "offset": len(content), "complete": True,
    }  # fmt: skip


def offset_of(client: httpx.Client, place: str) -> int:
    return int(client.head(place, headers=TUS).headers["upload-offset"])


def test_an_upload_becomes_a_file_of_a_job_under_its_own_name(client: httpx.Client, tmp_path: Path) -> None:
    job_id = start(client, *write_papers(tmp_path, 1))

    [file] = ended_files(client, job_id)

    assert (file["name"], file["status"], file["outputs"]) == (
        "paper01.pdf",
        "completed",
        ["pdf", "txt", "json"],
    )


def test_an_incomplete_upload_and_one_that_is_not_there_are_no_files_of_a_job(client: httpx.Client) -> None:
    begun = create(client, 10).json()["upload"]

    answers = [client.post("/api/v1/jobs", json={"files": [{"upload": one}]}) for one in (begun, "0" * 32)]

    assert [answer.status_code for answer in answers] == [409, 404]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"files": [{"path": ""}]}', "files.0.path: String should have at least 1 character"),
        ('{"files": [{"upload": "x"}]}', f"files.0.upload: String should match pattern '{UPLOAD_ID}'"),
        ('{"files": [{"path"]}', "body: it is no JSON: Expecting ':' delimiter"),
    ],
)
def test_what_is_wrong_with_a_job_is_said_of_what_was_meant(
    client: httpx.Client, body: str, said: str
) -> None:
    answer = client.post("/api/v1/jobs", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["error"]["message"]) == (422, said)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\win.pdf", "win.pdf"),
        ("/etc/shadow", "shadow"),
        ("..", "file"),
        (".facts.json", "facts.json"),
        ("a\r\nX-Evil: 1.pdf", "a__X-Evil_ 1.pdf"),
        ("nul\0.pdf", "nul_.pdf"),
        ("Ärger & Größe.pdf", "Ärger & Größe.pdf"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
        ("folder/", "file"),
    ],
)
def test_a_name_is_only_ever_the_last_part_made_safe(client: httpx.Client, name: str, kept: str) -> None:
    assert create(client, 10, name).json()["name"] == kept


def test_what_is_none_of_the_types_that_are_read_is_refused_by_its_first_bytes(client: httpx.Client) -> None:
    place = create(client, 200_000, "invoice.pdf").headers["location"]

    # A PDF may begin within the first 64 KiB.
    refused = append(client, place, 0, b"MZ this is a program, whatever its name is" * 2000)

    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "unsupported_type")
    assert client.head(place).status_code == 404


def test_more_than_was_announced_is_refused(client: httpx.Client) -> None:
    place = create(client, 10).headers["location"]

    assert append(client, place, 0, b"%PDF-1.7 and more").status_code == 413


def test_uploads_keep_to_the_limits_of_size_number_and_room(tmp_path: Path) -> None:
    limits = {"upload_bytes": 1000, "uploads": 3, "kept_bytes": 2500}
    with service(tmp_path, limited=Limited(limits)) as served, served.client() as client:
        too_large = create(client, 1001)
        form = client.post("/api/batch/start", files={"files": ("a.pdf", b"%PDF-1.7" + b"." * 1000)})
        full = [create(client, 900).status_code for _ in range(3)]
        small = create(client, 1)
        too_many = create(client, 1)
        client.delete(small.headers["location"])
        once_more = [create(client, 1).status_code for _ in range(2)]
        offered = client.options("/api/v1/uploads")

    assert (too_large.status_code, form.status_code) == (413, 413)
    assert full == [201, 201, 507]
    assert (small.status_code, too_many.status_code, once_more) == (201, 429, [201, 429])
    assert offered.headers["tus-max-size"] == "1000"


def test_uploads_that_a_job_has_leave_room_for_more(tmp_path: Path) -> None:
    papers = write_papers(tmp_path / "papers", 2)
    with service(tmp_path, limited=Limited({"uploads": 2})) as served, served.client() as client:
        start(client, *papers)
        more = [create(client, 1).status_code for _ in range(3)]

    assert more == [201, 201, 429]


def test_an_upload_says_when_it_goes_unless_a_job_has_it(client: httpx.Client) -> None:
    made = create(client, 10)
    sent = append(client, made.headers["location"], 0, b"%PDF-")

    told = {answer.headers["upload-expires"] for answer in (made, sent, client.head(sent.url, headers=TUS))}
    [expires] = map(parsedate_to_datetime, told)
    assert abs(expires.timestamp() - time.time() - ServiceLimits().kept_seconds) < HANG_SECONDS


def test_another_version_of_tus_is_refused(client: httpx.Client) -> None:
    headers = {"Tus-Resumable": "0.2.2", "Upload-Length": "1"}

    refused = client.post("/api/v1/uploads", headers=headers)

    assert (refused.status_code, refused.headers["tus-version"]) == (412, "1.0.0")


def test_who_sends_what_is_taken_back_meanwhile_is_told(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, ServiceLimits(), set)
    sent = uploads.create("paper.png", 100)

    async def blocks() -> AsyncIterator[bytes]:
        yield png()[:50]
        uploads.remove(sent.upload_id)

    with pytest.raises(RefusedError, match="taken back") as refused:
        asyncio.run(uploads.append(sent, 0, blocks()))

    assert refused.value.status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_an_upload_can_be_taken_back(client: httpx.Client) -> None:
    place = f"/api/v1/uploads/{upload(client, 'a.pdf', b'%PDF-1.7 a')}"

    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("multipart/form-data; boundary=" + "b" * 70, 200),
        ("Multipart/Form-Data; Boundary=" + "b" * 70, 200),
        ("multipart/form-data; boundary=" + "b" * 71, 415),
        ("multipart/form-data; boundary=", 415),
        ("multipart/form-data", 415),
    ],
)
def test_a_form_is_known_by_its_type_and_boundary(client: httpx.Client, kind: str, status: int) -> None:
    line = b"--" + kind.encode().rpartition(b"=")[2]
    head = b'Content-Disposition: form-data; name="files"; filename="form.png"'
    content = b"\r\n".join([line, head, b"", png(), line + b"--", b""])

    answer = client.post("/api/batch/start", content=content, headers={"Content-Type": kind})

    assert answer.status_code == status, answer.text


def test_a_form_that_breaks_off_leaves_no_upload(served: Service, client: httpx.Client) -> None:
    folder = served.state_dir / "server" / "uploads"
    before = set(folder.iterdir())
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.pdf"\r\n\r\n%PDF-1.7 and'

    refused = client.post(
        "/api/batch/start", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )

    assert (refused.status_code, refused.json()["success"]) == (400, False)
    assert set(folder.iterdir()) == before
