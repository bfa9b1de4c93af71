"""A page that hangs, crashes or kills its process costs that page; processes come and go without anyone noticing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e import tree
from tests.e2e.host import Host, Launch, StartWorker
from tests.e2e.material import Material

CENSUS = """
import os, pathlib, sys
if "page-process" in sys.orig_argv:
    pathlib.Path(os.environ["CENSUS"], str(os.getpid())).touch()
"""

FAILING_LOAD = """
import sys
class Hook:
    def find_spec(self, name, path=None, target=None):
        if name in ("ocr_worker.engines.ocr.lines.engine", "ocr_worker.engines.ocr.tesserocr_engine"):
            sys.meta_path.remove(self)
            raise MemoryError("short of memory while loading")
if "page-process" in sys.orig_argv:
    sys.meta_path.insert(0, Hook())
"""
FALSE_TICKETS = """
import json, sys
if "page-process" in sys.orig_argv:
    for line in sys.stdin:
        print(json.dumps({"ticket": json.loads(line)["ticket"] + 1000, "kind": "Drawn", "words": 0}), flush=True)
    sys.exit()
"""


def start_with(hook: str, start_worker: StartWorker, folder: Path) -> Host:
    """A worker with one page process, in which the hook runs before all else."""
    (folder / "hook").mkdir()
    (folder / "hook" / "sitecustomize.py").write_text(hook, encoding="utf-8")
    environment = {"OCR_WORKER_PAGE_PROCESSES": "1", "PYTHONPATH": str(folder / "hook")}
    return start_worker(Launch(environment))


@pytest.fixture
def single(start_worker: StartWorker) -> Host:
    """A worker with one page process."""
    return start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1"}))


def failed_pages(ended: dict[str, Any]) -> list[tuple[int, str]]:
    (file,) = ended["successful"]
    assert file["status"] == "completed_with_errors"
    return [(page["page"], page["code"]) for page in file["failed_pages"]]


def texts(folder: Path) -> list[str]:
    """What stands on each page, in the text output."""
    (text,) = folder.glob("*.txt")
    return [page.strip() for page in text.read_text(encoding="utf-8").split("\f")]


def test_a_page_that_hangs_times_out_alone(single: Host, material: Material, tmp_path: Path) -> None:
    scan = material.pdf(tmp_path / "scan.pdf", "qhq")
    job = single.batch([scan], tmp_path / "out", page_timeout_seconds=10)
    single.wait_in_work(job, 1, page=2)

    tree.stop(tree.page_processes(single.state))
    ended = single.wait_end(job)

    assert ended["status"] == "completed"
    assert failed_pages(ended) == [(2, "timeout")]
    assert "page 2" in ended["successful"][0]["failed_pages"][0]["error"]
    first, second, third, *_ = texts(tmp_path / "out")
    assert first
    assert third
    assert not second


def test_a_file_of_which_no_page_is_finished_in_time_keeps_the_pages_it_has(
    single: Host, material: Material, tmp_path: Path
) -> None:
    scan = material.pdf(tmp_path / "scan.pdf", "qhq")
    # So that the start of the page process is not in the file's time.
    single.wait_end(single.batch([material.quick], tmp_path / "before"))

    job = single.batch([scan], tmp_path / "out", file_timeout_seconds=15)
    single.wait_in_work(job, 1, page=2)
    tree.stop(tree.page_processes(single.state))

    assert failed_pages(single.wait_end(job)) == [(2, "timeout"), (3, "timeout")]
    assert texts(tmp_path / "out")[0]
    # Its time was up in page 2; page 3 was given none.
    assert [page.page for page in single.store.pages(job, 1)] == [1, 2]


def test_a_page_whose_process_is_killed_is_tried_again(
    single: Host, material: Material, tmp_path: Path
) -> None:
    job = single.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out")
    single.hold.wait().kill()
    single.hold.let_go()
    ended = single.wait_end(job)

    assert [file["status"] for file in ended["successful"]] == ["completed"]
    assert (ended["statistics"]["retries"], ended["statistics"]["worker_restarts"]) == (1, 1)
    assert all(texts(tmp_path / "out")[:3])


def test_a_page_that_crashes_on_every_try_fails_alone(
    single: Host, material: Material, tmp_path: Path
) -> None:
    job = single.batch([material.pdf(tmp_path / "scan.pdf", "qhq")], tmp_path / "out", retries=1)
    single.hold.wait().kill()
    single.hold.wait(2).kill()

    ended = single.wait_end(job)

    assert failed_pages(ended) == [(2, "crashed")]
    assert ended["statistics"]["retries"] == 1


def test_a_file_that_crashes_its_process_on_every_try_fails_and_the_others_are_done(
    single: Host, material: Material, tmp_path: Path
) -> None:
    job = single.batch([material.held, material.quick], tmp_path / "out", retries=0)

    single.hold.wait().kill()
    ended = single.wait_end(job)

    assert [(file["code"], file["retryable"]) for file in ended["failed"]] == [("crashed", True)]
    assert material.held.name in ended["failed"][0]["error"]
    assert [file["file"] for file in ended["successful"]] == [str(material.quick)]


def test_an_engine_for_which_there_is_no_memory_beside_a_page_is_loaded_alone(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_with(FAILING_LOAD, start_worker, tmp_path)
    pages = {"a.pdf": "qqq", "b.pdf": "q", "c.pdf": "qq"}
    files = [material.pdf(tmp_path / "in" / name, kinds) for name, kinds in pages.items()]

    ended = host.wait_end(host.batch(files, tmp_path / "out"))

    found = {Path(file["file"]).name: (file["status"], file["pages"]) for file in ended["successful"]}
    assert found == {name: ("completed", len(kinds)) for name, kinds in pages.items()}
    assert (ended["failed"], ended["statistics"]["worker_restarts"]) == ([], 0)


def test_an_answer_to_what_was_not_asked_is_a_crash(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_with(FALSE_TICKETS, start_worker, tmp_path)

    ended = host.wait_end(host.batch([material.quick], tmp_path / "out", retries=0))

    assert [file["code"] for file in ended["failed"]] == ["crashed"]


@pytest.mark.parametrize(
    ("limit", "files"), [({"OCR_WORKER_RECYCLE_PAGES": "2"}, 6), ({"OCR_WORKER_RECYCLE_MIB": "1"}, 1)]
)
def test_page_processes_are_replaced_by_pages_and_by_memory_unseen_by_the_host(
    start_worker: StartWorker, material: Material, tmp_path: Path, limit: dict[str, str], files: int
) -> None:
    for name in ("hook", "census"):
        (tmp_path / name).mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(CENSUS, encoding="utf-8")
    hook = {"PYTHONPATH": str(tmp_path / "hook"), "CENSUS": str(tmp_path / "census")}
    host = start_worker(Launch({"OCR_WORKER_PAGE_PROCESSES": "1", **hook, **limit}))

    job = host.batch(material.quick_files(tmp_path / "in", files), tmp_path / "out", outputs=["txt"])
    ended = host.wait_end(job)

    assert len(ended["successful"]) == files
    assert (ended["statistics"]["retries"], ended["statistics"]["worker_restarts"]) == (0, 0)
    # One of them inspects. With the smallest memory each task, three of them a file, has a process of its own.
    assert len(list((tmp_path / "census").iterdir())) >= 1 + 3


def test_idle_page_processes_retire_and_come_back_for_the_next_batch(
    start_worker: StartWorker, material: Material, tmp_path: Path
) -> None:
    host = start_worker(Launch({"OCR_WORKER_IDLE_SECONDS": "1"}))
    host.wait_end(host.batch([material.quick], tmp_path / "out"))

    tree.wait_until(
        lambda: not tree.page_processes(host.state) + tree.inspectors(host.state), "all of them have retired"
    )
    following = host.batch(material.quick_files(tmp_path / "in", 2), tmp_path / "out2")

    assert host.wait_end(following)["status"] == "completed"
