"""What the repository promises about itself: pinned requirements without an address, tools that name the way out."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.limits import HANG_SECONDS
from tools import audit

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [*REPOSITORY.glob("*.md"), *sorted((REPOSITORY / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", ["runtime", "server", "second-reader", "dev", "bench", "sidecar", "windows"])
def test_every_requirement_is_pinned_with_hashes_and_without_an_address(name: str) -> None:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    pins = re.findall(r"^[a-z].*(?:\n {4}.*)*", text, re.MULTILINE)
    assert len(pins) >= 20
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in text
    assert "index" not in text.lower()


def test_the_larger_sets_pin_the_smaller_ones_alike() -> None:
    sets = ("runtime", "server", "dev", "bench", "windows")
    runtime, server, dev, bench, windows = (_pins(name) for name in sets)

    assert runtime <= server <= dev <= bench
    # Windows' own libraries are for no other system.
    assert {pin for pin in windows if not pin.startswith("msvc-runtime")} <= dev


@pytest.mark.parametrize(
    ("pin", "verdict"),
    [
        ("pillow==12.2.0", "known"),
        ("pillow==12.3.0", "fine"),
        ("pillow==13.0", "fine"),
        ("filelock==4.1.0", "fine"),
        ("filelock==4.2.0", "known"),
        ("lxml==6.0.9", "known"),
        ("nobody-knows-it==0.1", "fine"),
    ],
)
def test_a_pin_with_a_known_fault_is_told_unless_the_page_says_why_it_stays(pin: str, verdict: str) -> None:
    known = audit.advisories((REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8"))

    found = list(audit.unsafe(known, f"{pin} \\\n    --hash=sha256:0\n"))

    assert ("known" if found else "fine") == verdict


def test_a_library_of_an_extra_of_which_the_page_says_nothing_is_named() -> None:
    page = (REPOSITORY / "docs" / "security.md").read_text(encoding="utf-8")
    project = '[project.optional-dependencies]\nserver = ["fastapi>=1", "sse-starlette", "gunicorn>=23"]\n\n[project.urls]\n'

    assert list(audit.unlisted(page, project)) == ["gunicorn"]


def test_no_pin_has_a_fault_that_is_known() -> None:
    done = subprocess.run(
        [sys.executable, "tools/audit.py"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_acceptance_kit_is_said_and_is_no_failure(tmp_path: Path) -> None:
    cases = REPOSITORY / "tests" / "acceptance_cases.txt"
    command = [sys.executable, "tools/acceptance.py", str(tmp_path / "run"), str(cases)]

    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=HANG_SECONDS)

    assert done.returncode == 0
    assert "is not there" in done.stdout


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_a_missing_system_tool_is_named_and_fails_in_ci_alone(ci: str, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "tools/system_tools.py"]
    environment = {"PATH": str(tmp_path), "CI": ci}

    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=HANG_SECONDS
    )

    assert done.returncode == code
    for package in ("poppler-utils", "strace") if sys.platform == "linux" else ("poppler-utils",):
        assert package in done.stderr


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root could install")
@pytest.mark.parametrize(("arguments", "calls"), [((), []), (("--install",), ["update", "install"])])
def test_system_packages_are_installed_only_when_that_is_asked_for(
    arguments: tuple[str, ...], calls: list[str], tmp_path: Path
) -> None:
    apt, log = tmp_path / "apt-get", tmp_path / "log"
    log.touch()
    apt.write_text(f'#!/bin/sh\necho "$1" >>{log}\n', encoding="utf-8")
    apt.chmod(0o700)

    subprocess.run(
        [sys.executable, "tools/system_tools.py", *arguments], cwd=REPOSITORY, env={"PATH": str(tmp_path)},
        capture_output=True, timeout=HANG_SECONDS,
    )  # fmt: skip

    assert log.read_text(encoding="utf-8").split() == calls


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_a_page_for_newcomers_names_what_is_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    links = re.findall(r"\]\(([^)#:]+)\)", text)
    targets = re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)

    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_no_line_over_120_characters(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()

    long = [f"line {number}: {line}" for number, line in enumerate(lines, 1) if len(line) > 120]

    assert long == []


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_python_on_a_page_for_users_imports_nothing_of_ours_but_the_front_door(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    imported = {
        name
        for node in ast.walk(ast.parse("".join(blocks)))
        for name in _imported(node)
        if name.partition(".")[0] not in sys.stdlib_module_names
    }

    assert imported == {"ocr_sidecar"}
    assert "ocr_worker." not in text
    assert "ocr_protocol" not in text


def test_the_page_for_contributors_names_every_room() -> None:
    rooms = {path.parent.name for path in (REPOSITORY / "worker" / "ocr_worker").glob("*/__init__.py")}
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")

    table = [line for line in text.splitlines() if line.startswith("| `")]

    assert {name for line in table for name in re.findall(r"`(\w+)`", line)} == rooms


def test_a_python_that_is_too_old_is_named_with_the_way_out(tmp_path: Path) -> None:
    old = REPOSITORY / "tools" / "make_venv.py"
    code = f"import sys; sys.version_info = (3, 9); exec(open({str(old)!r}).read())"

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=HANG_SECONDS
    )

    assert done.returncode == 1
    assert "Python 3.10 or newer is needed" in done.stderr
    assert "make PYTHON=" in done.stderr


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _pins(name: str) -> set[str]:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^[a-z][^ \\]*==[^ \\]*", text, re.MULTILINE))
