"""What was read: words and boxes, pictures of pages, downloads, a zip, search."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import img2pdf
import pypdfium2 as pdfium
import pytest
from PIL import Image

from ocr_worker.server.places import Places
from ocr_worker.server.results import EXCERPT, Place, Search, excerpt
from ocr_worker.store.job_store import JobStore
from rigs.papers import write_papers
from rigs.service import ended
from tests.e2e.material import Material
from tests.faults.pictures import png
from tests.limits import HANG_SECONDS
from tests.server.service import Service, start


@dataclass(frozen=True, slots=True)
class Changed:
    """A file whose results lie where anybody may change them."""

    address: str
    path: Path
    lines: list[str]


@pytest.fixture(scope="module")
def changed(client: httpx.Client, root: Path) -> Changed:
    folder = root / "changed"
    folder.mkdir()
    (folder / "picture.png").write_bytes(png())
    order = {"files": [{"path": "changed/picture.png"}], "output_dir": "changed"}
    job_id = client.post("/api/v1/jobs", json=order).json()["job_id"]
    ended(client, job_id)
    (results,) = folder.glob("*_ocr_results.json")
    return Changed(f"/api/v1/jobs/{job_id}/files/1", results, results.read_text(encoding="utf-8").split("\n"))


@pytest.fixture(scope="module")
def read(client: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A job of a picture with words that was read; the address of its file."""
    picture = tmp_path_factory.mktemp("picture") / "picture.png"
    picture.write_bytes(png())
    job_id = start(client, picture)
    assert ended(client, job_id)[-1].data["status"] == "completed"
    return f"/api/v1/jobs/{job_id}/files/1"


def test_a_page_has_its_words_with_boxes_and_confidence_as_the_results_file_has_them(
    client: httpx.Client, read: str
) -> None:
    page = client.get(f"{read}/pages/1").json()
    record = client.get(f"{read}/outputs/json").json()["pages"][0]

    assert page["page_count"] == 1
    assert page["text"] == record["text"]
    assert page["text"].strip()
    assert [word["box_px"] for line in page["lines"] for word in line["words"]] == [
        word["box_px"] for line in record["lines"] for word in line["words"]
    ]
    assert client.get(f"{read}/pages/2").status_code == 404


def test_a_picture_of_a_page_has_its_shape_and_is_kept(client: httpx.Client, read: str) -> None:
    page = client.get(f"{read}/pages/1").json()

    picture, small = client.get(f"{read}/pages/1/picture"), client.get(f"{read}/pages/1/thumbnail")
    again = client.get(f"{read}/pages/1/picture", headers={"If-None-Match": picture.headers["etag"]})

    assert (picture.headers["content-type"], small.headers["content-type"]) == ("image/jpeg", "image/jpeg")
    seen = Image.open(io.BytesIO(picture.content))
    assert seen.width / seen.height == pytest.approx(page["width_px"] / page["height_px"], rel=0.02)
    assert max(Image.open(io.BytesIO(small.content)).size) <= 240
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "status", "slice_"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-99999999", 206, slice(5, None)),
        ("bytes=0-1,3-4", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=9-3", 200, slice(None)),
        ("Bytes=0-9", 206, slice(0, 10)),
        ("bytes=" + "9" * 5000 + "-", 200, slice(None)),
    ],
)
def test_a_download_by_range(client: httpx.Client, read: str, asked: str, status: int, slice_: slice) -> None:
    whole = client.get(f"{read}/outputs/pdf").content

    part = client.get(f"{read}/outputs/pdf", headers={"Range": asked})

    assert (part.status_code, part.content) == (status, whole[slice_])


