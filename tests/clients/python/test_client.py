"""What a program does with the client, in threads and on a loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from ocr_client import AsyncClient, AsyncJob, Client, OcrError
from tests.clients.python.conftest import settings
from tests.conftest import REPOSITORY
from tests.e2e import tree
from tests.e2e.material import Material
from tests.hold import Hold
from tests.limits import HANG_SECONDS

IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import ocr_client
print(*{name.partition(".")[0] for name in sys.modules} - {"__main__", *sys.stdlib_module_names})
"""


def test_a_batch_gives_its_events_and_its_result(client: Client, material: Material, tmp_path: Path) -> None:
    job = client.batch([material.quick, tmp_path / "lost.png"], tmp_path / "out", {"outputs": ["txt"]})

    events = list(job)

    result = job.result(HANG_SECONDS)
    kinds = [event["data"].get("kind", event["type"]) for event in events]
    assert kinds[-1] == "batch"
    assert {"file_started", "file_done", "progress"} <= set(kinds)
    assert [file["file"] for file in result["successful"]] == [str(material.quick)]
    assert [file["code"] for file in result["failed"]] == ["not_found"]
    assert job.progress is not None
    assert job.progress["percent"] == 100
    assert (client.state, client.metrics.jobs_ended, client.metrics.files_ended) == ("idle", 1, 2)


def test_a_refusal_is_an_error_with_the_code_and_what_it_is_about(client: Client, tmp_path: Path) -> None:
    with pytest.raises(OcrError, match=r"^No files provided for OCR batch processing$") as refusal:
        client.batch([], tmp_path / "out")
    with pytest.raises(OcrError) as unknown:
        client.get_job("none")

    assert (refusal.value.code, refusal.value.details["field"]) == ("invalid_params", "files")
    assert (unknown.value.code, unknown.value.retryable) == ("job_not_found", False)


def test_a_job_is_paused_goes_on_and_is_cancelled(client: Client, material: Material, tmp_path: Path) -> None:
    files = [material.pdf(tmp_path / "scan.pdf", "hhqq"), material.slow]
    job = client.batch(files, tmp_path / "out")

    job.pause()
    Hold(tmp_path).let_go()
    rested = next(event for event in job if event["data"].get("kind") == "paused")
    state = client.get_job(job.job_id)["state"]
    job.resume()
    running = client.state
    job.cancel()

    assert rested["job_id"] == job.job_id
    assert (state, running) == ("paused", "running")
    assert job.result(HANG_SECONDS)["status"] == "cancelled"
    assert client.state == "cancelled"


def test_questions_are_answered(client: Client, material: Material) -> None:
    assert client.inspect(material.quick)["type"] == "png"
    assert client.list_jobs()["total"] == 0
    assert client.ping()["state"] == "idle"
    assert client.hello is not None
    assert client.hello["pid"] == client.worker_pid


def test_jobs_side_by_side_on_a_loop(material: Material, tmp_path: Path) -> None:
    async def read(ocr: AsyncClient, name: str) -> list[str]:
        job = await ocr.batch([material.quick], tmp_path / name)
        kinds = [str(event["data"].get("kind", event["type"])) async for event in job]
        assert (await job.result())["status"] == "completed"
        return kinds

    async def main() -> list[list[str]]:
        async with AsyncClient("tests", **settings(tmp_path)) as ocr:
            both = list(await asyncio.gather(read(ocr, "one"), read(ocr, "two")))
            with pytest.raises(OcrError, match="No files"):
                await ocr.batch([], tmp_path / "out")
            return both

    both = asyncio.run(asyncio.wait_for(main(), HANG_SECONDS))

    assert all(kinds[-1] == "batch" and "file_done" in kinds for kinds in both)


def test_all_who_follow_a_job_on_a_loop_come_to_its_end(material: Material, tmp_path: Path) -> None:
    async def follow(job: AsyncJob) -> None:
        async for _ in job:
            pass

    async def main() -> None:
        async with AsyncClient("tests", **settings(tmp_path)) as ocr:
            job = await ocr.batch([material.held], tmp_path / "out")
            first = asyncio.create_task(follow(job))
            await job.pause()
            again = await ocr.resume(job.job_id)
            assert again is not None
            Hold(tmp_path).let_go()
            await asyncio.gather(first, follow(again))

    asyncio.run(asyncio.wait_for(main(), HANG_SECONDS))


def test_a_start_that_nobody_waits_for_any_more_leaves_no_worker(tmp_path: Path) -> None:
    async def main() -> None:
        ocr = AsyncClient("tests", **settings(tmp_path))
        starting = asyncio.create_task(ocr.start())
        await asyncio.to_thread(tree.wait_until, lambda: ocr.worker_pid, "a worker")
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert ocr.worker_pid is None

    asyncio.run(asyncio.wait_for(main(), HANG_SECONDS))

    assert tree.alive(tmp_path / "state") == []


def test_any_command_that_is_sent_is_answered_by_its_event(
    client: Client, material: Material, tmp_path: Path
) -> None:
    fields = {"files": [str(material.quick)], "output_dir": str(tmp_path / "out")}

    answer = client.send("ocr_batch", **fields).result(HANG_SECONDS)

    assert answer["type"] == "info"
    assert answer["data"]["kind"] == "accepted"


def test_who_gives_up_waiting_on_a_loop_takes_the_result_from_nobody(
    material: Material, tmp_path: Path
) -> None:
    async def main() -> str:
        async with AsyncClient("tests", **settings(tmp_path)) as ocr:
            job = await ocr.batch([material.held], tmp_path / "out")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(job.result(), 0.01)
            Hold(tmp_path).let_go()
            return (await job.result())["status"]

    assert asyncio.run(asyncio.wait_for(main(), HANG_SECONDS)) == "completed"


def test_the_client_imports_the_standard_library_alone() -> None:
    command = [sys.executable, "-I", "-S", "-c", IMPORTS, str(REPOSITORY / "clients" / "python")]

    loaded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANG_SECONDS).stdout

    assert {name for name in loaded.split() if not name.startswith("_sysconfigdata")} == {"ocr_client"}
