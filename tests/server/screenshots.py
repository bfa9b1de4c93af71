"""Pictures of the page's main views for docs and README: `make screenshots`. Look at each before it is committed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from rigs.service import ended
from samples import build
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS
from tests.server.service import service, start

KINDS = ("letters", "invoice", "noisy", "two_columns")
SIZE = {"width": 1200, "height": 860}


def main(images: Path) -> None:
    with tempfile.TemporaryDirectory() as made:
        home, folder = Path(made), Path(made) / "scans"
        scans = [sample.path for kind in KINDS for sample in build(kind, folder, count=2)]
        with service(home) as served, served.client() as client, sync_playwright() as playwright:
            command = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=command, args=["--no-sandbox"])
            for at in (1, 3):
                ended(client, start(client, scans[at]))
            _take(browser, scans, images, served.address)
            browser.close()


def _take(browser: Browser, scans: list[Path], images: Path, address: str) -> None:
    page = browser.new_page(viewport=SIZE, base_url=address)  # type: ignore[arg-type]  # a plain dict of both
    page.set_default_timeout(HANG_SECONDS * 1000)
    page.goto("/")
    page.locator(".history li").first.wait_for()
    page.locator("#files").set_input_files(scans[:7])
    page.locator(".grid canvas:visible").nth(6).wait_for()
    page.screenshot(path=images / "page-chosen.png", animations="disabled")
    page.get_by_role("button", name="Read 7 files").click()
    page.locator("article li[data-status=completed]").nth(2).wait_for()
    page.screenshot(path=images / "page-job.png", animations="disabled")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path=images / "page-job-dark.png", animations="disabled")
    page.emulate_media(color_scheme="light")
    page.locator("article[data-status=completed]").wait_for()
    with page.expect_response("**/picture"):
        page.get_by_role("button", name="Words of").first.click()
    page.get_by_role("dialog").locator(".text button").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("n")
    page.screenshot(path=images / "page-words.png", animations="disabled")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=images / "page-phone.png", animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "images")
