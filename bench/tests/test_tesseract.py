"""The command that others call: on the wheel's library where that can be had, else the one that a wheel brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import tesseract


def test_without_a_compiler_it_is_the_command_of_the_wheel_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    for name, value in tesseract.surroundings(tmp_path).items():
        monkeypatch.setenv(name, value)

    assert tesseract.command_version() not in ("none", tesseract.library_version())
    assert "No tesseract command on tesserocr's library" in capfd.readouterr().err
