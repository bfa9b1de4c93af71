"""Programs come from folders that PATH names in full."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ocr_worker.files.commands import find_command


def _program(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / ("tool.exe" if os.name == "nt" else "tool")
    program.write_bytes(b"")
    program.chmod(0o700)
    return program


@pytest.mark.parametrize("entry", ["", ".", "bin"])
def test_no_program_is_taken_from_the_working_directory(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "here" / entry)
    wanted = _program(tmp_path / "tools")
    monkeypatch.chdir(tmp_path / "here")

    monkeypatch.setenv("PATH", entry)
    assert find_command("tool") is None

    monkeypatch.setenv("PATH", os.pathsep.join([entry, str(tmp_path / "tools")]))
    assert find_command("tool") == wanted


@pytest.mark.skipif(os.name == "nt", reason="Windows knows programs by their endings")
def test_what_is_no_program_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path / "one").chmod(0o600)
    (tmp_path / "two" / "tool").mkdir(parents=True)
    wanted = _program(tmp_path / "three")
    monkeypatch.setenv("PATH", os.pathsep.join(str(tmp_path / name) for name in ("one", "two", "three")))

    assert find_command("tool") == wanted
