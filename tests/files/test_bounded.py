"""A place that hangs costs what lies there, and no time of anybody else."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from ocr_worker.errors import UnreachableError
from ocr_worker.files import bounded
from ocr_worker.files.bounded import Glances, Identity, identities, nearest
from tests.e2e.tree import wait_until

SECONDS = 0.2


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A share below /dead that does not answer until the test ends; what was asked of it."""
    asked, woken, real = list[str](), threading.Event(), os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        if str(path).startswith("/dead/"):
            asked.append(path)
            woken.wait()
        return real(path, **options)

    monkeypatch.setattr("ocr_worker.files.bounded.os.stat", stat)
    yield asked
    woken.set()


def test_an_answer_comes_through_and_so_does_an_error() -> None:
    assert Glances().take(lambda: 7, "/x/y") == 7
    with pytest.raises(ZeroDivisionError):
        Glances().take(lambda: 1 // 0, "/x/y")


def test_without_room_for_a_thread_it_is_looked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert Glances().take(lambda: 7, "/x/y") == 7


def test_who_gets_no_answer_goes_on_and_asks_nothing_more_in_that_folder_until_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded, "MOMENT_SECONDS", SECONDS)
    glances, woken, asked = Glances(), threading.Event(), list[str]()

    with pytest.raises(UnreachableError, match="/share/a can't be reached now"):
        glances.take(woken.wait, "/share/a")
    with pytest.raises(UnreachableError, match="/share/b can't be reached now"):
        glances.take(lambda: asked.append("b"), "/share/b")
    glances.take(lambda: asked.append("elsewhere"), "/elsewhere/b")
    woken.set()
    wait_until(lambda: _answers(glances), "the share answers")

    assert asked == ["elsewhere"]


def _answers(glances: Glances) -> bool:
    with suppress(UnreachableError):
        return glances.take(lambda: True, "/share/b")
    return False


def test_all_paths_are_told_in_order(tmp_path: Path) -> None:
    paths = [str(tmp_path / str(number)) for number in range(1200)]
    for path in paths[::2]:
        Path(path).touch()

    found = list(identities(paths))

    expected = [Identity(status.st_dev, status.st_ino, 0) for status in map(os.stat, paths[::2])]
    assert found[::2] == expected
    assert set(found[1::2]) == {None}


def test_a_dead_share_costs_its_files_once_and_no_others(hanging: list[str], tmp_path: Path) -> None:
    good = [str(tmp_path / f"{number}.pdf") for number in range(4)]
    for path in good:
        Path(path).touch()
    dead = [f"/dead/{number}.pdf" for number in range(50)]

    found = list(identities([good[0], *dead, good[1], *dead, *good[2:]], SECONDS))

    assert [place for place, seen in enumerate(found) if seen] == [0, 51, 102, 103]
    assert hanging == ["/dead/0.pdf"]


def test_files_of_a_share_without_numbers_are_told_apart_by_their_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for file in (one, other):
        file.write_bytes(b"same size")
    real = os.stat

    def stat(path: Any, **options: Any) -> os.stat_result:
        mode, _, *rest = real(path, **options)
        return os.stat_result((mode, 0, *rest))

    monkeypatch.setattr("ocr_worker.files.bounded.os.stat", stat)
    first, second, again = identities([str(one), str(other), f"{tmp_path}{os.sep}.{os.sep}one"])

    assert first != second
    assert first == again


def test_the_nearest_folder_is_the_first_upwards_that_is_there(tmp_path: Path) -> None:
    assert nearest(tmp_path) == nearest(tmp_path / "new" / "deep") == tmp_path


def test_where_not_even_the_drive_is_there_the_drive_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no Q:\\"):
        nearest(PureWindowsPath(r"Q:\scans\out"))
