"""What deploys the service names files and options that there are, and gives away no rights."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.cli.command import Command
from tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "deploy"


@pytest.mark.parametrize("name", ["Dockerfile", "ocr-sidecar.service"])
def test_the_command_line_is_one_that_the_service_takes(name: str, ocr: Command) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    [line] = re.findall(r"^(?:ENTRYPOINT|ExecStart).*", text, re.MULTILINE)

    options = set(re.findall(r"--[a-z-]+", line))

    assert options
    assert options <= set(re.findall(r"--[a-z-]+", ocr("serve", "--help").stdout))


def test_the_dockerfile_copies_what_is_there_and_does_not_run_as_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        word for line in re.findall(r"^COPY (?!--)(.*)", text, re.MULTILINE) for word in line.split()[:-1]
    ]

    assert copied
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    [licences] = re.findall(r"^license-files = \[(.*)\]", project, re.MULTILINE)
    assert set(re.findall(r'"(.+?)"', licences)) <= set(copied), "the image is passed on with them"
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in copied if name != "requirements/"} <= set(ignored)
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    assert re.search(r"^USER (?!root)\w+$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_the_unit_and_finds_it_well_confined() -> None:
    unit = DEPLOY / "ocr-sidecar.service"

    looked = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
    )

    found = re.search(r"exposure level for \S+: ([\d.]+)", looked.stdout)
    assert found, looked.stderr
    assert float(found.group(1)) < 3
