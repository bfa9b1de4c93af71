"""Advice that suits how the program came onto the machine."""

from __future__ import annotations

import sys

import pytest

from ocr_worker.files.installation import to_have


def test_a_package_is_installed_by_pip() -> None:
    assert to_have("pypdfium2") == "pip install pypdfium2"


def test_nobody_is_told_to_add_a_package_to_a_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    assert "pip" not in to_have("pypdfium2")
