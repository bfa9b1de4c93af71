"""What a shard's run is made of: the gate before files, the room on the local disk, and who has died."""

from __future__ import annotations

import errno
import json
import os
import queue
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ocr_worker.cli.commands.shards import array_of
from ocr_worker.errors import LinkedError, NoSpaceError, OcrError, UnreachableError
from ocr_worker.shards import places, staging, tries
from ocr_worker.shards.earlier import Earlier
from ocr_worker.shards.listing import Inputs
from ocr_worker.shards.places import LocalPlace
from ocr_worker.shards.rows import Row, files_key, line_of, output_names, row_of
from ocr_worker.shards.staging import Copies, Room, Stager
from tests.limits import HANG_SECONDS


def rows_of(folder: Path, sizes: list[int]) -> tuple[Row, ...]:
    rows = []
    for number, size in enumerate(sizes):
        path = folder / f"{number}.png"
        path.write_bytes(bytes(size))
        rows.append(Row(f"file://{path}", size, mtime=path.stat().st_mtime_ns))
    return tuple(rows)


@pytest.mark.parametrize(
    "row",
    [
        Row("file:///a%20b.pdf", 12, mtime=1795969904000000001),
        Row('s3://bucket/"quoted"\\é\udcff.png', 0, etag='W/"1"'),
        Row("https://example.org/a.tif", 5),
        Row("file:///scans/a/b.png", 5, mtime=1, depth=2),
    ],
)
def test_a_row_is_json_and_comes_back(row: Row) -> None:
    depth = {} if row.depth is None else {"depth": row.depth}
    fields = {"url": row.url, "bytes": row.bytes, **row.version, **depth}

    assert line_of(row) == json.dumps(fields, separators=(",", ":")).encode("ascii")
    assert row_of(json.loads(line_of(row))) == row


