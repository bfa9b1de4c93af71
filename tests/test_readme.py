"""What README.md prints runs as printed, by someone who has just run `make demo`."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from samples import Sample
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS
from tests.printed import fits, hold, read_session

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SHELL = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
TARGETS = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture
def after_the_demo(sample: Callable[[str], Sample], tmp_path: Path) -> Path:
    """A folder with the environment and the scans that the README names, as the demo leaves them."""
    scans = tmp_path / "demo-out" / "in"
    scans.mkdir(parents=True)
    for name in set(re.findall(r"demo-out/in/([\w.-]+)", README)):
        (scans / name).symlink_to(sample(name.partition("-")[0]).path.with_name(name))
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    return tmp_path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")}


def test_what_the_readme_has_made_can_be_made() -> None:
    made = [shlex.split(line, comments=True)[1] for line in SHELL if line.startswith("make ")]

    assert made == ["demo", "test"]
    assert set(made) <= set(TARGETS)


def test_the_other_commands_of_the_readme_run_as_printed(
    after_the_demo: Path, environment: dict[str, str]
) -> None:
    others = [line for line in SHELL if not line.startswith("make ")]

    assert others
    for line in others:
        done = subprocess.run(
            line,
            shell=True,
            cwd=after_the_demo,
            env=environment,
            capture_output=True,
            text=True,
            timeout=HANG_SECONDS,
        )
        assert done.returncode == 0, done.stderr
    assert (after_the_demo / "demo-out" / "letter.png").stat().st_size > 0


def test_the_session_of_the_readme_is_what_the_worker_says(
    after_the_demo: Path, environment: dict[str, str]
) -> None:
    printed = read_session(README.replace("/home/ada", str(after_the_demo)))
    [worker] = re.findall(r"^Start `(\S+)`", README, re.MULTILINE)

    real = hold([worker], "\n".join(printed.commands) + "\n", after_the_demo, environment)

    for event in printed.events:
        assert any(fits(event, said) for said in real), (event, real)


def test_the_python_call_of_the_readme_runs(after_the_demo: Path, environment: dict[str, str]) -> None:
    [(python, code)] = re.findall(r"^With `(\S+)`:\n\n```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

    done = subprocess.run(
        [python, "-c", code],
        cwd=after_the_demo,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )

    assert done.returncode == 0, done.stderr
    output = after_the_demo / "demo-out" / "python" / "letters-001.pdf"
    assert f"demo-out/in/letters-001.jpg 1 {output}\n" in done.stdout
    assert "missing.png missing.png does not exist" in done.stdout
