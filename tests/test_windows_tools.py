"""How the Windows worker is reached from Linux: paths are told as each side has them, pins as Windows needs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.limits import HANG_SECONDS
from tests.windows_run import REPOSITORY, entries
from tools.verify_platform import PROMISED_SECONDS, FailedError, check_host_killed, seconds_until_gone, words
from tools.windows import environment
from tools.windows_sidecar import PINS, pins_for_windows
from tools.windows_worker import PING, to_linux, to_windows


def test_paths_of_a_command_become_those_of_a_drive() -> None:
    command = {
        "command": "ocr_batch", "id": "/no/path", "files": ["/in/a b.png", "file:///in/c%20d.pdf", "e.png"],
        "output_dir": "/out", "options": {"tessdata_dir": "/data", "passwords": {"/in/f.pdf": "/secret"}},
    }  # fmt: skip

    assert json.loads(to_windows(json.dumps(command).encode())) == {
        **command,
        "files": ["Z:\\in\\a b.png", "file:///Z:/in/c%20d.pdf", "e.png"],
        "output_dir": "Z:\\out",
        "options": {"tessdata_dir": "Z:\\data", "passwords": {"Z:\\in\\f.pdf": "/secret"}},
    }


@pytest.mark.parametrize("line", [b"[" * 100_000, b'["/a"]\n', b'{"command":"ping","id" : 1}\n', b"\xff\r\n"])
def test_what_holds_no_path_goes_on_as_it_came(line: bytes) -> None:
    assert to_windows(line) == line
    assert to_linux(line) == line


def test_paths_of_an_event_become_those_of_linux() -> None:
    event = {
        "type": "result",
        "data": {
            "file": "Z:\\in\\a.png",
            "outputs": {"pdf": "\\\\?\\Z:\\out\\a.pdf"},
            "error": "a.png: Z: is full",
        },
    }

    assert json.loads(to_linux(json.dumps(event).encode()))["data"] == {
        "file": "/in/a.png",
        "outputs": {"pdf": "/out/a.pdf"},
        "error": "a.png: Z: is full",
    }


def test_what_windows_alone_needs_is_pinned_for_it_whatever_this_machine_is() -> None:
    pins = pins_for_windows(PINS.read_text(encoding="utf-8"))

    assert "pefile==" in pins
    assert "macholib==" not in pins
    assert ";" not in pins
    assert pins.count("==") * 2 <= pins.count("\n") == pins.count("--hash") + pins.count("==")


def test_each_test_that_is_skipped_there_is_there_to_be_run_elsewhere() -> None:
    missing = []
    for name in entries():
        file, _, test = name.partition("::")
        place = REPOSITORY / file
        if not place.exists() or f"def {test.partition('[')[0]}" not in (
            place.read_text("utf-8") if test else "def "
        ):
            missing.append(name)

    assert entries()
    assert missing == []


def test_who_is_dead_is_gone_though_nobody_has_asked_how_it_ended() -> None:
    begun = "import subprocess, sys; one = subprocess.Popen(['true']); print(one.pid, flush=True); sys.stdin.read()"
    careless = subprocess.Popen([sys.executable, "-c", begun], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert careless.stdout

    seconds = seconds_until_gone([psutil.Process(int(careless.stdout.readline()))])
    careless.communicate()

    assert seconds < PROMISED_SECONDS


def test_all_that_runs_under_wine_shares_its_services_whatever_folder_a_host_has_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", "/of/a/host")

    assert "TMPDIR" not in environment()


@pytest.mark.parametrize(("is_gone", "last"), [(True, PING), (False, b"")])
def test_a_worker_whose_host_is_gone_altogether_is_asked_for_a_word(
    tmp_path: Path, *, is_gone: bool, last: bytes
) -> None:
    """By a driver whose `wine` only notes what it is told."""
    wine, told = tmp_path / "wine", tmp_path / "told"
    wine.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\n"
        f"pathlib.Path({str(told)!r}).write_bytes(sys.stdin.buffer.read())\n"
    )
    wine.chmod(0o700)
    driver = subprocess.Popen(
        [sys.executable, "-m", "tools.windows_worker", "worker"], cwd=REPOSITORY, env={"PATH": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert driver.stdin
    assert driver.stdout

    driver.stdin.write(b'{"command":"hello"}\n')
    if is_gone:
        driver.stdout.close()
    driver.stdin.close()

    assert driver.wait(HANG_SECONDS) == 0
    assert told.read_bytes() == b'{"command":"hello"}\n' + last


@pytest.mark.parametrize("refusal", [psutil.AccessDenied, psutil.NoSuchProcess])
def test_a_process_that_is_gone_or_not_shown_to_us_is_no_page_process(
    refusal: type[psutil.Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: psutil.Process) -> list[str]:
        raise refusal(process.pid)

    monkeypatch.setattr(psutil.Process, "cmdline", refuse)

    assert words(psutil.Process()) == []


def test_a_host_that_ends_before_it_is_killed_shows_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", "true")

    with pytest.raises(FailedError, match="before a page was in work"):
        check_host_killed(tmp_path)
