"""An engine is loaded when the first page is to be read, and a page that nobody need read does without."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ocr_worker.engines.ocr import loaded, tesseract_factories
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.errors import EngineMissingError
from ocr_worker.files.bounded import Look
from ocr_worker.model.tasks import PageDone, PageSettings, WarmTask
from ocr_worker.processes.slot import warm_task
from samples import save_blank_book, save_text_book
from tests.faults import pictures
from tests.pages.desk import Desk

ENGINE: Any = SimpleNamespace(name="one that reads")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The languages of engines that are loaded; none of them can be."""
    asked: list[tuple[str, ...]] = []

    def load(_: object, languages: tuple[str, ...], *__: object) -> None:
        asked.append(languages)
        raise EngineMissingError("not this time")

    for factory in (tesseract_factories.LinesFactory, tesseract_factories.TesserocrFactory):
        monkeypatch.setattr(factory, "load", load)
    return asked


def test_blank_pages_and_pages_of_real_text_are_done_without_one(
    tmp_path: Path, asked: list[tuple[str, ...]]
) -> None:
    save_blank_book(tmp_path / "blank.pdf", 2)
    save_text_book(tmp_path / "text.pdf", 1)
    desk = Desk(tmp_path)
    desk.bench.run(WarmTask(PageSettings()))

    blank, text = (desk.process(tmp_path / f"{name}.pdf") for name in ("blank", "text"))

    assert [page.status for page in (*blank.pages, *text.pages)] == ["blank", "blank", "has_text"]
    assert (blank.record["engine"], blank.record["models"]) == (None, [])
    assert asked == []
    assert desk.reopen(tmp_path / "blank.pdf", blank).up_to_date


def test_a_picture_needs_one_and_tells_what_is_wrong_with_it(
    tmp_path: Path, asked: list[tuple[str, ...]]
) -> None:
    (tmp_path / "page.png").write_bytes(pictures.saved(pictures.sheet("Moon", size=(400, 200)), "PNG"))

    done = Desk(tmp_path).process(tmp_path / "page.png")

    assert "not this time" in str(done.record["pages"])
    assert asked == [("eng",)]


def test_an_engine_that_takes_long_is_loaded_ahead(
    tmp_path: Path, asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit of a page does not run meanwhile."""
    slow = replace(tesseract_factories.HINTS, is_quick_to_load=False)
    monkeypatch.setattr(tesseract_factories, "HINTS", slow)

    with pytest.raises(EngineMissingError, match="not this time"):
        Desk(tmp_path).bench.run(warm_task(PageSettings()))

    assert asked == [("eng",)]


@pytest.fixture
def takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """To load an engine takes 2.5 s, and is done once."""
    clock = iter((10.0, 12.5))
    monkeypatch.setattr(Engines, "_loaded", lambda *_: (ENGINE, "hints"))
    monkeypatch.setattr(loaded, "time", SimpleNamespace(monotonic=lambda: next(clock)))


@pytest.mark.usefixtures("takes_long")
def test_no_page_has_waited_for_an_engine_that_was_loaded_ahead(tmp_path: Path) -> None:
    bench = Desk(tmp_path).bench

    bench.run(WarmTask(PageSettings(), with_engine=True))

    assert bench.engines.loading_seconds() == 0.0


def test_an_engine_is_loaded_while_its_first_page_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, threads = threading.Event(), list[threading.Thread]()

    def load(*_: object) -> tuple[SimpleNamespace, str]:
        threads.append(threading.current_thread())
        begun.set()
        return ENGINE, "hints"

    monkeypatch.setattr(Engines, "_loaded", load)
    engines = Engines(tmp_path)
    engines.begin(PageSettings())

    assert begun.wait(60)
    assert engines.engine(PageSettings()) is ENGINE
    engines.begin(PageSettings())
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


@pytest.mark.usefixtures("takes_long")
def test_what_a_page_waits_for_its_engine_is_no_time_of_the_page(tmp_path: Path) -> None:
    engines = Engines(tmp_path)

    for _ in range(2):
        engines.engine(PageSettings())
    waited = [engines.loading_seconds() for _ in range(2)]

    assert waited == [2.5, 0.0]
    for loading, page in ((2.5, 0.5), (0.0, 3.0), (7.0, 0.0), (-1.0, 3.0)):
        assert PageDone(1, "ok", 1, 90.0, 3.0, loading_seconds=loading).without_loading(3.0) == page


def test_what_fails_beside_fails_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    look = Look(fail, daemon=False)
    look.wait(None)

    with pytest.raises(KeyboardInterrupt):
        look.answer("The engine")
