"""A protection that asks for no password, and yet keeps most readers out, is not carried over."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from tests.faults import documents
from tests.pages.desk import Desk


def locked_by_damage(path: Path) -> Path:
    """Encrypted without a user's password, with a length of key that nobody but qpdf makes sense of."""
    with pikepdf.open(documents_file(path)) as pdf:
        plain = pikepdf.Encryption(owner="owner", user="", R=3, aes=False, metadata=False)
        pdf.save(path, encryption=plain)
    content = path.read_bytes()
    damaged = content.replace(b"/Length 128", b"/Wength 128")
    assert damaged != content
    path.write_bytes(damaged)
    return path


def documents_file(path: Path) -> Path:
    source = path.with_name("source.pdf")
    source.write_bytes(documents.whole(documents.scan("A page")))
    return source


def test_the_output_opens_in_readers_that_could_not_open_its_source(desk: Desk, tmp_path: Path) -> None:
    source = locked_by_damage(tmp_path / "locked.pdf")
    with pikepdf.open(source) as pdf:
        assert len(pdf.pages) == 1
    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(source)

    done = desk.process(source)

    opened = pypdfium2.PdfDocument(done.outputs["pdf"])
    assert len(opened) == 1
    opened.close()
    assert any("protection is damaged" in warning for warning in done.opened.warnings)
