"""Outputs come into the folder that was meant and into no other, and what was there before is never lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import OcrError, OutputPermissionError
from ocr_worker.files.atomic import Folder, Staged, folder_id, part_beside, publish_all
from ocr_worker.files.sweep import sweep_parts
from ocr_worker.outputs.publishing import publish_set

OURS = b"ours"
THEIRS = b"theirs, and precious"


def staged_in(folder: Path) -> Staged:
    target = folder / "doc.pdf"
    staged = Staged(part_beside(target), target)
    staged.temporary.write_bytes(OURS)
    return staged


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "doc.pdf").write_bytes(THEIRS)
    return folder


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


@pytest.fixture
def at_the_first_move(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has somebody do something after our last look at the folder, before the first move in it."""

    def put(action: Callable[[], object]) -> None:
        for name in ("link", "replace"):
            move = getattr(Folder, name)

            def act_and_move(*arguments: Any, move: Any = move) -> None:
                for original, method in originals.items():
                    monkeypatch.setattr(Folder, original, method)
                action()
                move(*arguments)

            originals[name] = move
            monkeypatch.setattr(Folder, name, act_and_move)

    originals: dict[str, Any] = {}
    return put


Put = Callable[[Callable[[], object]], None]


@pytest.mark.parametrize("publish", [lambda s, k: publish_set(s, lambda _: True, k), publish_all])
def test_a_folder_that_is_put_in_the_place_of_ours_is_not_written_to(
    out: Path, foreign: Path, at_the_first_move: Put, publish: Any
) -> None:
    """The temporary file lies there already: the folders were swapped while it was written, back for the look, and again."""
    known = folder_id(out)
    staged = staged_in(foreign)
    staged = Staged(out / staged.temporary.name, out / "doc.pdf")
    at_the_first_move(lambda: swap(out, foreign))

    with pytest.raises(OcrError):
        publish([staged], known)

    assert (out / "doc.pdf").read_bytes() == THEIRS
    assert not (foreign / "doc.pdf").exists()


def test_what_was_made_goes_into_our_folder_wherever_it_is_moved(
    out: Path, foreign: Path, at_the_first_move: Put
) -> None:
    known, staged = folder_id(out), staged_in(out)
    at_the_first_move(lambda: swap(out, foreign))

    publish_set([staged], lambda _: True, known)

    assert (out / "doc.pdf").read_bytes() == THEIRS
    assert (foreign / "doc.pdf").read_bytes() == OURS


def test_another_folder_is_refused(out: Path, foreign: Path) -> None:
    staged = staged_in(foreign)

    with pytest.raises(OutputPermissionError, match="not the folder any more"):
        publish_set([staged], lambda _: True, folder_id(out))

    assert (foreign / "doc.pdf").read_bytes() == THEIRS


class Killed(BaseException):
    """The process ends here: nothing after it is done."""


MOVES = {name: getattr(Folder, name) for name in ("link", "replace", "rename", "unlink")}


def kill_after(allowed: int, monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    """Let so many moves be made, and none after them."""
    left = iter(range(allowed))

    def maker(name: str) -> Callable[..., None]:
        def move(*arguments: Any) -> None:
            if name == "link" and not links:
                raise OSError(errno.EPERM, "no links here")
            if next(left, None) is None:
                raise Killed
            MOVES[name](*arguments)

        return move

    for name in MOVES:
        monkeypatch.setattr(Folder, name, maker(name))


@pytest.mark.parametrize("kind", ["links", "no links"])
@pytest.mark.parametrize("allowed", range(6))
def test_a_kill_between_any_two_moves_leaves_the_old_output_or_the_new_one(
    out: Path, monkeypatch: pytest.MonkeyPatch, kind: str, allowed: int
) -> None:
    (out / "doc.pdf").write_bytes(THEIRS)
    staged = staged_in(out)
    monkeypatch.setattr("ocr_worker.files.sweep.is_dead", lambda _: True)

    with monkeypatch.context() as killing, suppress(Killed):
        kill_after(allowed, killing, links=kind == "links")
        publish_set([staged], lambda _: True)
    sweep_parts(out)

    contents = {path.read_bytes() for path in out.iterdir()}
    assert THEIRS in contents or (out / "doc.pdf").read_bytes() == OURS


def test_what_no_links_keep_has_a_name_that_is_seen(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (out / "doc.pdf").write_bytes(THEIRS)
    kill_after(99, monkeypatch, links=False)
    seen: list[str] = []

    def look(_: os.stat_result) -> bool:
        seen.extend(path.name for path in out.iterdir())
        return True

    publish_set([staged_in(out)], look)

    assert any(name.startswith("doc.pdf.kept-") for name in seen)
    assert [path.name for path in out.iterdir()] == ["doc.pdf"]
