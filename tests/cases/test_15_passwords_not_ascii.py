"""A password is the right one however the file's program turned it into bytes (case 15)."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import Literal

import pikepdf
import pypdfium2
import pytest

from ocr_worker.engines.pdf.pdf_file import FILES_LOCKED
from ocr_worker.errors import OcrError
from tests.cases.verdicts import file_of
from tests.faults.documents import encrypted, scan, whole
from tests.pages.desk import Desk

UMLAUTS = "Grüße"
ROMAN = "\ufb01le\u00a0\u2168"
"""A ligature, a space that does not break, and a Roman numeral: SASLprep makes it `file IX`."""


def locked(password: str, revision: Literal[2, 3, 4, 6]) -> bytes:
    rules = pikepdf.Encryption(
        owner="the-owner", user=password, R=revision, aes=revision >= 4, metadata=revision >= 4
    )
    return whole(scan(), encryption=rules, static_id=False)


def in_set(password: str, charset: str) -> str:
    """What is written with these bytes: PDF 1.x has a set of its own."""
    return password.encode(charset).decode("pdfdoc")


FILES = {
    "latin-1-r2": (locked(UMLAUTS, 2), UMLAUTS),
    "latin-1-r3": (locked(UMLAUTS, 3), UMLAUTS),
    "latin-1-aes128": (locked(UMLAUTS, 4), UMLAUTS),
    "utf-8-aes128": (locked(in_set("café", "utf-8"), 4), "café"),
    "mac-roman": (locked(in_set("señor", "mac-roman"), 4), "señor"),
    "cp437": (locked(in_set("señor", "cp437"), 3), "señor"),
    "decomposed": (locked(UMLAUTS, 4), unicodedata.normalize("NFD", UMLAUTS)),
    "aes256": (locked(UMLAUTS, 6), UMLAUTS),
    "aes256-decomposed": (locked(unicodedata.normalize("NFD", UMLAUTS), 6), UMLAUTS),
    "saslprep": (locked("file IX", 6), ROMAN),
    "no-saslprep": (locked(ROMAN, 6), ROMAN),
}


@pytest.mark.parametrize("kind", FILES)
def test_the_password_opens_the_file_and_its_output(kind: str, desk: Desk) -> None:
    content, password = FILES[kind]

    done = desk.process(file_of(desk, content, "scan.pdf"), password=password)

    assert done.text.split() == ["Harvest", "moon"]
    # Whoever could open the input by what he types can open the output: it is locked as the input was.
    assert desk.open(done.outputs["pdf"], password=password).pages == 1
    with pytest.raises(OcrError, match="password"):
        desk.open(done.outputs["pdf"])


@pytest.mark.parametrize("password", ["Gruesse", "Grüsse", "\u65e5\u672c", "x" * 300])
def test_a_wrong_one_does_not(password: str, desk: Desk) -> None:
    with pytest.raises(OcrError) as caught:
        desk.open(file_of(desk, locked(UMLAUTS, 4), "scan.pdf"), password=password)

    assert caught.value.code == "bad_password"


@pytest.mark.parametrize("revision", [2, 3, 4, 6])
@pytest.mark.parametrize("given", ["of another file", UMLAUTS])
def test_a_file_that_needs_no_password_opens_with_any(
    revision: Literal[2, 3, 4, 6], given: str, desk: Desk
) -> None:
    done = desk.process(file_of(desk, locked("", revision), "scan.pdf"), password=given)

    assert done.text.split() == ["Harvest", "moon"]
    assert done.opened.warnings == ()
    assert desk.open(done.outputs["pdf"]).pages == 1


def test_pdfium_takes_the_output_of_case_15(desk: Desk) -> None:
    done = desk.process(file_of(desk, locked(UMLAUTS, 4), "scan.pdf"), password=UMLAUTS)

    with pypdfium2.PdfDocument(done.outputs["pdf"], password=UMLAUTS) as document:
        assert "Harvest" in document[0].get_textpage().get_text_range()


def attachments_locked() -> bytes:
    """Only what is attached needs the password: the rules of an encrypted file, in one that has its pages open."""
    secret = encrypted_for_files()
    rules = re.search(rb"<< /CF.*?/V 4 >>", secret, re.DOTALL)
    identity = re.search(rb"/ID \[.*?\]", secret)
    assert rules is not None
    assert identity is not None
    open_pages = (
        rules[0]
        .replace(b"/StmF /StdCF", b"/StmF /Identity /EFF /StdCF")
        .replace(b"/StrF /StdCF", b"/StrF /Identity")
    )
    with scan() as pdf:
        pdf.attachments["list.txt"] = b"attached"
        plain = whole(pdf, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return re.sub(rb"/ID \[.*?\]", lambda _: identity[0] + b" /Encrypt " + open_pages, plain)


def encrypted_for_files() -> bytes:
    target = io.BytesIO()
    rules = pikepdf.Encryption(owner="the-owner", user="secret", R=4, aes=True, metadata=False)
    scan().save(target, encryption=rules, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return target.getvalue()


@pytest.mark.parametrize("password", [None, "wrong"])
def test_where_only_attachments_are_locked_the_pages_are_read(password: str | None, desk: Desk) -> None:
    done = desk.process(file_of(desk, attachments_locked(), "scan.pdf"), password=password)

    assert done.text.split() == ["Harvest", "moon"]
    assert done.opened.warnings == (FILES_LOCKED,)
    with pikepdf.open(done.outputs["pdf"]) as written:
        assert not written.is_encrypted
        assert len(written.attachments) == 0


def test_with_the_password_attachments_stay(desk: Desk) -> None:
    done = desk.process(file_of(desk, attachments_locked(), "scan.pdf"), password="secret")

    assert done.opened.warnings == ()
    with pikepdf.open(done.outputs["pdf"], password="secret") as written:
        assert list(written.attachments) == ["list.txt"]


def test_a_wholly_locked_file_still_asks_for_its_password(desk: Desk) -> None:
    with pytest.raises(OcrError) as caught:
        desk.open(file_of(desk, encrypted("secret"), "scan.pdf"))

    assert caught.value.code == "encrypted"
