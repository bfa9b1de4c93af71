"""Safe by default: who may come in, and what an attacker on the network, or a page of another site, can't do."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from ocr_worker.errors import PermissionDeniedError
from ocr_worker.model.option_table import options
from ocr_worker.server.places import Places
from ocr_worker.server.wire import OFFERED
from ocr_worker.store.job_store import JobStore
from rigs.papers import write_papers
from rigs.service import ended, ended_files, environment, serve_command, serving, until
from tests.cli.command import Command
from tests.server.service import Limited, Service, service, start

TOKEN = "a-token-of-some-length"
JOB = "/api/v1/jobs/20260101_000000_00000000"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limited = Limited(
        {"wrong_tokens_per_minute": 20}, TOKEN, hosts=("ocr.Example.com", "Bücher.example", "FD00:0:0::1")
    )
    with service(tmp_path_factory.mktemp("guarded"), limited=limited) as running:
        yield running


def raw(served: Service, request: bytes, seconds: float = 30) -> bytes:
    """What is answered to these bytes, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=seconds) as connection:
        connection.sendall(request)
        answer = b""
        while block := connection.recv(65536):
            answer += block
        return answer


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "Without a token"),
        (["--allow-host", "ocr.example.com"], "needs a token"),
        (["--token", TOKEN, "--allow-host", "ocr.example.com:8443"], "without scheme, port"),
        (["--token", TOKEN, "--allow-host", "https://ocr.example.com"], "without scheme, port"),
        (["--token", TOKEN, "--allow-host", "[fd00::1]"], "without scheme, port"),
        (["--token", "short"], "at least 16"),
        (["--token-file", "missing"], "can't be read"),
        (["--root", "missing"], "is no folder"),
    ],
)
def test_what_would_be_open_to_others_is_not_started(tmp_path: Path, words: list[str], said: str) -> None:
    done = Command(tmp_path)("serve", "--port", "0", *words)

    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "path", ["/api/v1/jobs", f"{JOB}/events", f"{JOB}/archive", "/api/batch/jobs", "/openapi.json"]
)
def test_nothing_is_told_without_the_token(guarded: Service, path: str) -> None:
    with guarded.client() as client:
        refused = client.get(path)
        wrong = client.get(path, headers={"Authorization": "Bearer another-token-of-that"})
        right = client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        health = client.get("/api/v1/health")

    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert wrong.status_code in (401, 429)
    assert right.status_code != 401
    assert health.json()["token_needed"] is True


def test_a_browser_gets_a_cookie_for_the_token_that_no_script_and_no_other_site_has(guarded: Service) -> None:
    with guarded.client() as client:
        given = client.post("/api/v1/session", json={"token": TOKEN})
        jobs = client.get("/api/v1/jobs")
        client.delete("/api/v1/session")
        after = client.get("/api/v1/jobs")
        wrong = client.post("/api/v1/session", json={"token": "wrong"}).status_code
        until(
            lambda: client.post("/api/v1/session", json={"token": "wrong"}).status_code,
            lambda status: status == 429,
        )
        right = client.post("/api/v1/session", json={"token": TOKEN}).status_code

    cookie = given.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert (jobs.status_code, after.status_code) == (200, 401)
    assert wrong == 401
    assert right == 204


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:1234", 200),
        ("[::1]:80", 200),
        ("evil.example.com", 421),
        ("localhost.evil.com", 421),
        ("", 421),
        ("[::1", 421),
        ("LOCALHOST:", 200),
        ("evil.example.com@localhost", 421),
        ("localhost/evil.example.com", 421),
        ("localhost?evil.example.com", 421),
        ("localhost#.evil.example.com", 421),
        ("localhost:80:80", 421),
    ],
)
def test_another_host_name_that_leads_here_is_refused(client: httpx.Client, host: str, status: int) -> None:
    assert client.get("/api/v1/health", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/jobs", "GET, HEAD, POST"),
        (JOB, "DELETE, GET, HEAD"),
        (f"{JOB}/events", "GET"),
        (f"{JOB}/archive", "GET"),
        ("/api/v1/uploads", "OPTIONS, POST"),
        (f"/api/v1/uploads/{'0' * 32}", "DELETE, GET, HEAD, PATCH"),
        ("/api/batch/start", "POST"),
        ("/", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_know_is_refused_with_those_that_it_knows(
    client: httpx.Client, path: str, allowed: str
) -> None:
    for method in ("PUT", "TRACE", "PROPFIND"):
        refused = client.request(method, path)

        assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "host", ["ocr.example.com", "OCR.example.com:8443", "xn--bcher-kva.example", "[fd00::1]:80"]
)
def test_a_proxys_host_name_is_answered_once_it_is_allowed(guarded: Service, host: str) -> None:
    with guarded.client() as client:
        assert client.get("/api/v1/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_page_of_another_site_sends_is_refused(
    client: httpx.Client, headers: dict[str, str], method: str
) -> None:
    assert client.request(method, "/api/v1/jobs", headers=headers).status_code == 403


def test_the_own_page_may_send(client: httpx.Client, served: Service) -> None:
    headers = {"Origin": served.address.rstrip("/"), "Sec-Fetch-Site": "same-origin"}

    assert client.get("/api/v1/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/api/v1/health", "/api/v1/nothing", f"{JOB}"])
