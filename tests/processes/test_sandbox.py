"""What a page process can't do, tried from inside of a real one; what it must be able to do is tried as well."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from ocr_worker.processes import landlock, sandbox, seccomp
from tests.processes.inside import CALLS, DONE, Places, attempts_inside

NEEDED = {
    "read", "write an output", "link an output", "write a result", "write temporary files", "run a thread",
    "signal to itself", "read in a thread",
}  # fmt: skip
REFUSED_BY_CALL = {
    *CALLS, "socket", "unix socket", "netlink socket", "socket pair", "socket by another number",
    "signal to the worker", "empty", "change the mode", "change the owner", "change the time", "shell",
    "socket in a thread", "a program in memory", "slow the worker down", "slow all of the user's down",
    "keep a processor", "move the worker", "have a signal sent to the worker", "hold up who opens a file",
    "change the attributes", "freeze a file system", "type into a terminal", "be another user",
    "make a file that runs as us", "make a file that runs as our group", "make one without a name", "outlive the worker",
}  # fmt: skip
PROGRAMS = {"exec", "spawn", "exec in a thread"}
REFUSED_BY_PLACE = {
    "memory of the worker",
    "environment of the worker",
    "files of the worker",
    "command line of the first process",
    "the kernel's own files",
    "devices",
    "terminal",
    "write elsewhere",
    "write over",
    "remove",
    "make a folder",
    "link",
    "move away",
    "move there",
    "write into own code",
    "write elsewhere in a thread",
    "own memory",
    "own place among the dying",
    "over the root of a process",
    "over a link in the output folder",
    "into a linked folder",
    "over a link among temporary files",
    "write through a descriptor to read",
    "exchange",
}
NOT_KNOWN = {"make one in the newer way", "clone in the newer way"}
NO_SECOND_NAME = {"hard link", "hard link among temporary files"}  # fmt: skip

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is made on Linux alone"),
]
needs_seccomp = pytest.mark.skipif(
    sys.platform != "linux" or not seccomp.is_available(), reason="this kernel has no filter of system calls"
)
needs_landlock = pytest.mark.skipif(
    sys.platform != "linux" or landlock.version() < 3, reason="this kernel has no Landlock 3"
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "output", tmp_path / "results", tmp_path / "foreign")
    for folder in (places.output, places.results, places.foreign, tmp_path / "temp"):
        folder.mkdir()
    (places.foreign / "file").write_text("whole", encoding="ascii")
    return places


@needs_seccomp
@needs_landlock
def test_a_page_process_starts_no_program_talks_to_nobody_and_writes_where_outputs_go_alone(
    places: Places, tmp_path: Path
) -> None:
    came = attempts_inside(places, tmp_path / "temp")

    assert {name: came[name] for name in NEEDED} == dict.fromkeys(NEEDED, DONE)
    assert {name: came[name] for name in REFUSED_BY_CALL} == dict.fromkeys(REFUSED_BY_CALL, "EPERM")
    assert {name: came[name] for name in REFUSED_BY_PLACE} == dict.fromkeys(REFUSED_BY_PLACE, "EACCES")
    assert {name: came[name] for name in PROGRAMS | {"fork"}} == dict.fromkeys(PROGRAMS | {"fork"}, "EPERM")
    assert came["command"] == "CommandNeededError"
    assert {name: came[name] for name in NO_SECOND_NAME} == dict.fromkeys(NO_SECOND_NAME, "EXDEV")
    assert {name: came[name] for name in NOT_KNOWN} == dict.fromkeys(NOT_KNOWN, "ENOSYS")
    asked = NEEDED | REFUSED_BY_CALL | REFUSED_BY_PLACE | PROGRAMS | NOT_KNOWN | NO_SECOND_NAME
    assert came.keys() == asked | {"fork", "command"}
    assert [file.name for file in places.foreign.iterdir()] == ["file"]
    assert (places.foreign / "file").read_text(encoding="ascii") == "whole"


@needs_seccomp
@needs_landlock
def test_a_page_process_that_needs_commands_starts_no_others_and_may_do_nothing_else_more(
    places: Places, tmp_path: Path
) -> None:
    came = attempts_inside(places, tmp_path / "temp", commands=True)

    assert came["fork"] == DONE
    assert {name: came[name] for name in REFUSED_BY_CALL} == dict.fromkeys(REFUSED_BY_CALL, "EPERM")
    places_refused = REFUSED_BY_PLACE | PROGRAMS | {"command"}
    assert {name: came[name] for name in places_refused} == dict.fromkeys(places_refused, "EACCES")
    assert {name: came[name] for name in NEEDED} == dict.fromkeys(NEEDED, DONE)
    assert (places.foreign / "file").read_text(encoding="ascii") == "whole"


@pytest.mark.needs("pdftoppm")
@needs_landlock
def test_the_loader_of_a_program_is_named_by_it() -> None:
    command = shutil.which("pdftoppm")
    assert command

    programs = list(sandbox.programs([command]))

    assert len(programs) == 2
    assert "ld-" in Path(programs[1]).name


def test_a_script_may_start_what_it_likes(tmp_path: Path) -> None:
    script = tmp_path / "tesseract"
    script.write_text('#!/bin/sh\nexec /opt/tesseract "$@"\n', encoding="ascii")

    assert list(sandbox.programs([str(script)])) == [str(script), "/"]


def test_what_the_kernel_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(seccomp, "is_available", lambda: False)

    seen = sandbox.lacking()

    assert ["seccomp" in seen[0], "Landlock" in seen[1]] == [True, True]
