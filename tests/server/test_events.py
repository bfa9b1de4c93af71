"""Events as they happen: replayed from the store, for any number of watchers, behind a proxy."""

from __future__ import annotations

import itertools
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ocr_worker.server import watching
from rigs.papers import write_papers
from rigs.service import ended, events, parsed, until
from tests.cli.command import Command
from tests.conftest import REPOSITORY
from tests.e2e.material import Material
from tests.limits import HANG_SECONDS
from tests.server.service import Limited, Service, service, start, watchers


def test_a_watcher_hears_the_job_its_files_and_its_end(
    served: Service, client: httpx.Client, tmp_path: Path
) -> None:
    job_id = start(client, *write_papers(tmp_path, 3))

    heard = ended(client, job_id)

    assert heard[0].kind == "job"
    assert [event.id for event in heard if event.id] == ["1", "2", "3", "4"]
    assert [event.data["status"] for event in heard if event.kind == "file"] == ["completed"] * 3
    assert (heard[-1].kind, heard[-1].data) == ("end", {"status": "completed", "reason": None})
    assert str(served.state_dir) not in str(heard)


def test_progress_is_told_four_times_a_second_at_most(client: httpx.Client, tmp_path: Path) -> None:
    job_id = start(client, *write_papers(tmp_path, 40))

    told = [event.data["elapsed_seconds"] for event in ended(client, job_id) if event.kind == "progress"]

    # The last one tells of the end, and waits for nothing.
    gaps = [after - before for before, after in itertools.pairwise(told[:-1])]
    assert gaps
    assert min(gaps) > 0.2


def test_who_was_away_hears_what_was_missed_from_the_store_and_at_last_nothing_more(
    client: httpx.Client, tmp_path: Path
) -> None:
    job_id = start(client, *write_papers(tmp_path, 4))
    ended(client, job_id)
    place = f"/api/v1/jobs/{job_id}/events"

    late = list(events(client, place, last="3"))
    done = client.get(place, headers={"Last-Event-ID": "5"})

    assert [event.id for event in late if event.id] == ["4", "5"]
    assert done.status_code == 204