@pytest.mark.skipif(sys.platform == "win32", reason="there a link takes a right that users have not")
@pytest.mark.parametrize("swapped", ["scans/deep/a.png", "scans/deep"])
def test_a_file_that_was_found_is_not_read_through_a_link_that_came_later_and_a_named_one_is(
    swapped: str, tmp_path: Path
) -> None:
    """The secret has the size and the time of the file that was planned: its content is all that differs."""
    found, secret = tmp_path / "scans" / "deep" / "a.png", tmp_path / "secret" / "a.png"
    for path, content in ((found, b"harmless"), (secret, b"quincunx")):
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))
    (by_search,) = Inputs().find(str(tmp_path / "scans"))
    (by_name,) = Inputs().find(str(found))
    place, aside = tmp_path / swapped, tmp_path / "aside"
    place.rename(aside)
    place.symlink_to(secret if place == found else secret.parent)

    with pytest.raises(LinkedError):
        Inputs().fetch(by_search, tmp_path / "copy")
    Inputs().fetch(by_name, tmp_path / "named")
    place.unlink()
    aside.rename(place)
    Inputs().fetch(by_search, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == b"harmless"
    assert (tmp_path / "named").read_bytes() == b"quincunx"


@pytest.mark.parametrize(
    ("numbers", "array"), [([], ""), ([3], "3"), ([3, 17, 18, 19], "3,17-19"), ([0, 1, 5, 7, 8], "0-1,5,7-8")]
)
def test_missing_shards_are_told_as_schedulers_take_them(numbers: list[int], array: str) -> None:
    assert array_of(numbers) == array


def test_no_more_is_staged_than_there_is_room_for_and_each_end_makes_room(tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    rows, seen, arrived = rows_of(tmp_path, [100] * 6), list[int](), queue.Queue[Row | Exception]()
    room = Room(most_bytes=250)

    def take(row: Row, _: object) -> None:
        seen.append(sum(map(size, (tmp_path / "copies").iterdir())))
        arrived.put(row)

    def size(path: Path) -> int:
        with suppress(FileNotFoundError):  # it has been read meanwhile
            return path.stat().st_size
        return 0

    copies = Copies(rows, tmp_path / "copies")
    earlier = Earlier(LocalPlace(tmp_path / "out"), 0, ("json",), tmp_path)
    Stager(copies, room, earlier, take, arrived.put).start()

    for _ in rows:
        row = arrived.get(timeout=HANG_SECONDS)
        assert isinstance(row, Row), row
        copies.path(row).unlink()
        room.give(row)
    assert len(seen) == len(rows)
    assert max(seen) <= 250


def test_a_file_larger_than_the_room_is_staged_alone() -> None:
    room = Room(most_bytes=10)
    large = Row("file:///large.png", 1000, mtime=1)

    assert room.take(large)
    room.close()
    assert not room.take(large)


def test_each_page_process_has_a_next_file_however_large_they_are_held_to_be() -> None:
    room, many_pages = Room(most_bytes=2**40, least_files=4), Row("file:///book.pdf", 10**9, mtime=1)
    taken = threading.Semaphore(0)

    def take() -> None:
        while room.take(many_pages):
            taken.release()

    threading.Thread(target=take, daemon=True).start()

    for _ in range(4):
        assert taken.acquire(timeout=HANG_SECONDS)
    assert room.files == 4
    room.close()


def test_a_full_disk_waits_for_files_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copies").mkdir()
    rows, arrived = rows_of(tmp_path, [10, 10]), list[Row]()
    full, trouble = threading.Event(), list[Exception]()
    copy = Stager._copy

    def copy_once_there_is_room(self: Stager, row: Row) -> None:
        if row is rows[1] and not full.is_set():
            full.set()
            raise NoSpaceError("No space left.")
        copy(self, row)

    monkeypatch.setattr(Stager, "_copy", copy_once_there_is_room)
    room = Room(most_bytes=1000)
    earlier = Earlier(LocalPlace(tmp_path / "out"), 0, ("json",), tmp_path)
    copies = Copies(rows, tmp_path / "copies")
    Stager(copies, room, earlier, lambda row, _: arrived.append(row), trouble.append).start()

    assert full.wait(HANG_SECONDS)
    until = time.monotonic() + HANG_SECONDS
    while rows[0] not in arrived:
        assert time.monotonic() < until
    assert rows[1] not in arrived
    room.give(rows[0])
    while rows[1] not in arrived:
        assert time.monotonic() < until
    assert trouble == []


def test_outputs_of_an_earlier_try_that_can_be_had_in_part_alone_are_not_left_to_the_batch(
    tmp_path: Path,
) -> None:
    """A PDF without its record is somebody else's to it: it would write beside it, by other names than other tries."""

    class Half(LocalPlace):
        def fetch(self, key: str, file: Path) -> None:
            file.write_bytes(b"a part")
            if key.endswith(".txt"):
                raise UnreachableError("The store is away.")

    (row,) = rows_of(tmp_path, [10])
    where, folder = Half(tmp_path / "out"), tmp_path / "outputs"
    folder.mkdir()
    names = output_names(row, ("pdf", "txt", "json"))
    head = {"source": {"path": row.url, "bytes": row.bytes, **row.version}}
    for name in names.values():
        where.write(f"{files_key(0)}/{name}", json.dumps(head)[:-1].encode() + b",\n")

    with pytest.raises(UnreachableError):
        Earlier(where, 0, list(names), folder).fetch(row, tmp_path / "0.png")

    assert list(folder.iterdir()) == []


def note(beats: int, *, ended: str | None = None, working: tuple[str, ...] = ("file:///a",)) -> bytes:
    return tries.Note(
        hash="h", begun=time.time(), seen=time.time(), beats=beats, mark="ffffffff-1", processes=2, ended=ended,
        working=working,
    ).model_dump_json().encode()  # fmt: skip


def test_tries_of_other_machines_that_still_move_are_not_taken_for_dead(tmp_path: Path) -> None:
    where = LocalPlace(tmp_path)
    folder = "tries/0000/0000000"
    where.write(f"{folder}/1.json", note(5))
    where.write(f"{folder}/2.json", note(5))
    waited = []

    def one_moves_on(seconds: float) -> None:
        waited.append(seconds)
        where.write(f"{folder}/2.json", note(6))

    past = tries.look_back(where, 0, "h", one_moves_on)

    assert (past.tries, past.deaths, past.is_suspect, past.given_up) == (2, 1, False, frozenset())
    assert waited == [tries.SILENT_SECONDS]

    silent = tries.look_back(where, 0, "h", waited.append)

    assert silent.deaths == 2
    assert silent.given_up == {"file:///a"}


def test_tries_that_ended_by_order_count_for_no_deaths(tmp_path: Path) -> None:
    where = LocalPlace(tmp_path)
    for number in range(4):
        where.write(f"tries/0000/0000000/{number}.json", note(5, ended="again"))

    past = tries.look_back(where, 0, "h", lambda _: pytest.fail("it waited"))

    assert (past.tries, past.deaths) == (4, 0)


def test_names_of_outputs_are_unlike_for_inputs_of_one_name() -> None:
    urls = [
        "s3://b/x/scan.pdf",
        "s3://b/y/scan.pdf",
        "s3://b/x/scan.png",
        "https://h/scan.pdf?page=1",
        "s3://b/" + "ä" * 120,
    ]
    rows = [Row(url, 1, etag="e") for url in urls]

    assert len({row.name for row in rows}) == len(rows)
    assert all(len(row.staged_name.encode()) < 150 for row in rows)
    assert [row_of(json.loads(line_of(row))) for row in rows] == rows
    assert staging.MOST_BYTES == 2 * 2**30
    assert staging.MOST_PAGES == 200


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ConnectionResetError(104, "reset"), places.ATTEMPTS),
        (UnreachableError("The share is gone."), places.ATTEMPTS),
        (FileNotFoundError("nothing"), 1),
        (PermissionError("not yours"), 1),
        (OSError(errno.ENOSPC, "full"), 1),
        (OSError(errno.EROFS, "to be read alone"), 1),
        (TypeError("a fault of ours"), 1),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_meant_is_not(error: Exception, tries: int) -> None:
    calls, waits = list[int](), list[float]()

    def fail() -> None:
        calls.append(1)
        raise error

    with pytest.raises((type(error), OcrError)):
        places.insist(fail, "s3://bucket/key", waits.append)

    assert len(calls) == tries
    assert len(waits) == tries - 1
    assert all(0 < wait <= places.LONGEST_WAIT_SECONDS for wait in waits)
