"""The page in a real browser, against the real service, doing real OCR."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.cli.command import write_papers
from tests.e2e.material import Material
from tests.faults.pictures import png
from tests.limits import HANG_SECONDS
from tests.server.service import Service, ended, service, start, until

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.slow]
HANG_MS = HANG_SECONDS * 1000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    command = shutil.which("chromium")
    assert command
    expect.set_options(timeout=HANG_MS)
    with sync_playwright() as playwright:
        # As root there is no sandbox of its own; all it opens is our page.
        opened = playwright.chromium.launch(executable_path=command, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, served: Service) -> Iterator[Page]:
    """The page, which says nothing of errors and asks nobody but the service."""
    context = browser.new_context(base_url=served.address, viewport={"width": 1200, "height": 900})
    opened, troubles = context.new_page(), list[str]()
    opened.set_default_timeout(HANG_MS)
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "request",
        lambda sent: None if sent.url.startswith((served.address, "blob:")) else troubles.append(sent.url),
    )
    yield opened
    context.close()
    assert troubles == []


def test_from_dropped_files_to_words_beside_their_picture(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "letter.png"
    picture.write_bytes(png())
    [paper] = write_papers(tmp_path, 1)

    page.goto("/")
    page.locator("#files").set_input_files([picture, paper])
    page.get_by_role("button", name="Read 2 files").click()
    page.get_by_role("link", name="letter.png", exact=True).click()
    page.locator("#text span").first.click()

    expect(page.locator("#result-title")).to_have_text("letter.png")
    expect(page.locator("#boxes rect.here")).to_have_count(1)
    expect(page.locator("#word")).to_contain_text("% sure")
    words = page.locator("#text span").count()
    assert words == page.locator("#boxes rect").count() > 1
    assert (
        page.locator("#picture").evaluate("picture => picture.decode().then(() => picture.naturalWidth)")
        > 100
    )
    with page.expect_download() as download:
        page.locator("#result-downloads").get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename == "letter.pdf"


def test_a_job_is_paused_resumed_and_cancelled_and_survives_a_reload(
    page: Page, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    job_id = start(client, material.pdf(tmp_path / "long.pdf", "mmmmmm"))
    page.goto(f"/#/job/{job_id}")
    card = page.locator("#job-card")

    card.get_by_role("button", name="Pause").click()
    expect(card.locator(".badge")).to_have_text("paused")
    page.reload()
    expect(card.locator(".badge")).to_have_text("paused")
    card.get_by_role("button", name="Resume").click()
    expect(card.locator(".badge")).to_have_text("reading")
    card.get_by_role("button", name="Cancel").click()
    expect(card.locator(".badge")).to_have_text("cancelled")


def test_progress_is_seen_as_it_happens_though_nobody_asks(
    page: Page, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    page.goto("/")
    expect(page.locator("#start")).to_be_disabled()
    job_id = start(client, material.pdf(tmp_path / "seen.pdf", "qmmmm"))

    card = page.locator("#jobs li", has_text="seen.pdf").first
    expect(card.locator(".detail")).to_contain_text(re.compile("[1-4] of 5 pages"))
    expect(card.locator(".badge")).to_have_text("completed")
    ended(client, job_id)


def test_the_keyboard_alone_goes_from_the_search_to_a_doubtful_word(
    page: Page, client: httpx.Client, tmp_path: Path
) -> None:
    picture = tmp_path / "keys.png"
    picture.write_bytes(png("Keyboard words"))
    ended(client, start(client, picture))
    page.goto("/")

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("keyboard words")
    page.keyboard.press("Enter")
    expect(page.locator("#found-title")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#result-title")).to_be_focused()
    page.locator("#text span").first.focus()
    page.keyboard.press("ArrowRight")

    expect(page.locator("#text span").nth(1)).to_be_focused()
    expect(page.locator("#word")).to_contain_text("words")


def test_names_of_files_are_never_markup(page: Page, client: httpx.Client, root: Path) -> None:
    (root / "<img src=x onerror=alert(1)>.pdf").write_bytes(b"")
    made = client.post("/api/v1/jobs", json={"files": [{"path": "<img src=x onerror=alert(1)>.pdf"}]})
    ended(client, made.json()["job_id"])

    page.goto(f"/#/job/{made.json()['job_id']}")

    expect(page.locator("#job-files td").first).to_contain_text("<img src=x onerror=alert(1)>.pdf")
    assert page.locator("#job-files img").count() == 0


def test_the_page_asks_for_the_token_and_goes_on(browser: Browser, tmp_path: Path) -> None:
    token = "a-token-of-some-length"
    with service(tmp_path, "--token", token) as served:
        page = browser.new_page(base_url=served.address)
        page.goto("/")
        page.get_by_role("textbox", name="Token").fill(token)
        page.get_by_role("button", name="Go on").click()

        expect(page.locator("#no-jobs")).to_be_visible()
        expect(page.locator("#languages option")).not_to_have_count(0)
        page.close()


def test_a_service_that_comes_again_is_found_again_with_its_jobs(
    browser: Browser, tmp_path: Path, material: Material
) -> None:
    with service(tmp_path) as served, served.client() as client:
        job_id = start(client, material.pdf(tmp_path / "lost.pdf", "qmm"))
        page = browser.new_page()
        page.goto(served.address)
        until(lambda: client.get(f"/api/v1/jobs/{job_id}").json()["pages_done"], lambda pages: pages > 0)
        port = served.port
        served.process.kill()
        served.process.wait(HANG_SECONDS)
    expect(page.locator("#state")).to_contain_text("away")

    with service(tmp_path, "--port", str(port)):
        page.locator("#jobs li", has_text="lost.pdf").get_by_role("button", name="Resume").click()
        expect(page.locator("#jobs li .badge")).to_have_text(re.compile("completed"))
        page.close()
