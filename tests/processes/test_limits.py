"""What a page process takes of the processors beside others."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_worker.processes import limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has classes of priority")


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., limits.Limits]:
    """Have a process with a session of its own begin, without holding this one to anything."""
    session = tmp_path / "autogroup"
    session.touch()
    monkeypatch.setattr(limits, "SESSION", str(session))
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(os, "getsid", lambda _: os.getpid())
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    monkeypatch.setattr(limits, "FIRST_TO_GO", "0")

    def begun(*, gives_way: bool = True) -> limits.Limits:
        made = limits.Limits(4096, gives_way=gives_way)
        made.begin()
        return made

    return begun


def test_the_session_of_a_page_process_gives_way(begin: Callable[..., limits.Limits], tmp_path: Path) -> None:
    begin()

    assert (tmp_path / "autogroup").read_text(encoding="ascii") == str(limits.SESSION_NICENESS)


def test_a_process_that_somebody_waits_for_keeps_its_session(
    begin: Callable[..., limits.Limits], tmp_path: Path
) -> None:
    process = begin(gives_way=False)
    process.allow_task()

    assert (tmp_path / "autogroup").read_text(encoding="ascii") == ""


def test_a_session_that_could_not_be_lowered_at_once_is_with_the_next_task(
    begin: Callable[..., limits.Limits], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, refused = os.write, list[int]()

    def refuse(handle: int, _: bytes) -> int:
        refused.append(handle)
        raise BlockingIOError

    monkeypatch.setattr(os, "write", refuse)
    process = begin()
    monkeypatch.setattr(os, "write", write)
    before = (tmp_path / "autogroup").read_text(encoding="ascii")
    process.allow_task()

    assert (before, (tmp_path / "autogroup").read_text(encoding="ascii")) == (
        "",
        str(limits.SESSION_NICENESS),
    )
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(refused[0])


def test_a_session_that_others_share_is_left_as_it_is(
    begin: Callable[..., limits.Limits], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getsid", lambda _: os.getppid())

    begin()

    assert (tmp_path / "autogroup").read_text(encoding="ascii") == ""