def test_a_download_says_its_name_type_and_version(client: httpx.Client, read: str) -> None:
    whole = client.get(f"{read}/outputs/pdf")
    tag = whole.headers["etag"]

    unchanged = client.get(f"{read}/outputs/pdf", headers={"If-None-Match": tag})
    stale = client.get(f"{read}/outputs/pdf", headers={"If-Range": '"other"', "Range": "bytes=0-9"})
    beyond = client.get(f"{read}/outputs/pdf", headers={"Range": "bytes=99999999-"})
    kept = client.get(f"{read}/outputs/pdf", headers={"If-Match": tag, "Range": "bytes=0-9"})
    other = client.get(f"{read}/outputs/pdf", headers={"If-Match": '"other"', "Range": "bytes=0-9"})

    assert whole.headers["content-disposition"] == "attachment; filename*=UTF-8''picture.pdf"
    assert whole.headers["content-type"] == "application/pdf"
    assert unchanged.status_code == 304
    assert (stale.status_code, stale.content) == (200, whole.content)
    assert (kept.status_code, other.status_code) == (206, 412)
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")


LONG_AGO, SOON = "Mon, 01 Jan 2001 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ([("If-None-Match", '"other", {tag}')], 304),
        ([("If-None-Match", '"other"'), ("If-None-Match", "{tag}")], 304),
        ([("If-None-Match", "W/{tag}")], 304),
        ([("If-None-Match", "*")], 304),
        ([("If-None-Match", '"other"'), ("If-Modified-Since", "{changed}")], 200),
        ([("If-Modified-Since", "{changed}")], 304),
        ([("If-Modified-Since", SOON)], 304),
        ([("If-Modified-Since", LONG_AGO)], 200),
        ([("If-Modified-Since", "yesterday")], 200),
        ([("If-Match", "*")], 200),
        ([("If-Match", "W/{tag}")], 412),
        ([("If-Match", '"other"'), ("If-Match", "{tag}")], 200),
        ([("If-Unmodified-Since", LONG_AGO)], 412),
        ([("If-Unmodified-Since", "{changed}")], 200),
        ([("If-Match", "{tag}"), ("If-Unmodified-Since", LONG_AGO)], 200),
        ([("Range", "bytes=0-1"), ("If-Range", "{changed}")], 206),
        ([("Range", "bytes=0-1"), ("If-Range", LONG_AGO)], 200),
        ([("Range", "bytes=0-1"), ("If-Range", "W/{tag}")], 200),
    ],
)
def test_a_condition_counts_as_http_has_it(
    client: httpx.Client, read: str, asked: list[tuple[str, str]], status: int
) -> None:
    known = client.head(f"{read}/outputs/pdf").headers
    headers = [
        (name, value.format(tag=known["etag"], changed=known["last-modified"])) for name, value in asked
    ]

    assert client.get(f"{read}/outputs/pdf", headers=headers).status_code == status


def test_the_page_is_not_sent_again_to_who_has_it(client: httpx.Client) -> None:
    for path in ("/", "/static/page.js"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})

        assert (first.headers["cache-control"], again.status_code, again.content) == (
            "private, no-cache", 304, b"",
        )  # fmt: skip


def test_who_asks_for_the_head_hears_the_same_without_the_body(client: httpx.Client, read: str) -> None:
    for path in (f"{read}/outputs/pdf", f"{read}/pages/1/thumbnail", read, "/api/v1/health", "/"):
        whole, head = client.get(path), client.head(path)

        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "content-type", "etag"):
            assert head.headers.get(name) == whole.headers.get(name), (path, name)
    part = client.head(f"{read}/outputs/pdf", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.headers["content-length"]) == (206, "4")
    assert client.head(f"{read}/outputs/alto").status_code == 404


def test_a_job_is_downloaded_as_one_zip(client: httpx.Client, tmp_path: Path) -> None:
    year = time.localtime().tm_year
    job_id = start(client, *write_papers(tmp_path, 2))
    ended(client, job_id)

    answer = client.get(f"/api/v1/jobs/{job_id}/archive")

    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            f"paper0{number}{suffix}" for number in (1, 2) for suffix in (".pdf", ".txt", "_ocr_results.json")
        }
        assert {entry.date_time[0] for entry in archive.infolist()} <= {year, time.localtime().tm_year}


