"""All cases in one batch of one worker: each a true verdict, the worker alive, and nothing left in any folder."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Name
from PIL import Image

from tests.cases import packed, shown
from tests.cases import test_09_jpegs_every_viewer_shows as jpegs
from tests.cases import test_11_colours_of_image_files as colours
from tests.cases import test_13_reduced_pages_of_tiffs as reduced
from tests.cases import test_14_unsupported_is_not_damaged as foreign
from tests.cases import test_15_passwords_not_ascii as passwords
from tests.cases import test_16_structure_only_qpdf_refuses as refused
from tests.cases import test_24_good_pdf_called_corrupt as odd
from tests.cases import test_forms_that_draw_each_other as endless
from tests.cases import test_what_viewers_forgive as forgiven
from tests.faults import aftermath, documents, pictures
from tests.faults.host import Spawn, Worker, running

pytestmark = pytest.mark.long
Make = Callable[[], bytes]
MOON, SCAN = ("Harvest moon",), (shown.LINES[0], shown.LINES[-1])


@dataclass(frozen=True, slots=True)
class Case:
    make: Make
    words: tuple[str, ...] = ()
    """In the text, where it is delivered."""
    code: str = ""
    """Why it is not."""
    status: str = "ok"
    """Of its pages."""
    warning: str = ""
    """What is said of the file or a page; nothing where this is empty."""
    password: str | None = None


def of_scan(change: Callable[[bytes], bytes]) -> bytes:
    return change(documents.whole(documents.scan()))


def odd_scan(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with documents.scan() as pdf:
        change(pdf)
        return documents.whole(pdf, **documents.UNTOUCHED, fix_metadata_version=False)


def on_page(content: bytes) -> bytes:
    with pikepdf.new() as pdf:
        shown.page(pdf, content)
        return documents.whole(pdf)


def jpeg_of(change: Callable[[bytes], bytes]) -> bytes:
    content = change(pictures.saved(packed.page(), "JPEG", quality=90))
    return packed.filling(content, [Name.DCTDecode], jpegs.GREY)


def damaged_jpeg(damage: str) -> bytes:
    options, change = forgiven.DAMAGES[damage]
    return change(forgiven.jpeg(**options))


def black() -> bytes:
    return pictures.saved(Image.new("L", (640, 800), 0), "PNG", dpi=(200, 200))


def cases() -> Iterator[tuple[str, Case]]:
    for name in packed.PICTURES:
        yield f"filter-{name}.pdf", Case(partial(packed.pictured, name), packed.WORDS)
        yield f"half-{name}.pdf", Case(partial(packed.pictured, name, packed.cut(0.5)), code="corrupt")
    for name in packed.CONTENTS:
        yield f"content-{name}.pdf", Case(partial(packed.typed, name), ("Row 29",), status="has_text")
        yield f"torn-{name}.pdf", Case(partial(packed.typed, name, packed.cut(0.3)), code="corrupt")
    for name, change in odd.CHANGES.items():
        yield f"odd-{name}.pdf", Case(partial(odd_scan, change), MOON)
    for name, mend in jpegs.CHANGES.items():
        yield f"jpeg-{name}.pdf", Case(partial(jpeg_of, mend), packed.WORDS)
    for name, make in endless.ENDLESS.items():
        yield f"endless-{name}.pdf", Case(partial(endless.endless, make), code="corrupt")
    for name, text in {"stamp": shown.text("RECEIVED 4711", 20, 10, 6), "white": shown.text(shown.NOTE, 40, 300, 5, "1 1 1 rg"),
                       "tiny": shown.text(shown.NOTE, 40, 300, 1)}.items():  # fmt: skip
        yield f"beside-{name}.pdf", Case(partial(on_page, shown.WHOLE_PAGE + text), SCAN)
    yield from of_pictures()
    yield from of_structure()


def of_pictures() -> Iterator[tuple[str, Case]]:
    for name, change in forgiven.PNGS.items():
        said = "resolution" if name == "resolution-checksum" else ""
        yield (
            f"png-{name}.png",
            Case(partial(lambda change: change(forgiven.png()), change), packed.WORDS, warning=said),
        )
    for name in forgiven.DAMAGES:
        yield f"damaged-{name}.jpg", Case(partial(damaged_jpeg, name), warning="is damaged|cut short")
    for number, make in enumerate(colours.TIFFS.values()):
        yield f"colours-{number}.tif", Case(make, (shown.LINES[0],), warning="resolution")
    for name, tag in reduced.THUMBNAILS.items():
        yield (
            f"reduced-{name}.tif",
            Case(partial(reduced.tiff, ("Harvest moon", None), ("Little", tag)), MOON),
        )
    for name, content in foreign.FOREIGN.items():
        yield f"foreign-{name}.tif", Case(partial(bytes, content), code="unsupported_type")
    yield "black.png", Case(black, status="unread", warning="ink")
    yield "white.png", Case(pictures.blank, status="blank")


def of_structure() -> Iterator[tuple[str, Case]]:
    for name, change in forgiven.PDFS.items():
        yield f"pdf-{name}.pdf", Case(partial(of_scan, change), MOON, warning="damaged")
    for name, change in forgiven.CONTAINERS.items():
        yield f"holds-{name}.bin", Case(partial(of_scan, change), code="unsupported_type")
    for name, (content, password) in passwords.FILES.items():
        yield f"locked-{name}.pdf", Case(partial(bytes, content), MOON, password=password)
        yield f"shut-{name}.pdf", Case(partial(bytes, content), code="encrypted")
    yield "renumbered.pdf", Case(lambda: refused.renumbered(refused.plain()), MOON, warning="rebuilt")


CASES = dict(cases())


@dataclass(frozen=True, slots=True)
class Session:
    home: Path
    worker: Worker
    result: dict[str, Any]
    wrong: dict[str, str]
    """By the file's name, what is wrong with its verdict."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("all")
    folder = home / "in"
    folder.mkdir()
    for name, case in CASES.items():
        (folder / name).write_bytes(case.make())
    words = {str(folder / name): case.password for name, case in CASES.items() if case.password}
    with running(home, Spawn({"OCR_WORKER_PAGE_PROCESSES": "2"})) as worker:
        files = [folder / name for name in CASES]
        result = worker.batch(files, home / "out", stop_on_error_threshold=1.0, passwords=words)
        yield Session(
            home,
            worker,
            result,
            {name: _wrong(CASES[name], entry) for name, entry in _entries(result).items()},
        )


