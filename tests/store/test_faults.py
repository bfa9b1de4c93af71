"""What a fault of the machine or of the store is told as."""

from __future__ import annotations

import errno

import pytest

from ocr_worker.errors import BusyError, NoSpaceError
from ocr_worker.store.faults import meaning


@pytest.mark.parametrize(
    ("file", "place", "named"),
    [
        ("/disk/part", "", "/disk/part"),
        (None, "", "the state folder"),
        # A face that must name no place of this machine names its own.
        ("/disk/part", "the service's folder", "the service's folder"),
    ],
)
def test_a_full_disk_is_told_with_the_place_that_the_face_names(
    file: str | None, place: str, named: str
) -> None:
    told = meaning(OSError(errno.ENOSPC, "No space left on device", file), place)

    assert isinstance(told, NoSpaceError)
    assert told.message == f"No space left for {named}. Make room and try again."


def test_what_is_used_up_is_busy_and_what_nobody_knows_is_nothing() -> None:
    assert isinstance(meaning(OSError(errno.EMFILE, "Too many open files")), BusyError)
    assert meaning(ZeroDivisionError()) is None