def test_a_zip_says_which_outputs_are_not_in_it(client: httpx.Client, root: Path) -> None:
    folder = root / "zipped"
    asked = {"files": [{"path": str(paper)} for paper in write_papers(folder, 2)], "output_dir": str(folder)}
    job_id = client.post("/api/v1/jobs", json={**asked, "options": {"outputs": ["txt"]}}).json()["job_id"]
    ended(client, job_id)
    (folder / "paper01.txt").unlink()

    answer = client.get(f"/api/v1/jobs/{job_id}/archive")

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["paper02.txt", "left_out.txt"]
        assert archive.read("left_out.txt").decode() == "paper01.txt\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are no UTF-8")
def test_outputs_whose_names_are_no_utf_8_are_downloaded_too(
    served: Service, client: httpx.Client, root: Path
) -> None:
    folder = root / "other letters"
    folder.mkdir()
    # Latin-1, as an old archive has it.
    picture = folder / os.fsdecode(b"pap\xe9.png")
    picture.write_bytes(png())
    command = [sys.executable, "-m", "ocr_worker", "batch", str(picture), "--output-dir", str(folder)]
    surroundings = {**os.environ, "OCR_WORKER_STATE_DIR": str(served.state_dir)}
    subprocess.run(command, env=surroundings, check=True, capture_output=True, timeout=HANG_SECONDS)
    job_id = client.get("/api/v1/jobs", params={"limit": 1}).json()["jobs"][0]["job_id"]

    (name,) = (file["name"] for file in client.get(f"/api/v1/jobs/{job_id}/files").json()["files"])
    answer = client.get(f"/api/v1/jobs/{job_id}/files/1/outputs/txt")
    archive = client.get(f"/api/v1/jobs/{job_id}/archive")

    assert name == "other letters/pap?.png"
    assert answer.text.strip()
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''pap%25E9.txt"
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.testzip() is None
        assert set(opened.namelist()) == {"pap%E9.pdf", "pap%E9.txt", "pap%E9_ocr_results.json"}


