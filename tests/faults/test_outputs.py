"""INPUTS.md, lines 51 to 60: the names and places of outputs, and what is there already. Through the real worker."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import unicodedata
from pathlib import Path

import pikepdf
import pytest

from ocr_worker.jobs.output_names import SUFFIXES
from tests.e2e.tree import wait_until
from tests.faults import documents
from tests.faults.documents import long_scan
from tests.faults.host import Event, Spawn, Worker, codes, nothing_is_left, running
from tests.faults.injection import failing
from tests.faults.privileges import need_permissions, obey_permissions
from tests.limits import HANG_SECONDS
from tests.long_rows import first


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
        codes(worker.batch([original], folder, on_existing=mode))
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
    nothing_is_left(out)


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
        subprocess.run(command, env=environment, capture_output=True, timeout=HANG_SECONDS, check=True)

    assert sorted(path.name for path in out.iterdir() if "manifest" not in path.name) == [
        "page.pdf", "page.txt", "page_ocr_results.json",
    ]  # fmt: skip


def test_a_pipe_at_the_target_is_refused(worker: Worker, page: Path, out: Path) -> None:
    out.mkdir()
    os.mkfifo(out / "page.pdf")
    (out / "page.txt").mkdir()

    data = worker.batch([page], out, on_existing="overwrite")
    aside = worker.batch([page], out, on_existing="suffix")

    assert codes(data) == {"page.png": "output_exists"}
    assert [Path(e["output"]).name for e in aside["successful"]] == ["page_1.pdf"]
    assert stat.S_ISFIFO((out / "page.pdf").stat().st_mode)
    nothing_is_left(out)


@pytest.mark.parametrize("mode", ["skip", "overwrite", "suffix"])
@pytest.mark.parametrize("kind", first(2, SUFFIXES))
def test_a_pipe_in_the_place_of_any_output_holds_nobody_up(
    kind: str, mode: str, worker: Worker, page: Path, out: Path
) -> None:
    out.mkdir()
    pipes = [out / f"{name}{SUFFIXES[kind]}" for name in ("page", "page_1")]
    for pipe in pipes:
        os.mkfifo(pipe)

    data = worker.batch([page], out, on_existing=mode, outputs=list(SUFFIXES))

    if mode == "overwrite":
        assert codes(data) == {"page.png": "output_exists"}
    else:
        assert [Path(e["output"]).name for e in data["successful"]] == ["page_2.pdf"]
    assert all(stat.S_ISFIFO(pipe.stat().st_mode) for pipe in pipes)


def test_a_symbolic_link_swapped_in_for_an_output_is_replaced_and_not_followed(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    job = worker.start_batch([long_scan(tmp_path)], out, on_existing="overwrite")
    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)

    for name in ("long.pdf", "long.txt", "long_ocr_results.json"):
        (out / name).symlink_to(victim)
    worker.hold.let_go()

    data = worker.ended(job)
    assert len(data["successful"]) == 1
    assert victim.read_text(encoding="utf-8") == "mine"
    assert not (out / "long.pdf").is_symlink()


def _two_of_one_name(tmp_path: Path, page: Path) -> list[Path]:
    files = [tmp_path / folder / "doc.png" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        shutil.copy(page, file)
    return files


def test_jobs_that_wait_for_one_folder_do_not_take_each_others_names(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    files = _two_of_one_name(tmp_path, page)

    jobs = [worker.start_batch([file], out) for file in files]
    ends = [worker.ended(job) for job in jobs]

    made = {end["successful"][0]["file"]: Path(end["successful"][0]["output"]).name for end in ends}
    assert made == {str(files[0]): "doc.pdf", str(files[1]): "doc_1.pdf"}


def test_a_request_behind_a_large_one_does_not_take_its_names(
    worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    files = _two_of_one_name(tmp_path, page)
    large = [str(files[0]), *(str(tmp_path / f"missing{n}.png") for n in range(4000))]
    options = {"stop_on_error_threshold": 1.0}

    worker.send("ocr_batch", id="large", files=large, output_dir=str(out), options=options)
    worker.send("ocr_batch", id="small", files=[str(files[1])], output_dir=str(out))
    ends = [_result(worker, name) for name in ("large", "small")]

    made = {end["successful"][0]["file"]: Path(end["successful"][0]["output"]).name for end in ends}
    assert made == {str(files[0]): "doc.pdf", str(files[1]): "doc_1.pdf"}


def test_the_same_batch_again_waits_for_itself_and_is_up_to_date(
    worker: Worker, page: Path, out: Path
) -> None:
    jobs = [worker.start_batch([page], out) for _ in range(2)]

    ends = [worker.ended(job) for job in jobs]

    assert [e["output"] for e in ends[0]["successful"]] == [str(out / "page.pdf")]
    assert [e["reason"] for e in ends[1]["skipped"]] == ["up_to_date"]


@pytest.mark.parametrize("mode", ["skip", "suffix"])
@pytest.mark.parametrize("kind", ["pdf", "json"])
def test_a_file_that_appears_in_an_outputs_place_in_mid_run_stays(
    kind: str, mode: str, worker: Worker, tmp_path: Path, out: Path
) -> None:
    job = worker.start_batch([long_scan(tmp_path)], out, on_existing=mode)
    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)
    mine = out / f"long{SUFFIXES[kind]}"

    mine.write_text("mine", encoding="utf-8")
    worker.hold.let_go()

    assert codes(worker.ended(job)) == {"long.pdf": "output_exists"}
    assert mine.read_text(encoding="utf-8") == "mine"
    nothing_is_left(out)
    assert [path.name for path in out.iterdir() if "manifest" not in path.name] == [mine.name]


def test_a_file_put_in_an_outputs_place_while_the_worker_was_dead_stays(tmp_path: Path, out: Path) -> None:
    with running(tmp_path / "home") as worker:
        job = worker.start_batch([long_scan(tmp_path)], out)
        worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 0)
        worker.process.kill()
        worker.exit_code()
        worker.hold.let_go()
    (out / "long.pdf").write_text("mine", encoding="utf-8")

    with running(tmp_path / "home") as worker:
        worker.send("resume", job_id=job)
        assert codes(worker.ended(job)) == {"long.pdf": "output_exists"}
        assert (out / "long.pdf").read_text(encoding="utf-8") == "mine"

        (out / "long.pdf").unlink()
        worker.send("retry_failed", job_id=job)
        assert [e["output"] for e in worker.ended(job)["successful"]] == [str(out / "long.pdf")]


@pytest.mark.parametrize("outputs", first(1, [["pdf", "txt", "json"], ["pdf", "txt"]]))
@pytest.mark.parametrize("mode", ["skip", "suffix"])
@pytest.mark.parametrize("move", first(1, [2, 1]))
def test_a_set_that_a_kill_cut_in_two_is_known_again_and_completed(
    move: int, mode: str, outputs: list[str], tmp_path: Path, page: Path, out: Path
) -> None:
    doomed = failing(f"linkat:signal=KILL:when={move}")
    with running(tmp_path / "home", doomed) as worker:
        job = worker.start_batch([page], out, on_existing=mode, outputs=outputs, retries=0)
        data = worker.ended(job)
        assert codes(data) == {"page.png": "crashed"}

    with running(tmp_path / "home") as worker:
        worker.send("retry_failed", job_id=job)
        data = worker.ended(job)

    assert [e["output"] for e in data["successful"]] == [str(out / "page.pdf")], data
    assert len([path for path in out.iterdir() if path.name.startswith("page")]) == len(outputs)
    nothing_is_left(out)


def test_what_is_kept_of_a_job_can_be_read_by_its_owner_alone(worker: Worker, page: Path, out: Path) -> None:
    worker.batch([page], out)

    assert stat.S_IMODE(worker.state.stat().st_mode) == 0o700
    database = worker.state / "jobs.sqlite3"
    wait_until(database.exists, "the store is there")
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def _result(worker: Worker, asked: str) -> Event:
    data: Event = worker.wait(lambda e: e.get("id") == asked and e["type"] == "result")["data"]
    return data
