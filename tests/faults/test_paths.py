"""INPUTS.md, lines 44 to 50, 63 and 64: languages, paths, names, inputs that change. Through the real worker."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path

import pytest

from tests.faults.documents import long_scan
from tests.faults.host import Spawn, Worker, codes, running
from tests.faults.privileges import CAP_MKNOD, need, need_permissions, obey_permissions


def test_a_language_that_is_not_installed_is_refused_before_any_work(
    worker: Worker, page: Path, out: Path
) -> None:
    worker.send("ocr_batch", id=44, files=[str(page)], output_dir=str(out), options={"languages": ["tlh"]})

    event = worker.wait(lambda e: e.get("id") == 44)

    assert event["type"] == "error"
    assert event.get("job_id") is None
    assert event["data"]["code"] == "language_missing"
    assert "tlh" in event["data"]["message"]
    assert "tlh.traineddata" in event["data"]["message"]
    assert not out.exists()


@pytest.mark.parametrize("language", ["eng+osd", "../x", "e ng", "", "/etc/passwd", "eng;id", "-l"])
def test_an_odd_language_is_invalid_params(language: str, worker: Worker, page: Path, out: Path) -> None:
    worker.send("ocr_batch", id=45, files=[str(page)], output_dir=str(out), options={"languages": [language]})

    event = worker.wait(lambda e: e.get("id") == 45)

    assert event["data"]["code"] == "invalid_params"
    assert "languages" in event["data"]["message"]


def test_what_is_no_file_is_not_regular_and_never_blocks(worker: Worker, tmp_path: Path, out: Path) -> None:
    (tmp_path / "folder.pdf").mkdir()
    os.mkfifo(tmp_path / "pipe.pdf")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.pdf"))

        data = worker.batch(
            [tmp_path / "folder.pdf", tmp_path / "pipe.pdf", tmp_path / "socket.pdf", "/dev/null"], out
        )

    assert codes(data) == dict.fromkeys(["folder.pdf", "pipe.pdf", "socket.pdf", "null"], "not_regular")


def test_a_disk_is_not_regular_be_there_a_drive_or_none(worker: Worker, tmp_path: Path, out: Path) -> None:
    need(CAP_MKNOD, "make a device")
    disks = [tmp_path / f"disk{minor}.pdf" for minor in (0, 250)]
    for disk, minor in zip(disks, (0, 250), strict=True):
        os.mknod(disk, stat.S_IFBLK | 0o600, os.makedev(7, minor))

    data = worker.batch(disks, out)

    assert codes(data) == dict.fromkeys(["disk0.pdf", "disk250.pdf"], "not_regular")


def test_links_that_lead_nowhere_are_not_found(worker: Worker, tmp_path: Path, out: Path) -> None:
    (tmp_path / "loop.pdf").symlink_to(tmp_path / "loop.pdf")
    (tmp_path / "broken.pdf").symlink_to(tmp_path / "gone.pdf")

    data = worker.batch([tmp_path / "loop.pdf", tmp_path / "broken.pdf", tmp_path / "no" / "folder.pdf"], out)

    assert codes(data) == dict.fromkeys(["loop.pdf", "broken.pdf", "folder.pdf"], "not_found")


def test_a_file_that_may_not_be_read_is_permission(tmp_path: Path, page: Path, out: Path) -> None:
    need_permissions()
    page.chmod(0)

    with running(tmp_path / "home", Spawn(before_exec=obey_permissions)) as worker:
        data = worker.batch([page], out)

    assert codes(data) == {"page.png": "permission"}


def test_awkward_names_are_processed(worker: Worker, tmp_path: Path, page: Path, out: Path) -> None:
    names = [
        "-rf.png", "--output=x.png", "http:_x.png", "two\nlines.png", "quo'te\".png", "a%d{0}$HOME;`id`.png", " .png",
        "tab\t.png", "*?.png", "\u202egnp.png", "\u2028.png", "back\\slash.png", "&amp;<b>.png",
    ]  # fmt: skip
    (tmp_path / "http:").mkdir()
    files = [str(shutil.copy(page, tmp_path / name)) for name in names]
    files.append(f"{tmp_path}/http://{Path(shutil.copy(page, tmp_path / 'http:' / 'x.png')).name}")

    data = worker.batch(files, out, outputs=["pdf", "txt", "json", "hocr", "alto"])

    assert sorted(e["file"] for e in data["successful"]) == sorted(files), data["failed"]
    for entry in data["successful"]:
        assert "Harvest moon" in Path(entry["outputs"]["txt"]).read_text(encoding="utf-8")
        assert Path(entry["output"]).parent == out


def test_a_name_that_is_not_utf8_is_processed(worker: Worker, tmp_path: Path, page: Path, out: Path) -> None:
    file = Path(shutil.copy(page, tmp_path / os.fsdecode(b"caf\xe9.png")))

    data = worker.batch([file], out)

    (entry,) = data["successful"]
    assert entry["file"] == file.as_uri()
    assert entry["output"].endswith("caf%E9.pdf")
    assert os.fsdecode(b"caf\xe9.pdf") in {path.name for path in out.iterdir()}


def test_a_path_that_no_file_can_have_is_bad_name_and_costs_that_file_alone(
    worker: Worker, page: Path, out: Path
) -> None:
    bad = ["", "a\0b.png", "file:///a%00b.png"]

    data = worker.batch([bad[0], page, *bad[1:]], out)

    assert {e["file"]: e["code"] for e in data["failed"]} == dict.fromkeys(bad, "bad_name")
    assert [e["file"] for e in data["successful"]] == [str(page)]


def test_a_message_names_a_file_once_whatever_its_name(worker: Worker, tmp_path: Path, out: Path) -> None:
    missing = tmp_path / os.fsdecode(b"nope\xff.png")

    (entry,) = worker.batch([missing], out)["failed"]
    answer = worker.ask("inspect", file=missing.as_uri())

    for message in (entry["error"], answer["data"]["message"]):
        assert message.startswith("nope\ufffd.png does not exist"), message


def test_an_input_that_changes_while_it_is_read_is_changed(worker: Worker, tmp_path: Path, out: Path) -> None:
    file = long_scan(tmp_path)
    job = worker.start_batch([file], out)

    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)
    with file.open("ab") as stream:
        stream.write(b"\n% more")
    worker.hold.let_go()

    data = worker.ended(job)
    assert codes(data) == {"long.pdf": "changed"}
    assert data["failed"][0]["retryable"] is True
    assert not list(out.glob("long*"))


def test_an_input_deleted_in_mid_run_is_not_found(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    file = long_scan(tmp_path)
    job = worker.start_batch([file, page], out)

    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)
    file.unlink()
    worker.hold.let_go()

    data = worker.ended(job)
    assert codes(data) == {"long.pdf": "not_found"}
    assert [e["file"] for e in data["successful"]] == [str(page)]
