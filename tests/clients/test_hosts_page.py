"""docs/hosts.md: its Electron app, made by its own commands and files, reads a scan. Electron itself is a stand-in, as its program
cannot be had from npm alone. The Tauri app takes minutes to compile: `python -m tests.clients.followed` makes that by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from samples import Sample
from tests.clients.followed import PAGE, Follower, Step, steps
from tests.clients.test_npm_worker import PLATFORM, PROCESSOR, packed, run

pytestmark = pytest.mark.slow
STAND_IN = Path(__file__).with_name("electron")


def test_the_electron_app_of_the_page_makes_a_searchable_pdf_of_a_dropped_scan(
    sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    if (PLATFORM, PROCESSOR) != ("linux", "x64"):
        pytest.skip("the page names the package of Linux on x86-64")
    packed(tmp_path / "checkout" / "build")
    # Electron's own script would download the browser.
    environment = {"OCR": str(tmp_path / "checkout"), "npm_config_ignore_scripts": "true"}
    follower = Follower(tmp_path, environment)
    *most, last = steps("An Electron app")
    scan = Path(shutil.copy(sample("cards").path, tmp_path / "scan.png"))

    for step in most:
        follower.do(step)
    told = run(
        ["node", str(STAND_IN / "drop.mjs"), "main.mjs", str(scan)],
        follower.folder, OCR_TEST_DATA=str(tmp_path / "data"),
    )  # fmt: skip

    assert told.stdout == "completed 100 %\n", told.stderr
    with pikepdf.open(tmp_path / "ocr" / "scan.pdf") as pdf:
        assert len(pdf.pages) == 1
    assert last == Step(command="npx electron .")
    assert (tmp_path / "data" / "ocr" / "jobs.sqlite3").exists()


def test_every_block_of_both_walks_is_a_command_or_a_named_file() -> None:
    walks = [list(steps(title)) for title in ("Once", "A Tauri app", "An Electron app")]

    assert [walk[-1].command for walk in walks[1:]] == ["npm run tauri dev", "npx electron ."]
    assert {step.path for step in walks[1]} >= {"src-tauri/tauri.conf.json", "src/main.ts"}
    assert "HOWLONG" not in PAGE.read_text(encoding="utf-8")