def test_ten_watchers_hear_the_same_though_one_never_reads(
    served: Service, client: httpx.Client, material: Material
) -> None:
    job_id = start(client, material.pdf(material.folder / "watched.pdf", "qqqqqqqq"))
    place = f"/api/v1/jobs/{job_id}/events"
    idle = socket.create_connection(("127.0.0.1", served.port))
    idle.sendall(f"GET {place} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    heard: list[list[str | None]] = []

    def watch() -> None:
        with served.client() as own:
            heard.append([event.id for event in events(own, place) if event.id])

    threads = [threading.Thread(target=watch) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_SECONDS)
    idle.close()

    assert heard == [["1", "2"]] * 9


def test_a_client_that_knows_no_parts_of_answers_hears_events_as_they_are(
    served: Service, client: httpx.Client, tmp_path: Path
) -> None:
    job_id = start(client, *write_papers(tmp_path, 20))

    with socket.create_connection(("127.0.0.1", served.port), timeout=HANG_SECONDS) as old:
        old.sendall(f"GET /api/v1/jobs/{job_id}/events HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = old.makefile("rb").read().partition(b"\r\n\r\n")

    heard = list(parsed(iter(body.decode().split("\n"))))
    assert b"transfer-encoding" not in head.lower()
    assert [event.id for event in heard if event.id] == [str(number) for number in range(1, 22)]


def test_a_pause_is_told_to_those_who_watch(
    client: httpx.Client, served: Service, material: Material
) -> None:
    job_id = start(client, material.pdf(material.folder / "paused.pdf", "hqq"))
    states: list[str] = []

    with served.client() as own:
        for event in events(own, f"/api/v1/jobs/{job_id}/events"):
            if event.kind == "job":
                states.append(event.data["state"])
                if event.data["state"] == "paused":
                    client.post(f"/api/v1/jobs/{job_id}/cancel")
                elif "paused" not in states:
                    client.post(f"/api/v1/jobs/{job_id}/pause")

    assert "paused" in states


def test_what_is_ordered_is_told_at_once_and_not_when_the_store_is_looked_into_next(
    client: httpx.Client, served: Service, material: Material
) -> None:
    assert watching.LOOK_SECONDS >= 1
    job_id = start(client, material.pdf(material.folder / "steered.pdf", "hqq"))
    waits: list[float] = []

    with served.client() as own:
        heard = events(own, f"/api/v1/jobs/{job_id}/events")
        for order, state in [("pause", "paused"), ("resume", "running")] * 4:
            client.post(f"/api/v1/jobs/{job_id}/{order}")
            since = time.monotonic()
            next(event for event in heard if event.kind == "job" and event.data["state"] == state)
            waits.append(time.monotonic() - since)
        client.post(f"/api/v1/jobs/{job_id}/cancel")

    # Half of them would wait for half of that time, if they waited for it.
    assert sorted(waits)[len(waits) // 2] < watching.LOOK_SECONDS / 4, waits


def test_a_quiet_stream_has_a_heartbeat_and_headers_that_keep_proxies_from_holding_it_back(
    tmp_path: Path, material: Material
) -> None:
    with service(tmp_path, limited=Limited({"heartbeat_seconds": 1})) as served, served.client() as client:
        job_id = start(client, material.pdf(tmp_path / "quiet.pdf", "hq"))
        client.post(f"/api/v1/jobs/{job_id}/pause")

        with client.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
            beats = list(_until_beat(answer.iter_lines()))

    assert beats[-1] == ": heartbeat"
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert "no-store" in answer.headers["cache-control"]


def _until_beat(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line == ": heartbeat":
            return


def test_a_watcher_that_does_not_read_is_dropped_and_harms_neither_job_nor_others(tmp_path: Path) -> None:
    # More than the buffers of both ends take: 4 MB at most.
    folders = "/".join(["x" * 200] * 18)
    missing = [{"path": f"{folders}/{number}.png"} for number in range(700)]
    body = {"files": missing, "options": {"stop_on_error_threshold": 1}}
    with (
        service(tmp_path, limited=Limited({"send_seconds": 0.5}, roots=(tmp_path,))) as served,
        served.client() as client,
    ):
        job_id = client.post("/api/v1/jobs", json=body).json()["job_id"]
        with _deaf_watcher(served, job_id) as deaf:
            until(lambda: watchers(client), lambda count: count == 1)
            heard = ended(client, job_id)
            until(lambda: watchers(client), lambda count: count == 0)
            is_cut = _is_cut(deaf)

    assert [event.id for event in heard if event.id] == [str(number) for number in range(1, 702)]
    assert is_cut


def test_a_watcher_that_is_far_behind_hears_of_every_file_once(tmp_path: Path) -> None:
    # More than the buffers of both ends take: 4 MB at most.
    folders = "/".join(["x" * 200] * 18)
    missing = [{"path": f"{folders}/{number}.png"} for number in range(800)]
    limited = Limited({"kept_batches": 1}, roots=(tmp_path,))
    with service(tmp_path, limited=limited) as served, served.client() as client:
        body = {"files": missing, "options": {"stop_on_error_threshold": 1}}
        job_id = client.post("/api/v1/jobs", json=body).json()["job_id"]
        with _deaf_watcher(served, job_id) as slow:
            until(lambda: watchers(client), lambda count: count == 1)
            until(
                lambda: client.get(f"/api/v1/jobs/{job_id}").json()["state"],
                lambda state: state == "completed",
            )
            lines = slow.makefile("r", encoding="utf-8", newline="\n")
            ids = [int(line[4:]) for line in lines if line.startswith("id: ")]

    assert ids == list(range(1, 802))


@contextmanager
def _deaf_watcher(served: Service, job_id: str) -> Iterator[socket.socket]:
    """One that asks for events and never reads any; its buffer is as small as may be."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        deaf.connect(("127.0.0.1", served.port))
        deaf.sendall(f"GET /api/v1/jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield deaf


def _is_cut(deaf: socket.socket) -> bool:
    """Whether the connection ends before the stream does."""
    deaf.settimeout(HANG_SECONDS)
    heard = b""
    try:
        while block := deaf.recv(65536):
            heard += block
    except ConnectionResetError:
        return True
    return b"event: end" not in heard


@pytest.mark.needs("nginx")
def test_events_come_through_nginx_as_they_happen(
    served: Service, client: httpx.Client, tmp_path: Path, material: Material
) -> None:
    with nginx(served, tmp_path) as address, httpx.Client(base_url=address, timeout=HANG_SECONDS) as through:
        job_id = start(through, material.pdf(tmp_path / "proxied.pdf", "hq"))
        # As a browser does it, which names the port of the proxy, too.
        ordered = through.post(f"/api/v1/jobs/{job_id}/pause", headers={"Origin": address})

        # The job rests, so nothing pushes this event out but that it is not held back.
        with through.stream("GET", f"/api/v1/jobs/{job_id}/events") as answer:
            first = next(parsed(answer.iter_lines()))
    client.post(f"/api/v1/jobs/{job_id}/cancel")

    assert (ordered.status_code, first.kind, first.data["state"]) == (200, "job", "paused")


@contextmanager
def nginx(served: Service, folder: Path) -> Iterator[str]:
    """Debian's nginx before the service, as docs/server.md configures it; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = (REPOSITORY / "docs" / "server.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.*?)```", page, re.DOTALL)
    assert found
    block = re.sub(r"^.*(?:listen|server_name|ssl_).*\n", "", found.group(1), flags=re.MULTILINE)
    block = block.replace("127.0.0.1:8765", f"127.0.0.1:{served.port}")
    block = block.replace("server {", f"server {{ listen 127.0.0.1:{port};", 1)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n{block}\n}}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(["nginx", "-c", str(configuration), "-e", str(folder / "error.log")])
    try:
        address = f"http://127.0.0.1:{port}"
        until(lambda: _answers(address), bool)
        yield address
    finally:
        process.terminate()
        process.wait(HANG_SECONDS)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/v1/health").status_code == 200
    except httpx.TransportError:
        return False


def running(client: httpx.Client, title: str) -> str:
    """The id of the job that begins with this file, once it runs."""

    def found() -> list[str]:
        jobs = client.get("/api/v1/jobs").json()["jobs"]
        return [job["job_id"] for job in jobs if job["title"].startswith(title) and job["state"] == "running"]

    [job_id] = until(found, bool)
    return str(job_id)


def test_a_job_of_the_command_line_is_watched_as_any_other(
    served: Service, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    batch = ocr.start(
        "batch", material.pdf(tmp_path / "elsewhere.pdf", "hq"), "--output-dir", tmp_path / "out"
    )
    job_id = running(client, "elsewhere.")
    ocr.hold.let_go()

    heard = ended(client, job_id)
    batch.communicate(timeout=HANG_SECONDS)

    assert [event.kind for event in heard if event.id] == ["file", "end"]
    assert heard[-1].data["status"] == "completed"


def test_who_watches_hears_that_the_process_of_a_job_was_killed(
    served: Service, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    scan = material.pdf(tmp_path / "orphaned.pdf", "hq")
    batch = ocr.start("batch", scan, "--output-dir", tmp_path / "out")
    job_id = running(client, "orphaned.")

    with served.client() as own:
        heard = events(own, f"/api/v1/jobs/{job_id}/events")
        first = next(heard)
        batch.kill()
        batch.communicate(timeout=HANG_SECONDS)
        last = [event.data["state"] for event in heard if event.kind == "job"][-1]

    assert (first.data["state"], last) == ("running", "interrupted")


def test_who_knows_a_job_up_to_an_event_is_told_what_came_after_it(
    client: httpx.Client, tmp_path: Path
) -> None:
    job_id = start(client, *write_papers(tmp_path, 3))
    ended(client, job_id)
    path, seq = f"/api/v1/jobs/{job_id}/events", client.get(f"/api/v1/jobs/{job_id}").json()["seq"]

    later = [event.kind for event in events(client, f"{path}?after={seq - 2}") if event.id]
    nothing = client.get(f"{path}?after={seq}").status_code

    assert (later, nothing) == (["file", "end"], 204)
