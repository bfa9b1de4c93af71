"""A protected PDF that lost its end, and so what says that it is protected: its objects, opened with what is left of its key.

Without the table at its end qpdf and PDFium take what is encrypted for what it seems, and find pages of rubbish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pikepdf

from ocr_worker.engines.pdf import qpdf
from ocr_worker.errors import BadPasswordError, CorruptError, EncryptedError

_STANDARD = re.compile(rb"/Filter\s*/Standard\b")
_BEGINNING = re.compile(rb"(?<![0-9])(\d{1,8}) 0 obj\s*<<")
_MOST_BYTES = 4096
"""Of the rules."""
_REVISION = re.compile(rb"/R\s+(\d)")
_ID = re.compile(rb"/ID\s*\[\s*(<[0-9A-Fa-f\s]*>|\((?:\\.|[^\\)])*\))", re.DOTALL)
_OBJECT = re.compile(rb"(?<![0-9])(\d{1,8}) 0 obj\b")
_ODD = re.compile(rb"[^\t\n\r -~]")
_HEAD_BYTES = 256
_WITHOUT_ID = 5
"""From this revision on the key is made of the password alone."""


DECRYPTED = (
    "The file is encrypted and lost its end: it was decrypted to be mended, and its protection is left out"
)


def is_there(content: bytes) -> bool:
    """Whether the file has rules of encryption in it."""
    return _rules(content) is not None


def _rules(content: bytes) -> tuple[int, bytes] | None:
    """The number of the object that they are, and what it says; of several, the last one."""
    found = None
    for name in _STANDARD.finditer(content):
        start = content.rfind(b"endobj", 0, name.start())
        before = [*_BEGINNING.finditer(content, max(start, name.start() - _MOST_BYTES), name.start())]
        if before:
            end = content.find(b"endobj", name.end(), name.end() + _MOST_BYTES)
            found = int(before[-1][1]), content[before[-1].end() : max(end, name.end())]
    return found


def is_rubbish(pdf: pikepdf.Pdf) -> bool:
    """Whether a page draws what is no content, as it does where nobody knew that it is encrypted."""
    for page in pdf.pages:
        contents = page.obj.get("/Contents")
        if isinstance(contents, pikepdf.Stream):
            try:
                head = contents.read_bytes()[:_HEAD_BYTES]
            except (pikepdf.PdfError, RuntimeError, ValueError):
                return True
            if len(_ODD.findall(head)) > len(head) / 4:
                return True
    return False


def opened(content: bytes, password: str | None, name: str) -> bytes:
    """The same objects in the open, and a trailer that leads to the document's root where that is among them.

    Raises EncryptedError, BadPasswordError; CorruptError where a part of the key is gone.
    """
    rules = _rules(content)
    assert rules is not None
    ids, revision = _ID.findall(content), _REVISION.search(rules[1])
    numbers = list(dict.fromkeys(int(found[1]) for found in _OBJECT.finditer(content)))
    try:
        pdf = qpdf.load(content + _table(max(numbers) + 1, rules[0], ids), password, name)
    except (EncryptedError, BadPasswordError) as error:
        if ids or (revision and int(revision[1]) >= _WITHOUT_ID):
            raise
        raise CorruptError(
            f"{name} is encrypted and cut short: a part of its key is gone with its end; "
            "get it again from where it came from"
        ) from error
    except qpdf.QpdfError as error:
        raise CorruptError(
            f"{name} is encrypted and damaged beyond repair; get it again from where it came from"
        ) from error
    with pdf:
        return b"%PDF-1.7\n" + b"".join(_written(pdf, [one for one in numbers if one != rules[0]]))


def _table(first: int, rules: int, ids: list[bytes]) -> bytes:
    known = b"/ID[%s %s]" % (ids[-1], ids[-1]) if ids else b""
    # Without a page qpdf gives nothing up.
    return b"\nendstream\nendobj\n" + (
        b"%(page)d 0 obj\n<</Type/Page/Parent %(tree)d 0 R/MediaBox[0 0 9 9]>>\nendobj\n"
        b"%(tree)d 0 obj\n<</Type/Pages/Count 1/Kids[%(page)d 0 R]>>\nendobj\n"
        b"%(root)d 0 obj\n<</Type/Catalog/Pages %(tree)d 0 R>>\nendobj\n"
        b"trailer\n<</Root %(root)d 0 R/Size %(size)d/Encrypt %(rules)d 0 R%(known)b>>\nstartxref\n0\n%%%%EOF\n"
    ) % {
        b"page": first, b"tree": first + 1, b"root": first + 2, b"size": first + 3, b"rules": rules, b"known": known,
    }  # fmt: skip


def _written(pdf: pikepdf.Pdf, numbers: list[int]) -> Iterator[bytes]:
    root = None
    for number in numbers:
        try:
            found: Any = pdf.get_object(number, 0)
            body, kind = _body(found) if isinstance(found, pikepdf.Object) else (b"null", "")
        except (pikepdf.PdfError, RuntimeError, ValueError):
            continue
        if kind != "/XRef":
            yield b"%d 0 obj\n%s\nendobj\n" % (number, body)
        if kind == "/Catalog":
            root = number
    if root is not None:
        yield b"trailer\n<</Root %d 0 R/Size %d>>\nstartxref\n0\n%%%%EOF\n" % (root, max(numbers) + 1)


def _body(found: pikepdf.Object) -> tuple[bytes, str]:
    """As it is written, and its type."""
    if not isinstance(found, pikepdf.Stream):
        return found.unparse(resolved=True), str(found.get("/Type", "")) if isinstance(
            found, pikepdf.Dictionary
        ) else ""
    # What qpdf calls raw is decrypted.
    data, entries = found.read_raw_bytes(), found.stream_dict
    entries["/Length"] = len(data)
    return b"%s\nstream\n%s\nendstream" % (entries.unparse(resolved=True), data), str(found.get("/Type", ""))
