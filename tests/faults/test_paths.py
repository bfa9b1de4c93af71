"""INPUTS.md, lines 44 to 64: languages, paths, names, existing outputs, inputs that change. Through the real worker."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import pikepdf
import pytest

from tests.faults import documents, pictures
from tests.faults.host import Event, Spawn, Worker, left_behind, running, wait_until
from tests.faults.privileges import need_permissions, obey_permissions


def test_a_language_that_is_not_installed_is_refused_before_any_work(
    worker: Worker, page: Path, out: Path
) -> None:
    worker.send("ocr_batch", id=44, files=[str(page)], output_dir=str(out), options={"languages": ["tlh"]})

    event = worker.wait(lambda e: e.get("id") == 44)

    assert event["type"] == "error"
    assert event.get("job_id") is None
    assert event["data"]["code"] == "language_missing"
    assert "tlh" in event["data"]["message"]
    assert "nstall" in event["data"]["message"]
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

    assert _codes(data) == dict.fromkeys(["folder.pdf", "pipe.pdf", "socket.pdf", "null"], "not_regular")


def test_links_that_lead_nowhere_are_not_found(worker: Worker, tmp_path: Path, out: Path) -> None:
    (tmp_path / "loop.pdf").symlink_to(tmp_path / "loop.pdf")
    (tmp_path / "broken.pdf").symlink_to(tmp_path / "gone.pdf")

    data = worker.batch([tmp_path / "loop.pdf", tmp_path / "broken.pdf", tmp_path / "no" / "folder.pdf"], out)

    assert _codes(data) == dict.fromkeys(["loop.pdf", "broken.pdf", "folder.pdf"], "not_found")


def test_a_file_that_may_not_be_read_is_permission(tmp_path: Path, page: Path, out: Path) -> None:
    need_permissions()
    page.chmod(0)

    with running(tmp_path / "home", Spawn(before_exec=obey_permissions)) as worker:
        data = worker.batch([page], out)

    assert _codes(data) == {"page.png": "permission"}


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


def test_names_that_look_alike_do_not_collide(worker: Worker, tmp_path: Path, page: Path, out: Path) -> None:
    names = [
        unicodedata.normalize("NFC", "é.png"),
        unicodedata.normalize("NFD", "é.png"),
        "Scan.png",
        "sCAN.png",
    ]
    files = [shutil.copy(page, tmp_path / name) for name in names]

    data = worker.batch(files, out)

    alike = {unicodedata.normalize("NFC", Path(e["output"]).name).casefold() for e in data["successful"]}
    assert len(alike) == len(names)


def test_names_that_other_systems_refuse_are_made_safe(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    long = "ü" * 125 + "x.png"
    assert len(long.encode()) == 255
    files = [shutil.copy(page, tmp_path / name) for name in (long, "CON.png", "nul.tar.png", "dots. ..png")]

    data = worker.batch(files, out)

    stems = [Path(e["output"]).stem for e in data["successful"]]
    assert len(stems) == 4, data["failed"]
    assert not {"con", "nul"} & {stem.split(".")[0].casefold() for stem in stems}
    assert not any(stem.endswith((".", " ")) for stem in stems)
    assert any(stem.startswith("üüü") and len(stem) < 125 for stem in stems)


def test_outputs_stay_inside_the_output_folder(worker: Worker, tmp_path: Path, page: Path, out: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    files = [
        inner / ".." / "b" / Path(shutil.copy(page, inner / name)).name
        for name in ("...png", "..a.png", ".hidden.png")
    ]

    data = worker.batch([*files, inner / ".."], out)

    assert len(data["successful"]) == 3, data
    assert {Path(e["output"]).resolve().parent for e in data["successful"]} == {out}
    assert sorted(path.name for path in inner.iterdir()) == ["...png", "..a.png", ".hidden.png"]


def test_an_output_folder_that_can_not_be_written_is_refused_before_any_work(
    tmp_path: Path, page: Path
) -> None:
    need_permissions()
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)

    with running(tmp_path / "home", Spawn(before_exec=obey_permissions)) as worker:
        answers = [
            worker.ask("ocr_batch", files=[str(page)], output_dir=str(folder))
            for folder in (locked, locked / "new", page, page / "below", Path("/proc/no"))
        ]
        data = worker.batch([page], tmp_path / "new" / "deep")

    assert {a["data"].get("code") for a in answers} == {"output_permission"}
    assert not any(a.get("job_id") for a in answers)
    assert len(data["successful"]) == 1


def test_an_output_that_is_the_input_is_refused(worker: Worker, tmp_path: Path) -> None:
    same, hard, soft = (tmp_path / name for name in ("same", "hard", "soft"))
    for folder in (same, hard, soft):
        folder.mkdir()
    original = same / "doc.pdf"
    original.write_bytes(documents.whole(documents.scan()))
    before = original.read_bytes()
    os.link(original, hard / "doc.pdf")
    (soft / "doc.pdf").symlink_to(original)

    verdicts = [
        _codes(worker.batch([original], folder, on_existing=mode))
        for folder in (same, hard, soft)
        for mode in ("overwrite", "skip")
    ]
    aside = worker.batch([original], same, on_existing="suffix")

    assert verdicts == [{"doc.pdf": "output_conflict"}] * 6
    assert [Path(e["output"]).name for e in aside["successful"]] == ["doc_1.pdf"]
    assert original.read_bytes() == before


def test_equal_stems_get_distinct_outputs_the_same_on_every_run(
    worker: Worker, tmp_path: Path, page: Path
) -> None:
    document = documents.whole(documents.scan())
    files = [tmp_path / name for name in ("x/a.png", "x/a.pdf", "x/scan.pdf", "y/scan.pdf", "y/a.PNG")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(document if file.suffix == ".pdf" else page.read_bytes())

    runs = [
        {e["file"]: Path(e["output"]).name for e in worker.batch(files, tmp_path / f"out{run}")["successful"]}
        for run in (1, 2)
    ]

    assert runs[0] == runs[1]
    assert sorted(runs[0].values()) == ["a.pdf", "a_1.pdf", "a_2.pdf", "scan.pdf", "scan_1.pdf"]


def test_the_same_file_twice_is_processed_once(worker: Worker, tmp_path: Path, page: Path, out: Path) -> None:
    (tmp_path / "link.png").symlink_to(page)

    data = worker.batch([page, page, tmp_path / "link.png"], out)

    assert data["total_files"] == 2
    assert [e["file"] for e in data["successful"]] == [str(page)]
    assert [(e["file"], e["reason"]) for e in data["skipped"]] == [(str(tmp_path / "link.png"), "duplicate")]


def test_existing_outputs_are_kept_replaced_or_stepped_aside_from(
    worker: Worker, page: Path, out: Path
) -> None:
    first = Path(worker.batch([page], out)["successful"][0]["output"])
    made = first.stat().st_ino

    kept = worker.batch([page], out, on_existing="skip")
    assert [e["reason"] for e in kept["skipped"]] == ["up_to_date"]
    assert first.stat().st_ino == made

    aside = worker.batch([page], out, on_existing="suffix")
    assert Path(aside["successful"][0]["output"]).name == "page_1.pdf"
    assert first.stat().st_ino == made

    first.write_bytes(first.read_bytes()[:-200])
    redone = worker.batch([page], out, on_existing="skip")
    assert [e["output"] for e in redone["successful"]] == [str(first)]
    pikepdf.open(first).close()

    made = first.stat().st_ino
    worker.batch([page], out, on_existing="overwrite")
    assert first.stat().st_ino != made
    assert left_behind(out) == []


def test_outputs_inside_the_input_folder_are_not_taken_for_inputs(tmp_path: Path, page: Path) -> None:
    out = page.parent / "out"
    command = [
        sys.executable,
        "-m",
        "ocr_worker",
        "batch",
        "--input-dir",
        str(page.parent),
        "--output-dir",
        str(out),
    ]
    environment = os.environ | {"OCR_WORKER_STATE_DIR": str(tmp_path / "state")}

    for _ in range(2):
        subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)

    assert sorted(path.name for path in out.iterdir() if "manifest" not in path.name) == [
        "page.pdf", "page.txt", "page_ocr_results.json",
    ]  # fmt: skip


def test_a_pipe_at_the_target_is_refused(worker: Worker, page: Path, out: Path) -> None:
    out.mkdir()
    os.mkfifo(out / "page.pdf")
    (out / "page.txt").mkdir()

    data = worker.batch([page], out, on_existing="overwrite")

    assert _codes(data) == {"page.png": "output_conflict"}
    assert stat.S_ISFIFO((out / "page.pdf").stat().st_mode)
    assert left_behind(out) == []


def test_an_input_that_changes_while_it_is_read_is_changed(worker: Worker, tmp_path: Path, out: Path) -> None:
    file = _long_scan(tmp_path)
    job = worker.start_batch([file], out)

    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)
    with file.open("ab") as stream:
        stream.write(b"\n% more")

    data = worker.ended(job)
    assert _codes(data) == {"long.pdf": "changed"}
    assert data["failed"][0]["retryable"] is True
    assert not list(out.glob("long*"))


def test_an_input_deleted_in_mid_run_is_not_found(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    file = _long_scan(tmp_path)
    job = worker.start_batch([file, page], out)

    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)
    file.unlink()

    data = worker.ended(job)
    assert _codes(data) == {"long.pdf": "not_found"}
    assert [e["file"] for e in data["successful"]] == [str(page)]


def test_a_symbolic_link_swapped_in_for_an_output_is_replaced_and_not_followed(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    job = worker.start_batch([_long_scan(tmp_path)], out, on_existing="overwrite")
    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)

    for name in ("long.pdf", "long.txt", "long_ocr_results.json"):
        (out / name).symlink_to(victim)

    data = worker.ended(job)
    assert len(data["successful"]) == 1
    assert victim.read_text(encoding="utf-8") == "mine"
    assert not (out / "long.pdf").is_symlink()


def test_what_is_kept_of_a_job_can_be_read_by_its_owner_alone(worker: Worker, page: Path, out: Path) -> None:
    worker.batch([page], out)

    assert stat.S_IMODE(worker.state.stat().st_mode) == 0o700
    database = worker.state / "jobs.sqlite3"
    wait_until(database.exists)
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def _long_scan(folder: Path) -> Path:
    file = folder / "long.pdf"
    pdf = documents.scan()
    for number in range(12):
        documents.add_scan(pdf, pictures.sheet(f"Page {number}", size=(1200, 1200)))
    file.write_bytes(documents.whole(pdf))
    return file


def _codes(data: Event) -> dict[str, str]:
    return {Path(entry["file"]).name: entry["code"] for entry in json.loads(json.dumps(data["failed"]))}