def _entries(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    entries = [entry for key in ("successful", "failed", "skipped") for entry in result[key]]
    assert Counter(Path(entry["file"]).name for entry in entries) == Counter(list(CASES))
    return {Path(entry["file"]).name: entry for entry in entries}


def _wrong(case: Case, entry: dict[str, Any]) -> str:
    if case.code:
        codes = {entry.get("code"), *(page["code"] for page in entry.get("failed_pages", []))}
        return "" if case.code in codes else f"{codes} is not {case.code}"
    if "outputs" not in entry:
        return f"not delivered: {entry}"
    record = json.loads(Path(entry["outputs"]["json"]).read_bytes())
    statuses = {page["status"] for page in record["pages"]}
    said = " ".join(
        [
            *record.get("warnings", []),
            *(text for page in record["pages"] for text in page.get("warnings", [])),
        ]
    )
    missing = [
        words
        for words in case.words
        if words not in Path(entry["outputs"]["txt"]).read_text(encoding="utf-8")
    ]
    if statuses != {case.status} or missing:
        return f"{statuses}, without {missing}"
    return "" if _is_said(case.warning, said) else f"it says {said!r}"


def _is_said(warning: str, said: str) -> bool:
    return bool(re.search(warning, said)) if warning else not said


@pytest.mark.parametrize("name", CASES)
def test_each_case_in_a_batch_of_all_has_its_true_verdict(name: str, session: Session) -> None:
    assert session.wrong[name] == ""


def test_a_batch_of_all_takes_no_process_along_and_leaves_nothing_behind(session: Session) -> None:
    worker = session.worker
    assert session.result["statistics"]["worker_restarts"] == 0
    assert worker.ask("ping")["data"]["state"] == "idle"
    assert list(worker.temp.iterdir()) == []
    assert aftermath.what_a_kill_left(worker.state, session.home / "out") == []
    assert not [left for left in (worker.state / "jobs").rglob("*") if left.is_file()]
