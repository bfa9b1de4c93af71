"""What became of a file, whether it was delivered or not."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.model.tasks import Failure, Opened, OpenTask, PageDone, PageSettings, PageTask, Source
from ocr_worker.processes import child
from tests.pages.desk import Desk


def page_of(
    desk: Desk, content: bytes, name: str = "file.pdf", password: str | None = None
) -> PageDone | Failure:
    """The first page as a page process does it, or the failure of that or of the opening."""
    path = desk.folder / name
    path.write_bytes(content)
    source = Source(str(path), password)
    opened = child.run(desk.bench, OpenTask(source, PageSettings()))
    if isinstance(opened, Failure):
        return opened
    assert isinstance(opened, Opened)
    task = PageTask(source, PageSettings(), 1, str(desk.folder / "1.page"))
    done = child.run(desk.bench, task)
    assert isinstance(done, (PageDone, Failure))
    return done


def failure_of(desk: Desk, content: bytes, name: str = "file.pdf") -> Failure:
    done = page_of(desk, content, name)
    assert isinstance(done, Failure), done
    return done


def file_of(desk: Desk, content: bytes, name: str) -> Path:
    path = desk.folder / name
    path.write_bytes(content)
    return path