@pytest.mark.parametrize(
    "page",
    [
        {"page": 1},
        {"page": 1, "text": 3},
        {"page": 1, "text": "gone"},
        {"page": 1, "text": "gone", "rotation": [], "width_px": 1, "height_px": 1, "lines": []},
        {"page": 1, "text": "gone", "rotation": 0, "width_px": 1e999, "height_px": 1, "lines": []},
        {"page": 1, "text": "gone", "rotation": 0, "width_px": 1, "height_px": 1, "lines": [{"words": [{}]}]},
        {"page": 1, "text": "gone", "page_count": 2},
    ],
)
def test_results_that_somebody_has_changed_are_said_to_be_and_hide_no_others(
    client: httpx.Client, read: str, changed: Changed, page: dict[str, Any]
) -> None:
    head, pages, _, *rest = changed.lines
    changed.path.write_text("\n".join([head, pages, json.dumps(page), *rest]), encoding="utf-8")

    for part in ("pages/1", "pages/1/thumbnail"):
        answer = client.get(f"{changed.address}/{part}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "corrupt"), part
    word = client.get(f"{read}/outputs/txt").text.split()[0]
    found = client.get("/api/v1/search", params={"q": word}).json()["found"]
    assert read.split("/")[4] in {page["job_id"] for page in found}


def searched(client: httpx.Client, words: str, limit: int) -> list[tuple[str, int, int]]:
    """What a search finds that is told of so many pages at a time, to its end."""
    found, place = list[tuple[str, int, int]](), dict[str, str]()
    while True:
        told = client.get("/api/v1/search", params={"q": words, "limit": limit, **place}).json()
        assert len(told["found"]) <= limit
        found += [(page["job_id"], page["number"], page["page"]) for page in told["found"]]
        assert told["complete"] is (told["next"] is None)
        if told["complete"]:
            return found
        place = {"next": told["next"]}


def test_a_search_goes_on_where_it_stopped_through_all_pages_files_and_jobs(
    client: httpx.Client, tmp_path: Path, material: Material
) -> None:
    long = material.pdf(tmp_path / "long.pdf", "qqq")
    jobs = [
        start(client, long, *material.quick_files(tmp_path / "more", 2), languages=["eng"]) for _ in range(2)
    ]
    for job_id in jobs:
        ended(client, job_id)
    word = client.get(f"/api/v1/jobs/{jobs[0]}/files/1/pages/1").json()["text"].split()[0]

    whole = searched(client, word, 200)
    assert whole[:3] == [(jobs[1], 1, 1), (jobs[1], 1, 2), (jobs[1], 1, 3)]
    assert len(set(whole)) == len(whole)
    assert searched(client, word, 1) == searched(client, word, 2) == whole


def test_a_search_without_time_looks_through_a_file_at_a_time_and_comes_to_its_end(
    served: Service, client: httpx.Client, root: Path
) -> None:
    places, found, begin, rounds = Places(served.state_dir, (root,)), list[Any](), Place(), 0
    with closing(JobStore(served.state_dir)) as store:
        while True:
            told = Search(places, "e", 200, -1.0, begin).run(store)
            found, rounds = found + told.found, rounds + 1
            if told.next is None:
                break
            begin = Place.parsed(told.next)
        whole = Search(places, "e", 10_000, 3600, Place()).run(store)

    assert rounds > 3
    assert whole.complete
    assert found == whole.found


@pytest.mark.parametrize("place", ["1-2-3", "1.0-" + 24 * "x" + "-1-1", "", "9" * 400])
def test_a_search_goes_on_from_no_other_place(client: httpx.Client, place: str) -> None:
    assert client.get("/api/v1/search", params={"q": "a", "next": place}).status_code == 422


def test_a_search_finds_the_pages_of_all_jobs_whatever_the_case(client: httpx.Client, tmp_path: Path) -> None:
    papers = write_papers(tmp_path / "one", 2)
    papers[1].rename(tmp_path / "searched.pdf")
    job_id = start(client, tmp_path / "searched.pdf")
    ended(client, job_id)

    hit = client.get("/api/v1/search", params={"q": "this IS paper02"}).json()
    miss = client.get("/api/v1/search", params={"q": "nothing of the kind"}).json()

    assert hit["complete"] is True
    assert hit["found"][0] == {
        "job_id": job_id, "number": 1, "name": "searched.pdf", "page": 1, "excerpt": hit["found"][0]["excerpt"],
    }  # fmt: skip
    assert "This is paper02" in hit["found"][0]["excerpt"]
    assert miss == {"found": [], "complete": True, "next": None}


@pytest.mark.parametrize("before", ["", "Straße " * 40, "İstanbul " * 40, "x" * 200 + " "])
@pytest.mark.parametrize("after", ["", " Straße" * 40, " " + "x" * 200])
def test_an_excerpt_has_whole_words_around_what_was_found(before: str, after: str) -> None:
    text = f"{before}am Großen Ziel{after}"
    wanted = "GROSSEN ziel".casefold()

    shown = excerpt(text, text.casefold().find(wanted), len(wanted))

    assert "am Großen Ziel" in shown
    assert len(shown) <= len("Großen Ziel") + 2 * EXCERPT
    assert set(shown.split()) <= {*text.split(), "x" * (EXCERPT - len("am ")), "x" * (EXCERPT - len(" "))}


def test_outputs_of_other_folders_and_links_that_lead_there_are_not_shown(
    served: Service, client: httpx.Client, root: Path, tmp_path: Path, material: Material
) -> None:
    """A job below a root, one of whose outputs was then replaced by a link to a file elsewhere."""
    material.quick_files(root / "linked", 1)
    made = client.post(
        "/api/v1/jobs", json={"files": [{"path": "linked/quick-001.png"}], "output_dir": "linked/out"}
    )
    job_id = made.json()["job_id"]
    ended(client, job_id)
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    shown = client.get(f"/api/v1/jobs/{job_id}/files/1/outputs/txt").status_code
    output = root / "linked" / "out" / "quick-001.txt"
    output.unlink()
    output.symlink_to(secret)

    refused = client.get(f"/api/v1/jobs/{job_id}/files/1/outputs/txt")
    archive = client.get(f"/api/v1/jobs/{job_id}/archive")

    assert (shown, refused.status_code) == (200, 403)
    assert b"secret" not in archive.content
    assert "quick-001.txt" not in zipfile.ZipFile(io.BytesIO(archive.content)).namelist()


def test_the_service_says_what_it_can_and_how_it_fares(client: httpx.Client) -> None:
    health, languages = client.get("/api/v1/health").json(), client.get("/api/v1/languages").json()
    metrics = client.get("/api/v1/metrics")

    assert (health["status"], health["token_needed"]) == ("ok", False)
    assert "eng" in languages["languages"]
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'ocr_jobs{state="completed"}' in metrics.text
    lines = metrics.text.splitlines()
    samples = {re.split(r"[ {]", line, maxsplit=1)[0] for line in lines if not line.startswith("#")}
    for told in ("HELP", "TYPE"):
        assert {line.split(" ")[2] for line in lines if line.startswith(f"# {told} ")} == samples


def test_a_failed_file_is_told_without_a_path_of_the_machine(
    served: Service, client: httpx.Client, root: Path
) -> None:
    (root / "deep").mkdir()
    (root / "deep" / "empty.pdf").touch()
    made = client.post(
        "/api/v1/jobs", json={"files": [{"path": "deep/empty.pdf"}, {"path": "deep/missing.pdf"}]}
    )
    job_id = made.json()["job_id"]

    heard = ended(client, job_id)
    files = client.get(f"/api/v1/jobs/{job_id}/files").json()["files"]

    assert [(file["name"], file["error"]["code"]) for file in files] == [
        ("deep/empty.pdf", "empty"),
        ("deep/missing.pdf", "not_found"),
    ]
    assert str(root) not in json.dumps([files, [event.data for event in heard]])


@pytest.mark.parametrize("pages", [1, 2])
def test_a_word_that_was_misread_is_put_right_in_all_outputs(
    client: httpx.Client, tmp_path: Path, pages: int
) -> None:
    source = tmp_path / "misread.png"
    source.write_bytes(png("Some words here"))
    if pages > 1:
        scans, source = [str(source)] * pages, tmp_path / "misread.pdf"
        source.write_bytes(img2pdf.convert(scans))
    job_id = start(client, source, outputs=["pdf", "txt", "json", "hocr"])
    ended(client, job_id)
    at = f"/api/v1/jobs/{job_id}/files/1"
    before = client.get(f"{at}/outputs/json").json()
    [line] = before["pages"][-1]["lines"]

    after = client.post(f"{at}/pages/{pages}/words", json={"words": [{"word": 1, "text": "corrected & put"}]})
    results = client.get(f"{at}/outputs/json").json()
    text, hocr = (client.get(f"{at}/outputs/{kind}").text for kind in ("txt", "hocr"))
    pdf = [
        " ".join(page.get_textpage().get_text_bounded().split())
        for page in pdfium.PdfDocument(client.get(f"{at}/outputs/pdf").content)
    ]
    refused = [
        client.post(f"{at}/pages/{page}/words", json={"words": [{"word": word, "text": said}]}).status_code
        for page, word, said in ((1, 3, "far"), (3, 0, "no page"), (1, 0, " blank"), (1, 0, "line\nbreak"))
    ]

    assert after.status_code == 200, after.text
    assert after.json() == client.get(f"{at}/pages/{pages}").json()
    changed = after.json()["lines"][0]["words"][1]
    assert changed == {"text": "corrected & put", "confidence": 100.0, "box_px": line["words"][1]["box_px"]}
    assert text.endswith("Some corrected & put here\n")
    assert "corrected &amp; put" in hocr
    assert pdf == ["Some words here"] * (pages - 1) + ["Some corrected & put here"]
    # All else is as it was: pages, and what the results say of the outputs beside them.
    assert results["pages"][:-1] == before["pages"][:-1]
    assert {**results["pages"][-1], "lines": 0, "text": 0, "confidence": 0} == {
        **before["pages"][-1], "lines": 0, "text": 0, "confidence": 0,
    }  # fmt: skip
    assert {kind: one["bytes"] for kind, one in results["outputs"].items()} == {
        kind: len(client.get(f"{at}/outputs/{kind}").content) for kind in ("pdf", "txt", "hocr")
    }
    assert (results["engine"], results["models"]) == (before["engine"], before["models"])
    assert refused == [404, 404, 422, 422]