def test_every_answer_forbids_scripts_of_others_frames_and_guesses(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_the_page_has_no_inline_script_or_style_and_asks_nobody_else(client: httpx.Client) -> None:
    page = client.get("/").text

    assert '<script type="module" crossorigin src="/static/page.js"' in page
    assert page.count("<script") == 1
    assert "style=" not in page
    assert "//" not in page.replace("</", "")


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2f..%2f..%2fsettings.py",
        "/static/../page_routes.py",
        "/static/%2e%2e/%2e%2e/settings.py",
        "/static/....//page.py",
        "/static/page.js%00.css",
        "/../../../../etc/passwd",
        f"{JOB}/files/1/outputs/..%2f..%2fetc%2fpasswd",
        "/api/v1/jobs/..%2f..%2fetc",
        "/api/v1/uploads/..%2f..%2fjobs.sqlite3",
    ],
)
def test_no_path_leads_out(served: Service, path: str) -> None:
    answer = raw(served, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    assert answer.split(b" ", 2)[1] in (b"404", b"422")
    assert b"root:" not in answer
    assert b"import " not in answer


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../secret",
        "a/../../secret",
        "link/secret.png",
        "/proc/self/environ",
        "file:///etc/passwd",
    ],
)
def test_files_outside_of_the_roots_are_not_read_by_any_path(
    client: httpx.Client, root: Path, tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    if not (root / "link").exists():
        (root / "link").symlink_to(tmp_path)

    as_input = client.post("/api/v1/jobs", json={"files": [{"path": path}]})

    if path.startswith("file:"):
        # Not a URL to us: it is a path below the root, and nothing is there.
        job_id = as_input.json()["job_id"]
        assert [file["error"]["code"] for file in ended_files(client, job_id)] == ["not_found"]
    else:
        assert as_input.status_code == 403


def test_no_link_below_a_root_is_followed_once_a_file_was_named(
    served: Service, client: httpx.Client, root: Path
) -> None:
    write_papers(root / "fixed", 1)

    job_id = client.post("/api/v1/jobs", json={"files": [{"path": "fixed/paper01.pdf"}]}).json()["job_id"]
    ended(client, job_id)

    with closing(JobStore(served.state_dir)) as store:
        job = store.job(job_id)
    assert job is not None
    assert str(root) in job.options.no_links_below
    shown = Places(served.state_dir, (root,)).fixed(root / "fixed" / "paper01.pdf")
    assert shown.no_links_below == str(root)


def test_a_link_that_is_put_in_place_of_something_else_while_it_is_looked_at_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    write_papers(root / "papers", 1)
    (root / "link").symlink_to(root / "papers")
    places = Places(tmp_path / "state", (root,))

    def is_no_link_any_more(path: str) -> str:
        raise OSError(errno.EINVAL, "Invalid argument", path)

    monkeypatch.setattr(os, "readlink", is_no_link_any_more)

    assert not places.is_open(root / "link" / "paper01.pdf")
    with pytest.raises(PermissionDeniedError) as caught:
        places.named("link/paper01.pdf")
    assert str(root) not in caught.value.message


def test_an_error_of_ours_tells_no_path_and_no_traceback(
    served: Service, client: httpx.Client, tmp_path: Path
) -> None:
    job_id = start(client, *write_papers(tmp_path, 1))
    ended(client, job_id)
    answers = [
        client.get(f"/api/v1/jobs/{job_id}/files/99"),
        client.get(f"/api/v1/jobs/{job_id}/files/1/pages/99/picture"),
        client.post("/api/v1/jobs", content=b"{", headers={"Content-Type": "application/json"}),
        client.post("/api/v1/jobs", json={"files": [{"upload": "x", "password": "hunter2"}]}),
        client.get(JOB),
    ]

    assert [answer.status_code // 100 for answer in answers] == [4] * 5
    told = "".join(answer.text for answer in answers)
    assert not any(word in told for word in (str(served.state_dir), "Traceback", ".py", "hunter2"))


def test_a_job_id_or_name_with_a_line_break_makes_no_header(served: Service) -> None:
    request = (
        b"GET /api/v1/jobs/x%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Last-Event-ID: 1\r\n\r\n"
    )

    answer = raw(served, request)

    assert b"\r\nX-Evil" not in answer


def test_two_lengths_of_one_body_are_refused_and_end_the_connection(served: Service) -> None:
    smuggled = b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answer = raw(
        served,
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled,
    )

    assert [line[9:12] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1")] == [b"400"]


def test_a_body_that_is_too_large_is_refused_before_and_while_it_comes(
    served: Service, client: httpx.Client
) -> None:
    announced = raw(
        served,
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: 999999999\r\n\r\n",
    )
    streamed = client.post(
        "/api/v1/jobs", content=(b" " * 2**20 for _ in range(9)), headers={"Content-Type": "application/json"}
    )

    assert announced.split(b" ", 2)[1] == b"413"
    assert streamed.status_code == 413


def test_rubbish_is_refused_and_leaves_nothing_in_the_log(tmp_path: Path) -> None:
    start = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    broken = [
        b"\x16\x03\x01\x02\x00\x01",
        start + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        start + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n-1\r\n",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
        b"GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        (
            b"POST /api/batch/start HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Authorization: Bearer a-token-of-some-length\r\nConnection: close\r\nContent-Length: 18\r\n\r\n--x\r\nA(b: c\r\n\r\n\r\n"
        ),
    ]
    for limited in (Limited({}), Limited({}, token="a-token-of-some-length")):
        with service(tmp_path, limited=limited) as served:
            answers = [raw(served, request) for request in broken]

            said = served.log.read_text(encoding="utf-8")
        assert {answer[:10] for answer in answers} <= {b"HTTP/1.1 4", b"HTTP/1.1 2"}, answers
        assert said == ""


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    ],
)
def test_a_request_that_stays_half_is_given_up(slow_clients: Service, begun: bytes) -> None:
    answer = raw(slow_clients, begun)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_body_that_comes_a_byte_at_a_time_is_given_up(slow_clients: Service) -> None:
    """Who has no token yet may send one, and must not hold connections with it for as long as it likes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", slow_clients.port), timeout=0.2) as connection:
        connection.sendall(
            b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
        )
        for _ in range(100):
            connection.sendall(b" ")
            with suppress(TimeoutError):
                answer = connection.recv(100)
                break

    assert answer.startswith(b"HTTP/1.1 408")


@pytest.fixture(scope="module")
def slow_clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = {"header_seconds": 1, "body_seconds": 1, "requests_per_second": 3}
    with service(tmp_path_factory.mktemp("slow"), limited=Limited(limits)) as running:
        yield running


def test_too_many_requests_are_refused_and_a_moment_later_answered(slow_clients: Service) -> None:
    with slow_clients.client() as client:
        until(lambda: client.get("/api/v1/nothing").status_code, lambda status: status == 429)
        until(lambda: client.get("/api/v1/nothing").status_code, lambda status: status == 404)


def test_a_thousand_idle_connections_keep_nobody_out(slow_clients: Service) -> None:
    with slow_clients.client() as client:
        idle = [socket.create_connection(("127.0.0.1", slow_clients.port)) for _ in range(1000)]

        until(lambda: client.get("/api/v1/jobs").status_code, lambda status: status == 200)
        for connection in idle:
            connection.settimeout(60)
        closed = [connection.recv(1) for connection in idle]
        for connection in idle:
            connection.close()

    assert closed == [b""] * 1000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_connections_may_be_more_than_a_shell_lets_files_be_open(tmp_path: Path) -> None:
    started = ["sh", "-c", 'ulimit -Sn 200; exec "$@"', "-", *serve_command()]
    with serving(tmp_path, started, environment(tmp_path)) as served:
        idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(300)]
        until(psutil.Process(served.process.pid).num_fds, lambda count: count > 300)
        for connection in idle:
            connection.close()


def test_clients_are_offered_every_option_but_those_that_name_paths_of_the_machine() -> None:
    kept_back = {
        name: type(option.kind).__name__ for name, option in options().items() if name not in OFFERED
    }

    assert kept_back == {
        "tessdata_dir": "FolderPath",
        "tessdata_dirs": "FolderPaths",
        "no_links_below": "FolderPaths",
        "passwords": "PathWords",
    }
