"""The life of a service: it ends in order, dies and comes again, and keeps results no longer than it should."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

from ocr_worker.model.serving import ServiceOptions
from ocr_worker.server.run import _listener
from rigs.papers import write_papers
from rigs.service import ended, events, until
from tests.e2e.material import Material
from tests.limits import HANG_SECONDS
from tests.server.service import Limited, service, start, upload


def test_a_job_outlives_services_that_are_told_to_end_or_killed(tmp_path: Path, material: Material) -> None:
    with service(tmp_path) as served, served.client() as client:
        job_id = start(client, material.pdf(tmp_path / "long.pdf", "qhqhq"))
        heard = events(client, f"/api/v1/jobs/{job_id}/events")
        assert next(heard).kind == "job"
        served.process.send_signal(signal.SIGTERM)
        list(heard)
        code = served.process.wait(HANG_SECONDS)

    with service(tmp_path, "--resume") as served, served.client() as client:
        until(lambda: client.get(f"/api/v1/jobs/{job_id}").json(), lambda job: job["pages_done"] > 0)
        resumed = client.get(f"/api/v1/jobs/{job_id}").json()["state"]
        served.process.kill()
        served.process.wait(HANG_SECONDS)

    with service(tmp_path) as served, served.client() as client:
        found = client.get(f"/api/v1/jobs/{job_id}").json()["state"]
        served.hold.let_go()
        client.post(f"/api/v1/jobs/{job_id}/resume")
        again = ended(client, job_id)

    assert (code, resumed, found) == (0, "running", "interrupted")
    assert again[-1].data["status"] == "completed"


def test_a_deleted_job_and_then_the_oldest_take_uploads_results_and_pictures_along(tmp_path: Path) -> None:
    papers = write_papers(tmp_path / "papers", 1)
    with service(tmp_path) as served, served.client() as client:
        deleted, old, new = (start(client, *papers) for _ in range(3))
        ended(client, new)
        client.get(f"/api/v1/jobs/{deleted}/files/1/pages/1/thumbnail")
        before = kept(served.state_dir)
        status = client.delete(f"/api/v1/jobs/{deleted}").status_code
        after = kept(served.state_dir)
        too_much = sum(path.stat().st_size for path in after if path.parent.name != "orders") - 1

    with service(tmp_path, limited=Limited({"kept_bytes": too_much})) as served, served.client() as client:
        until(lambda: client.get(f"/api/v1/jobs/{old}").status_code, lambda status: status == 404)
        younger = client.get(f"/api/v1/jobs/{new}").status_code

    with service(tmp_path, "--keep-days", "0") as served:
        until(lambda: kept(served.state_dir), lambda left: not left)

    assert (status, younger) == (204, 200)
    # Of each an upload with its facts, three outputs, a manifest and the order; of one a picture, too.
    assert (len(before), len(after)) == (22, 14)


def test_an_upload_stays_for_as_long_as_a_job_has_it(tmp_path: Path) -> None:
    [paper] = write_papers(tmp_path / "papers", 1)
    with service(tmp_path) as served, served.client() as client:
        files = [{"upload": upload(client, paper.name, paper.read_bytes())}]
        first, second = (
            client.post("/api/v1/jobs", json={"files": files}).json()["job_id"] for _ in range(2)
        )
        ended(client, second)
        client.delete(f"/api/v1/jobs/{first}")
        seen = client.get(f"/api/v1/jobs/{second}/files/1/pages/1/thumbnail").status_code
        client.delete(f"/api/v1/jobs/{second}")
        left = kept(served.state_dir)

    assert (seen, left) == (200, [])


def test_a_new_upload_takes_the_room_of_the_oldest_jobs_but_of_none_if_that_would_not_do(
    tmp_path: Path,
) -> None:
    [paper] = write_papers(tmp_path / "papers", 1)
    limits = {"kept_bytes": 100_000, "upload_bytes": 200_000}
    with service(tmp_path, limited=Limited(limits)) as served, served.client() as client:
        old, new = (start(client, paper) for _ in range(2))
        ended(client, new)
        results = sum(path.stat().st_size for path in kept(served.state_dir))

        def announce(size: int) -> int:
            headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size)}
            return client.post("/api/v1/uploads", headers=headers).status_code

        in_vain = announce(100_001)
        both = [client.get(f"/api/v1/jobs/{job_id}").status_code for job_id in (old, new)]
        made = until(lambda: announce(100_000 - results * 3 // 4), lambda status: status == 201)
        left = [client.get(f"/api/v1/jobs/{job_id}").status_code for job_id in (old, new)]

    assert (in_vain, both) == (507, [200, 200])
    assert (made, left) == (201, [404, 200])


def test_without_its_packages_the_service_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; sys.argv = ['ocr-worker', 'serve'];"
        "from ocr_worker.__main__ import main; sys.exit(main())"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)

    assert done.returncode == 3
    assert "pip install 'ocr-sidecar[server]'" in done.stderr


def test_the_other_faces_import_nothing_of_the_service() -> None:
    code = (
        "import sys; import ocr_sidecar, ocr_worker.cli.app, ocr_worker.stdio.app; ocr_sidecar.Sidecar;"
        "print([name for name in sys.modules if name.startswith(('fastapi', 'starlette', 'ocr_worker.server'))])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=HANG_SECONDS)

    assert done.stdout.strip() == "[]"


def kept(state_dir: Path) -> list[Path]:
    """Files that the service keeps, but what is in the making."""
    found = (state_dir / "server").rglob("*")
    return [path for path in found if path.suffix != ".part" and path.is_file()]


def test_small_answers_do_not_wait_for_what_went_before_to_be_acknowledged() -> None:
    """Asyncio sends at once on sockets that it knows to be of TCP: otherwise each answer takes 40 ms."""
    with _listener(ServiceOptions(port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP
