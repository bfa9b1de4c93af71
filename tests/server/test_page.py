"""The page in a real browser, against the real service, doing real OCR."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

from rigs.papers import write_papers
from rigs.service import ended, ended_files, until
from tests.cli.command import Command
from tests.conftest import REPOSITORY, miss
from tests.e2e.material import Material
from tests.faults.documents import encrypted
from tests.faults.pictures import png
from tests.limits import HANG_SECONDS
from tests.server.service import Service, service, start, watchers

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.slow]
HANG_MS = HANG_SECONDS * 1000
AXE = REPOSITORY / "tests" / "readers" / "node_modules" / "axe-core" / "axe.min.js"


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
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened, troubles = context.new_page(), list[str]()
    opened.set_default_timeout(HANG_MS)
    # Browsers tell of what a service refuses, too, and a test has some refused.
    opened.on(
        "console",
        lambda said: (
            troubles.append(said.text)
            if said.type == "error" and not re.search("of (415|502)", said.text)
            else None
        ),
    )
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "request",
        lambda sent: None if sent.url.startswith((served.address, "blob:")) else troubles.append(sent.url),
    )
    yield opened
    context.close()
    assert troubles == []


def card(page: Page, title: str) -> Locator:
    """The newest job that begins with this file, in full."""
    return page.locator("article", has_text=title).first


def row(page: Page, title: str) -> Locator:
    """The newest job that begins with this file, in the list of all."""
    return page.locator(".history li", has_text=title).first


def accessible(page: Page) -> None:
    """In light and dark, at a desk and on a phone."""
    if not AXE.is_file():
        miss("needs axe: make tests/readers/node_modules")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    usual = page.viewport_size
    assert usual
    for scheme, width in (("light", usual["width"]), ("dark", 360)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]  # a literal of both
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate("axe.run().then(({ violations }) => violations)")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size(usual)


def test_from_chosen_files_to_words_beside_their_picture(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "letter.png"
    picture.write_bytes(png())
    [paper] = write_papers(tmp_path, 1)

    page.goto("/")
    page.locator("#files").set_input_files([picture, paper])
    expect(page.locator(".grid canvas").first).to_be_visible()
    page.locator(".grid").get_by_label(paper.name).uncheck()
    expect(page.get_by_text("1 of 2 files ticked")).to_be_visible()
    page.locator(".grid").get_by_label(paper.name).check()
    accessible(page)
    page.get_by_role("button", name="Read 2 files").click()
    page.get_by_role("button", name="Words of letter.png").click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".text button").first.click()

    expect(dialog.locator("rect.here")).to_have_count(1)
    expect(dialog.get_by_text("% sure")).to_be_visible()
    assert dialog.locator(".text button").count() == dialog.locator("rect[data-at]").count() > 1
    expect(page.locator(".grid")).to_have_count(0)
    drawn = page.request.get(str(dialog.locator("image").get_attribute("href")))
    assert (drawn.status, drawn.headers["content-type"]) == (200, "image/jpeg")
    dialog.get_by_role("button", name="Copy text").click()
    expect(dialog.get_by_text("was copied")).to_be_visible()
    assert (
        page.evaluate("navigator.clipboard.readText()").split()
        == dialog.locator(".text button").all_inner_texts()
    )
    for name, suffix in (("PDF", "pdf"), ("Text", "txt"), ("JSON", "json")):
        with page.expect_download() as download:
            dialog.get_by_role("link", name=f"{name} of letter.png").click()
        assert download.value.suggested_filename.endswith(suffix)
    accessible(page)

    dialog.locator("rect[data-at]").first.click()
    expect(dialog.locator(".text button").first).to_be_focused()
    page.keyboard.press("e")
    page.keyboard.type("Corrected")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("was corrected in all outputs")).to_be_visible()
    expect(dialog.locator(".text button").first).to_have_text("Corrected")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Text of letter.png").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("Corrected ")
    page.reload()
    expect(
        page.get_by_role("dialog", name="Words of letter.png").locator("rect[data-at]").first
    ).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).to_have_url(re.compile("/$"))


def test_on_a_phone_a_word_its_place_in_the_picture_and_its_correction_are_in_sight_together(
    page: Page, client: httpx.Client, material: Material
) -> None:
    ended(client, start(client, material.medium))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    row(page, material.medium.name).get_by_role("button", name="Show").click()
    page.get_by_role("button", name=f"Words of {material.medium.name}").first.click()
    dialog = page.get_by_role("dialog")

    word = dialog.locator(".text button").nth(150)
    word.click()

    for seen in (word, dialog.locator("rect.here"), dialog.get_by_label("Correct")):
        expect(seen).to_be_in_viewport()
    accessible(page)


def test_dropped_files_are_taken_and_what_cannot_be_read_is_said_at_its_place(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()

    page.evaluate(
        """content => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(content)], 'dropped.png'));
            transfer.items.add(new File(['MZ no picture at all'.repeat(99)], 'program.pdf'));
            window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
        }""",
        list(png("Dropped")),
    )
    page.get_by_role("button", name="Read 2 files").click()

    expect(card(page, "dropped.png")).to_have_attribute("data-status", "completed")
    expect(page.locator(".grid li")).to_have_count(1)
    expect(page.locator(".grid .bad")).not_to_be_empty()
    expect(page.get_by_label("program.pdf")).not_to_be_checked()
    accessible(page)


def test_a_name_of_any_length_keeps_to_the_width_of_the_page(
    page: Page, client: httpx.Client, root: Path
) -> None:
    name = 4000 * "0"
    client.post("/api/v1/jobs", json={"files": [{"path": name}]}).raise_for_status()

    page.goto("/")
    expect(page.locator(".history").get_by_text(name).first).to_be_visible()

    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_job_is_paused_resumed_and_cancelled_on_the_page_and_by_the_command_line(
    page: Page, served: Service, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    job_id = start(client, material.pdf(tmp_path / "steered.pdf", "hqq"))
    page.goto("/")
    job = card(page, "steered.")

    job.get_by_role("button", name="Pause").click()
    expect(job).to_have_attribute("data-status", "paused")
    shown = ocr.answer("show", job_id)["state"]
    page.reload()
    expect(job).to_have_attribute("data-status", "paused")
    resumed = ocr.answer("resume", job_id)["state"]
    expect(job).to_have_attribute("data-status", "running")
    ocr.answer("pause", job_id)
    expect(job).to_have_attribute("data-status", "paused")
    job.get_by_role("button", name="Resume").click()
    expect(job).to_have_attribute("data-status", "running")
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_have_attribute("data-status", "cancelled")

    assert (shown, resumed) == ("paused", "running")


def test_a_job_of_the_command_line_is_seen_and_steered_on_the_page(
    page: Page, served: Service, material: Material, tmp_path: Path
) -> None:
    ocr = Command(tmp_path, {"OCR_WORKER_STATE_DIR": str(served.state_dir)})
    page.goto("/")
    batch = ocr.start("batch", material.pdf(tmp_path / "typed.pdf", "hqq"), "--output-dir", tmp_path / "out")
    job = card(page, "typed.")

    expect(job).to_have_attribute("data-status", "running")
    job.get_by_role("button", name="Pause").click()
    expect(job).to_have_attribute("data-status", "paused")
    job.get_by_role("button", name="Resume").click()
    expect(job).to_have_attribute("data-status", "running")
    expect(job.locator("li")).to_have_attribute("data-status", "working")
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_have_attribute("data-status", "cancelled")
    batch.communicate(timeout=HANG_SECONDS)

    assert batch.returncode == 130


def test_files_that_failed_are_told_and_read_again(page: Page, client: httpx.Client, root: Path) -> None:
    (root / "late.png").unlink(missing_ok=True)
    (root / "<img src=x onerror=alert(1)>.png").write_bytes(png())
    files = [{"path": "<img src=x onerror=alert(1)>.png"}, {"path": "late.png"}]
    ended(client, client.post("/api/v1/jobs", json={"files": files}).json()["job_id"])
    (root / "late.png").write_bytes(png("Late"))
    page.goto("/")
    past = row(page, "<img src=x")

    expect(past).to_contain_text("1 failed")
    past.get_by_role("button", name="Show").click()
    job = card(page, "<img src=x")
    expect(job.locator("li[data-status=failed]")).to_contain_text("late.png")
    expect(job.locator("li[data-status=failed] .state")).to_contain_text("failed: it does not exist")
    job.get_by_label("Only files with trouble").check()
    expect(job.locator("li")).to_have_count(1)
    job.get_by_role("button", name="Retry failed").click()

    expect(job.locator("li[data-status=completed]")).to_have_count(2)
    assert page.locator("img").count() == 0
    past.get_by_role("button", name="Delete …").click()
    past.get_by_role("button", name="Delete with its results").click()
    expect(past).to_have_count(0)


def test_the_keyboard_alone_goes_from_the_search_to_the_word_and_to_doubtful_ones(
    page: Page, client: httpx.Client, tmp_path: Path
) -> None:
    picture = tmp_path / "keys.png"
    picture.write_bytes(png("Keyboard words"))
    ended(client, start(client, picture))
    page.goto("/")
    expect(row(page, "keys.png")).to_contain_text("done")

    page.keyboard.press("Tab")
    page.keyboard.type("keyboard words")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Found on")).to_be_visible()
    expect(page.locator("mark").first).to_have_text("Keyboard words")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    first, second = (page.locator(".text button", has_text=word).first for word in ("Keyboard", "words"))
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog").get_by_role("status").last).to_contain_text(
        re.compile("% sure|No word is doubtful")
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="keys.png, page 1").first).to_be_focused()


def test_ten_thousand_files_scroll_smoothly_while_they_are_worked_on(
    page: Page, client: httpx.Client, root: Path
) -> None:
    asked = {
        "files": [{"path": f"many/{at:05}.png"} for at in range(10_000)],
        "options": {"stop_on_error_threshold": 1},
    }
    made = client.post("/api/v1/jobs", json=asked)
    page.goto("/")
    rows = card(page, "00000.png").get_by_role("region", name="Files of")
    page.get_by_role("heading", name="9,999 more files").wait_for()

    late = rows.evaluate(
        """async rows => {
            const next = () => new Promise(requestAnimationFrame);
            const times = [];
            for (let at = 0, before = await next(); at < 60; at++) {
                rows.scrollTop += 6000;
                const now = await next();
                times.push(now - before);
                before = now;
            }
            return times.sort((one, other) => one - other)[Math.floor(times.length / 2)];
        }"""
    )
    rows.press("End")

    expect(rows.get_by_text("09999.png")).to_be_visible()
    assert rows.locator("li").count() < 40
    assert rows.locator("li").last.get_attribute("aria-setsize") == "10000"
    # Half of all pictures come within three of a screen's: a list that draws all rows takes a second for each.
    assert late < 50
    client.post(f"/api/v1/jobs/{made.json()['job_id']}/cancel")


def test_a_job_at_work_is_in_sight_however_many_wait_behind_it(
    page: Page, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    first = start(client, material.pdf(tmp_path / "first.pdf", "hq"))
    later = [start(client, *write_papers(tmp_path, 1)) for _ in range(31)]

    page.goto("/")

    expect(card(page, "first.")).to_have_attribute("data-status", "running")
    for job_id in (*later, first):
        client.post(f"/api/v1/jobs/{job_id}/cancel")
    expect(card(page, "first.")).to_have_attribute("data-status", "cancelled")


def test_a_window_out_of_sight_holds_no_connection_that_others_need(
    page: Page, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    job_id = start(client, material.pdf(tmp_path / "seen.pdf", "hq"))
    page.goto("/")

    until(lambda: watchers(client), lambda count: count == 1)
    in_sight(page, is_hidden=True)
    until(lambda: watchers(client), lambda count: count == 0)
    client.post(f"/api/v1/jobs/{job_id}/cancel")
    in_sight(page, is_hidden=False)

    expect(card(page, "seen.")).to_have_attribute("data-status", "cancelled")


def in_sight(page: Page, *, is_hidden: bool) -> None:
    """Tell the page that its window is in the background, or is not."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        is_hidden,
    )


def test_a_proxy_that_answers_for_a_service_that_is_away_is_told_as_one_and_files_are_sent_later(
    page: Page, tmp_path: Path
) -> None:
    picture = tmp_path / "patient.png"
    picture.write_bytes(png("Patient"))
    page.goto("/")
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    away = {"status": 502, "content_type": "text/html", "body": "<h1>Bad Gateway</h1>"}

    page.route("**/api/v1/**", lambda route: route.fulfill(**away))
    page.locator("#files").set_input_files([picture])
    with page.expect_request("**/api/v1/uploads"):
        page.get_by_role("button", name="Read 1 file").click()
    expect(page.get_by_role("alert")).to_contain_text("away")
    page.unroute("**/api/v1/**")

    expect(card(page, "patient.png")).to_have_attribute("data-status", "completed")
    expect(page.locator(".away")).to_have_count(0)


def test_a_page_without_a_clipboard_is_copied_and_who_turns_it_stays_there_while_a_word_is_corrected(
    page: Page, client: httpx.Client, material: Material, tmp_path: Path
) -> None:
    ended(client, start(client, material.pdf(tmp_path / "turned.pdf", "qq")))
    page.goto("/")
    row(page, "turned.pdf").get_by_role("button", name="Show").click()
    page.get_by_role("button", name="Words of turned.pdf").click()
    dialog, held = page.get_by_role("dialog"), list[Route]()
    page.route("**/pages/1/words", lambda route: held.append(route))  # noqa: PLW0108  # it marks what it is given
    dialog.locator(".text button").first.click()
    page.keyboard.press("e")
    page.keyboard.type("Corrected")

    page.keyboard.press("Enter")
    until(lambda: arrived(page, held), bool)
    dialog.get_by_role("button", name="Next page").click()
    expect(dialog.get_by_text("Page 2 of 2")).to_be_visible()
    held[0].continue_()
    expect(dialog.get_by_text("was corrected in all outputs")).to_be_visible()
    expect(dialog.locator(".text button").first).not_to_have_text("Corrected")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    dialog.get_by_role("button", name="Copy text").click()
    expect(dialog.get_by_text("was copied")).to_be_visible()
    first = dialog.locator(".text button").first.inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("searchbox").focus()
    page.keyboard.press("Control+v")

    assert page.get_by_role("searchbox").input_value().startswith(first)


def arrived(page: Page, held: list[Route]) -> list[Route]:
    """Requests that are held, once the browser had time to tell of them."""
    page.wait_for_timeout(10)
    return held


def test_the_page_asks_for_the_token_and_goes_on(browser: Browser, tmp_path: Path) -> None:
    token = "a-token-of-some-length"
    with service(tmp_path, "--token", token) as served:
        page = browser.new_page(base_url=served.address)
        page.goto("/")
        page.get_by_role("textbox", name="Token").fill("a wrong one that is long")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("alert")).to_contain_text("token")
        page.get_by_role("textbox", name="Token").fill(token)
        page.get_by_role("button", name="Go on").click()

        expect(page.get_by_text("No jobs yet.")).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.close()


def test_a_service_that_comes_again_is_found_again_with_its_jobs(
    browser: Browser, tmp_path: Path, material: Material
) -> None:
    with service(tmp_path) as served, served.client() as client:
        job_id = start(client, material.pdf(tmp_path / "lost.pdf", "qh"))
        page = browser.new_page()
        page.goto(served.address)
        expect(card(page, "lost.")).to_have_attribute("data-status", "running")
        until(lambda: client.get(f"/api/v1/jobs/{job_id}").json()["pages_done"], lambda pages: pages > 0)
        port = served.port
        served.process.kill()
        served.process.wait(HANG_SECONDS)
    expect(page.get_by_role("alert")).to_contain_text("away")

    with service(tmp_path, "--port", str(port)) as again:
        again.hold.let_go()
        expect(card(page, "lost.")).to_have_attribute("data-status", "interrupted")
        card(page, "lost.").get_by_role("button", name="Resume").click()
        expect(card(page, "lost.")).to_have_attribute("data-status", "completed")
        expect(page.locator(".away")).to_have_count(0)
        page.close()


def test_a_search_that_stopped_goes_on_by_a_click_to_its_end(
    page: Page, client: httpx.Client, tmp_path: Path
) -> None:
    pictures = [tmp_path / f"on-{number}.png" for number in range(3)]
    for picture in pictures:
        picture.write_bytes(png("Halfway house"))
    ended(client, start(client, *pictures))
    # As a service would answer whose time was over.
    page.route("**/api/v1/search?*", lambda route: route.continue_(url=f"{route.request.url}&limit=2"))
    page.goto("/")
    page.get_by_role("searchbox").fill("halfway house")
    page.get_by_role("search").get_by_role("button").click()
    found = page.locator(".search li button")
    expect(found).to_have_text(["on-0.png, page 1", "on-1.png, page 1"])
    expect(page.get_by_role("status").filter(has_text="there may be more")).to_be_visible()

    page.get_by_role("button", name="Search on").click()
    expect(found).to_have_text([f"on-{number}.png, page 1" for number in range(3)])
    expect(page.get_by_role("button", name="Search on")).to_have_count(0)


def test_what_a_message_sets_apart_is_shown_as_code(page: Page, client: httpx.Client, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pdf"
    locked.write_bytes(encrypted("secret"))
    job_id = start(client, locked)
    [told] = ended_files(client, job_id)
    assert "`passwords`" in told["error"]["message"]
    page.goto("/")
    row(page, "locked.pdf").get_by_role("button", name="Show").click()

    state = card(page, "locked.pdf").locator("li .state")
    expect(state.locator("code")).to_have_text("passwords")
    expect(state).to_contain_text("give it (passwords)")
    expect(state).to_have_attribute("title", re.compile(r"give it \(passwords\)"))
    assert "`" not in page.locator("body").inner_text()


def test_all_files_of_a_folder_are_read_by_its_path(page: Page, root: Path, material: Material) -> None:
    material.quick_files(root / "by path", 3)
    page.goto("/")
    page.get_by_text("Files on the machine of the service").click()
    page.get_by_label("Files and folders, one a line").fill("by path")
    page.get_by_role("button", name="Read them").click()

    expect(card(page, "quick-001.png")).to_contain_text("Done: 3 of 3 files")
