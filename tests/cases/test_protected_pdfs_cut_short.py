"""A protected PDF whose end is gone is mended as an open one is where its key can be had, and refused by name where not."""

from __future__ import annotations

from typing import Any

import pikepdf
import pytest
from pikepdf import ObjectStreamMode

from ocr_worker.engines.pdf import torn_lock
from ocr_worker.model.tasks import Failure
from tests.cases.verdicts import file_of, page_of
from tests.faults.documents import add_text, scan, whole
from tests.long_rows import first
from tests.pages.desk import Desk

TEXTS = "First words", "Second words", "Third words"


def locked(revision: int, *, packed: bool = False, linearized: bool = False, password: str = "") -> bytes:
    pdf, aes = scan(*TEXTS), revision > 3
    add_text(pdf, "Typed words")
    rules = pikepdf.Encryption(owner="boss", user=password, R=revision, aes=aes, metadata=aes)  # type: ignore[arg-type]
    mode = ObjectStreamMode.generate if packed else ObjectStreamMode.disable
    # Their key is made of the document's number, which a static one would not show.
    return whole(pdf, encryption=rules, linearize=linearized, object_stream_mode=mode, static_id=False)


KINDS: dict[str, tuple[int, dict[str, Any]]] = {
    "6-packed": (6, {"packed": True}),
    "3-linearized": (3, {"linearized": True}),
    "4-both": (4, {"packed": True, "linearized": True}),
    "2-linearized": (2, {"linearized": True}),
    "4-linearized": (4, {"linearized": True}),
    "6-plain": (6, {}),
}


@pytest.mark.parametrize("kind", first(3, KINDS))
def test_a_protected_pdf_whose_end_is_gone_is_read_if_nobody_set_a_password_to_open_it(
    kind: str, desk: Desk
) -> None:
    revision, options = KINDS[kind]
    content = locked(revision, **options)

    done = desk.process(file_of(desk, content[:-300], "cut.pdf"))

    assert torn_lock.DECRYPTED in done.opened.warnings or "mended" in " ".join(done.opened.warnings)
    assert all(words in done.text for words in (*TEXTS, "Typed words"))
    with pikepdf.open(done.outputs["pdf"]) as pdf:
        assert len(pdf.pages) == 4
        assert pdf.is_encrypted == (torn_lock.DECRYPTED not in done.opened.warnings)


def test_a_part_of_a_protected_pdf_is_read_as_that_of_an_open_one(desk: Desk) -> None:
    content = locked(6, linearized=True)

    done = desk.process(file_of(desk, content[: len(content) * 7 // 10], "cut.pdf"))

    assert torn_lock.DECRYPTED in done.opened.warnings
    assert all(words in done.text for words in TEXTS[:2])


def test_a_password_opens_what_is_left_of_a_pdf_too(desk: Desk) -> None:
    content = locked(6, password="secret")[:-300]
    path = file_of(desk, content, "cut.pdf")

    without, wrong = (page_of(desk, content, password=password) for password in (None, "other"))
    done = desk.process(path, password="secret")

    assert isinstance(without, Failure)
    assert without.code == "encrypted"
    assert isinstance(wrong, Failure)
    assert wrong.code == "bad_password"
    assert all(words in done.text for words in TEXTS)


@pytest.mark.parametrize("kind", ["plain", "packed"])
def test_where_the_key_is_gone_too_the_error_says_so(kind: str, desk: Desk) -> None:
    """Up to the fourth revision it is made of what the end of the file says."""
    done = page_of(desk, locked(4, packed=kind == "packed")[:-300])

    assert isinstance(done, Failure)
    assert done.code == "corrupt"
    assert "encrypted and cut short" in done.message


@pytest.mark.parametrize("share", [0.9, 0.7])
def test_where_nothing_says_any_more_that_it_was_protected_its_pages_are_no_blank_ones(
    share: float, desk: Desk
) -> None:
    content = locked(6)

    done = page_of(desk, content[: int(len(content) * share)])

    assert isinstance(done, Failure), done
    assert done.code == "corrupt"


def test_a_damaged_pdf_that_is_in_the_open_is_not_asked_for_a_key(desk: Desk) -> None:
    """Programs that take a protection away may leave its rules in the file."""
    pdf = scan(*TEXTS)
    with pikepdf.open(file_of(desk, locked(4, password="secret"), "locked.pdf"), password="secret") as other:
        pdf.Root.Old = pdf.copy_foreign(other.make_indirect(other.trailer.Encrypt))
    content = whole(pdf)

    done = desk.process(file_of(desk, content[:-60], "cut.pdf"))

    assert torn_lock.is_there(content)
    assert all(words in done.text for words in TEXTS)
