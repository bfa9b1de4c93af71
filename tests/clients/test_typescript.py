"""The TypeScript client: types that hold for all vectors, lines that Python reads as they were meant, and its own tests, against
the real worker. Skipped by name without npm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import img2pdf
import pytest
from filelock import FileLock

from ocr_protocol import WireError, decode
from samples import Sample
from tests.conftest import REPOSITORY, need_command
from tests.limits import HANG_SECONDS
from tests.protocol.vectors import read_vectors
from tools.typescript import OUT, generate

PACKAGE = REPOSITORY / "clients" / "typescript"
BUILD = PACKAGE / "build"
MOST_ALIASES = 12
SUITE_SECONDS = 2.7 * HANG_SECONDS
"""All tests of a file or package together: 50 s on a quiet machine, and five times as long beside four other workers."""
COMMANDS = [
    outcome["command"]
    for vector in read_vectors("valid")
    for outcome in vector.outcomes
    if not vector.name.endswith(("-null", "-nulls"))  # taken, but not of the schema
]


@pytest.fixture(scope="module")
def compiled() -> Path:
    """The folder of the compiled tests. The commands of all valid vectors are compiled with them, as literals of their type."""
    install()
    made = PACKAGE / "tests" / "made" / "vectors.ts"
    made.parent.mkdir(exist_ok=True)
    rows = "".join(f"  {json.dumps(command)},\n" for command in COMMANDS)
    made.write_text(
        f"import type {{ Command }} from '../../src/index.js';\n\nexport const commands: Command[] = [\n{rows}];\n",
        encoding="utf-8",
    )
    shutil.rmtree(BUILD, ignore_errors=True)
    run("npm", "run", "--silent", "compile-tests")
    return BUILD / "tests"


def install() -> None:
    """What the client is compiled with."""
    for command in ("node", "npm"):
        need_command(command)
    lock, installed = PACKAGE / "package-lock.json", PACKAGE / "node_modules" / ".package-lock.json"
    (REPOSITORY / "build").mkdir(exist_ok=True)
    with FileLock(
        REPOSITORY / "build" / "npm-ci.lock"
    ):  # test_npm_worker.py may want the same at the same time
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            run("npm", "ci", "--no-audit", "--no-fund", "--silent")


def run(*command: str, **environment: str) -> str:
    """What it writes; its last words are the failure."""
    done = subprocess.run(
        command, cwd=PACKAGE, env={**os.environ, **environment}, capture_output=True,
        encoding="utf-8", timeout=SUITE_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)}:\n{done.stdout[-8000:]}{done.stderr[-2000:]}", pytrace=False)
    return done.stdout


def test_the_types_are_fresh_and_have_few_aliases() -> None:
    text = OUT.read_text(encoding="utf-8")

    assert text == generate()
    assert text.count("\nexport type ") <= MOST_ALIASES
    assert text.count("\nexport interface ") > 30


@pytest.mark.slow
def test_what_typescript_writes_python_reads_as_it_was_meant(compiled: Path) -> None:
    lines = run("node", str(compiled / "write-vectors.js")).removesuffix("\n").split("\n")

    assert len(lines) == len(COMMANDS)
    for line, meant in zip(lines, COMMANDS, strict=True):
        if "refused" in json.loads(line):
            assert json.loads(line)["refused"] == {"field": "id"}
            assert abs(meant["id"]) >= 2**53
        else:
            assert read(line) == meant


def test_the_clients_own_tests_pass(compiled: Path, sample: Callable[[str], Sample], tmp_path: Path) -> None:
    quick, page = (str(sample(kind).path) for kind in ("cards", "clean"))
    shutil.copy(quick, tmp_path / "page.png")
    (tmp_path / "pages.pdf").write_bytes(img2pdf.convert([quick] * 20))
    (tmp_path / "long.pdf").write_bytes(img2pdf.convert([page] * 40))
    tests = sorted(str(path) for path in compiled.glob("*.test.js"))

    run(
        "node", "--test", "--test-reporter=dot", "--test-concurrency=2", f"--test-timeout={2_000 * HANG_SECONDS}", *tests,
        OCR_TEST_IN=str(tmp_path), OCR_TEST_WORKER=json.dumps([sys.executable, "-m", "ocr_worker"]),
    )  # fmt: skip


def read(line: str) -> object:
    try:
        return decode(line.encode("utf-8")).model_dump(mode="json", exclude_unset=True)
    except WireError as refusal:
        return refusal.event()
