"""What docs/security.md promises: secrets, names that would be commands, paths that would escape, permissions, entities."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import xml.dom.minidom
from functools import partial
from pathlib import Path

import pikepdf
import pytest

from ocr_worker.engines.ocr.registry import installed_engines
from ocr_worker.engines.ocr.tessdata import find_tessdata
from tests.engines.ocr import language_data
from tests.faults import documents, pictures
from tests.faults.documents import long_scan
from tests.faults.host import Spawn, Worker, codes, descendants, nothing_is_left, running
from tests.faults.injection import tracing

if sys.platform != "win32":
    import resource

SECRET, WRONG = "Tr0ub4dor-und-3", "Falsch-und-lang-7"
PROGRAMS = {"python", "tesseract", "pdftoppm", "pdfinfo"}


def test_a_password_stands_in_no_command_line_file_event_or_log(
    tmp_path: Path, page: Path, out: Path
) -> None:
    right, wrong, torn = (tmp_path / name for name in ("right.pdf", "wrong.pdf", "torn.pdf"))
    for file in (right, wrong):
        file.write_bytes(documents.encrypted(SECRET))
    torn.write_bytes(_torn())
    words = {str(right): SECRET, str(wrong): WRONG, str(torn): SECRET}
    trace = tmp_path / "trace"
    with running(tmp_path / "home", tracing("execve", trace)) as worker:
        for engine in [engine["name"] for engine in worker.ask("hello")["data"]["engines"]]:
            data = worker.batch([right, wrong, torn], out / engine, passwords=words, engine=engine)
            assert str(right) in {entry["file"] for entry in data["successful"]}
            assert {e["code"] for e in data["failed"] if e["file"] == str(wrong)} == {"bad_password"}
        worker.ask("inspect", file=str(right), password=SECRET)
        worker.ask("inspect", file=str(wrong), password=WRONG)
        said = str(worker.events)

    assert "execve" in trace.read_text(encoding="utf-8", errors="replace")
    for secret in (SECRET, WRONG):
        assert secret not in said
        assert [
            path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
        ] == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, which Linux has")
def test_no_process_leaves_a_core_that_would_hold_passwords(tmp_path: Path, page: Path, out: Path) -> None:
    with running(tmp_path / "home", Spawn(before_exec=_allow_cores)) as worker:
        worker.batch([page], out)

        pids = [worker.process.pid, *(process.pid for process in descendants(worker.process.pid))]
        limits = [Path(f"/proc/{pid}/limits").read_text(encoding="ascii") for pid in pids]

    assert len(limits) > 2
    for limit in limits:
        assert re.search(r"^Max core file size +0 +0 ", limit, re.MULTILINE)


def test_names_and_languages_reach_no_shell(tmp_path: Path, page: Path, out: Path) -> None:
    trace = tmp_path / "trace"
    traced = tracing("execve", trace)
    names = [
        "$(touch pwned).png",
        "`touch pwned`.png",
        ";touch pwned;.png",
        "|touch pwned.png",
        "-o pwned.png",
        "a b'\".png",
    ]
    files = [shutil.copy(page, tmp_path / name) for name in names]
    with running(tmp_path / "home", traced) as worker:
        for engine in [engine["name"] for engine in worker.ask("hello")["data"]["engines"]]:
            assert len(worker.batch(files, out / engine, engine=engine)["successful"]) == len(files)

    started = re.findall(
        r'execve\("([^"]+)".*= 0$', trace.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
    )
    assert {re.sub(r"[\d.]+$", "", Path(program).name) for program in started} <= PROGRAMS
    assert not [path for path in (tmp_path, Path.cwd()) if (path / "pwned").exists()]


def test_what_is_kept_is_closed_to_others_whatever_the_umask(tmp_path: Path, page: Path, out: Path) -> None:
    state = tmp_path / "home" / "state"
    (state / "jobs").mkdir(parents=True)
    (state / "jobs.sqlite3").touch()
    for place, mode in ((state, 0o755), (state / "jobs", 0o777), (state / "jobs.sqlite3", 0o666)):
        place.chmod(mode)

    with running(tmp_path / "home", Spawn(before_exec=partial(_set_umask, 0))) as worker:
        job = worker.start_batch([page, long_scan(tmp_path)], out)
        worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 1)
        open_to_others = _open_to_others(state) + _open_to_others(worker.temp)
        kept = {path.relative_to(state / "jobs") for path in (state / "jobs").rglob("*")}
        worker.hold.let_go()
        worker.ended(job)

        assert open_to_others == []
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert {Path(job), Path(f"{job}.lock"), Path(job, "2")} <= kept
        assert _open_to_others(state) == []


def test_a_state_folder_that_holds_what_is_not_ours_keeps_its_permissions(
    tmp_path: Path, page: Path, out: Path
) -> None:
    state = tmp_path / "home" / "state"
    state.mkdir(parents=True)
    state.chmod(0o1777)
    (state / "others").touch(mode=0o644)

    with running(tmp_path / "home") as worker:
        worker.batch([page], out)

        assert stat.S_IMODE(state.stat().st_mode) == 0o1777
        assert {path.name for path in state.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077} == {
            "others"
        }


def test_outputs_get_the_permissions_that_the_user_gives_new_files(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home", Spawn(before_exec=partial(_set_umask, 0o027))) as worker:
        (entry,) = worker.batch([page], out)["successful"]

    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in entry["outputs"].values()} == {0o640}


@pytest.mark.parametrize("command", ["delete_job", "get_job", "resume", "retry_failed", "cancel"])
@pytest.mark.parametrize("job_id", ["..", "../../victim", "/tmp", "", "x\0y", "%2e%2e"])
def test_a_job_id_is_no_path(command: str, job_id: str, worker: Worker) -> None:
    # Files: a folder of a job that the store does not know is cleared up.
    victim, kept = worker.state / "victim", worker.state / "jobs" / "kept"
    for file in (victim, kept):
        file.parent.mkdir(exist_ok=True, parents=True)
        file.touch()

    answer = worker.ask(command, job_id=job_id)

    assert answer["data"]["code"] in {"job_not_found", "invalid_params"}
    assert victim.exists()
    assert kept.exists()


@pytest.mark.parametrize("mode", ["skip", "overwrite"])
def test_an_output_folder_that_is_swapped_for_a_link_in_mid_run_costs_nobody_a_file(
    mode: str, worker: Worker, tmp_path: Path, out: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "long.pdf").write_text("mine", encoding="utf-8")
    job = worker.start_batch([long_scan(tmp_path)], out, on_existing=mode)
    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 1)

    out.rename(tmp_path / "moved")
    out.symlink_to(elsewhere)
    worker.hold.let_go()

    assert codes(worker.ended(job)) == {"long.pdf": "output_permission"}
    assert (elsewhere / "long.pdf").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in elsewhere.iterdir()] == ["long.pdf"]
    nothing_is_left(tmp_path)


def test_links_swapped_in_for_outputs_in_mid_run_are_not_followed_and_stay(
    worker: Worker, tmp_path: Path, out: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    job = worker.start_batch([long_scan(tmp_path)], out)
    worker.wait(lambda e: e["type"] == "progress" and e["data"]["current"] > 1)

    (out / "long.pdf").symlink_to(victim)
    worker.hold.let_go()

    assert codes(worker.ended(job)) == {"long.pdf": "output_exists"}
    assert victim.read_text(encoding="utf-8") == "mine"
    assert (out / "long.pdf").readlink() == victim
    assert sorted(path.name for path in out.glob("long*")) == ["long.pdf"]


def test_names_and_texts_are_no_markup_in_the_outputs(worker: Worker, tmp_path: Path, out: Path) -> None:
    file = tmp_path / "a&amp;<script>\"']]>\x01.png"
    file.write_bytes(pictures.saved(pictures.sheet("<b>bold & more</b>"), "PNG", dpi=(200, 200)))

    (entry,) = worker.batch([file], out, outputs=["hocr", "alto", "json"])["successful"]

    for kind in ("hocr", "alto"):
        text = Path(entry["outputs"][kind]).read_text(encoding="utf-8")
        parsed = xml.dom.minidom.parseString(text)
        assert not parsed.getElementsByTagName("script")
        assert not parsed.getElementsByTagName("b")


def test_entities_in_a_form_or_in_metadata_are_not_followed(
    worker: Worker, tmp_path: Path, out: Path
) -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY f SYSTEM "file:///etc/passwd">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(9)
    ) + b"]><x>&j;&f;</x>"  # fmt: skip
    pdf = documents.scan()
    pdf.Root.Metadata = pikepdf.Stream(pdf, laughs)
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([]), XFA=pdf.make_stream(laughs))
    file = tmp_path / "laughs.pdf"
    file.write_bytes(documents.whole(pdf))

    data = worker.batch([file], out)

    # Followed, they would take all time and all memory.
    assert data["statistics"]["worker_restarts"] == 0
    made = b"".join(path.read_bytes() for path in out.iterdir())
    assert b"root:" not in made
    assert len(made) < 1_000_000


def _allow_cores() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def _set_umask(mask: int) -> None:
    os.umask(mask)


def _open_to_others(folder: Path) -> list[str]:
    """What in a folder others may do anything with, even where a folder around it is closed."""
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    return [f"{path.relative_to(folder)} {mode:o}" for path, mode in modes.items() if mode & 0o077]


def _torn() -> bytes:
    """Locked, and with a page whose picture is cut short, so that every renderer has a go at it."""
    pdf = documents.scan("One", "Two")
    picture = next(iter(pdf.pages[1].Resources.XObject.values()))
    picture.write(picture.read_raw_bytes()[:2500], filter=pikepdf.Name.DCTDecode)
    return documents.whole(pdf, encryption=pikepdf.Encryption(owner="owner", user=SECRET))


@pytest.mark.parametrize("engine", sorted({*installed_engines()} - {"ppocr"}))
def test_language_data_that_empties_a_file_fails_the_file_and_empties_none(
    engine: str, worker: Worker, tmp_path: Path, page: Path, out: Path
) -> None:
    victim, english = tmp_path / "victim", find_tessdata(["eng"])["eng"]
    victim.write_text("whole", encoding="ascii")
    for code, setting in (("bad", f"debug_file {victim}"), ("good", "preserve_interword_spaces 1")):
        (tmp_path / f"{code}.traineddata").write_bytes(language_data.with_settings(english, setting))

    bad, good = (
        worker.batch([page], out / code, engine=engine, languages=[code], tessdata_dir=str(tmp_path))
        for code in ("bad", "good")
    )

    assert [(e["code"], "debug_file" in e["error"]) for e in bad["failed"]] == [("language_missing", True)]
    assert good["failed"] == []
    assert victim.read_text(encoding="ascii") == "whole"
