"""Advice that suits how the program came onto the machine."""

from __future__ import annotations

import sys
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from ocr_worker.files.installation import has_entry_points, installed_versions, to_have


def test_a_package_is_installed_by_pip() -> None:
    assert to_have("pypdfium2") == "pip install pypdfium2"


def test_nobody_is_told_to_add_a_package_to_a_frozen_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    assert "pip" not in to_have("pypdfium2")


def test_versions_are_those_that_python_itself_would_tell() -> None:
    packages = {found.name: found.version for found in distributions()}

    assert installed_versions([*packages, "not-there"]) == packages


@pytest.mark.parametrize(
    ("place", "version"),
    [
        ("our_engine-1.5.dist-info/METADATA", "1.5"),
        ("Our.Engine-1.5-py3.11.egg-info/PKG-INFO", "1.5"),
        ("our_engine.egg-info/PKG-INFO", "1.5"),
    ],
)
def test_a_package_is_found_by_any_kind_of_description(
    place: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described(tmp_path / place)
    monkeypatch.syspath_prepend(tmp_path)

    assert installed_versions(["our-engine"]) == {"our-engine": version}


def test_a_package_in_an_archive_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "all.zip"
    with ZipFile(archive, "w") as file:
        file.writestr("our_engine-1.5.dist-info/METADATA", DESCRIPTION)
    monkeypatch.syspath_prepend(archive)

    assert installed_versions(["our-engine"]) == {"our-engine": "1.5"}
    assert has_entry_points("our.group", {"known"})


@pytest.mark.parametrize("name", ["known", "new"])
def test_an_entry_point_is_seen_if_it_is_another_than_those_that_are_known(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    described(tmp_path / "our_engine-1.5.dist-info" / "METADATA")
    points = tmp_path / "our_engine-1.5.dist-info" / "entry_points.txt"
    points.write_text(f"[others]\nelse = a:b\n\n[our.group]\n{name} = our_engine:Factory\n", encoding="utf-8")

    assert has_entry_points("our.group", {"known"}) == (name == "new")


DESCRIPTION = "Metadata-Version: 2.1\nName: our-engine\nVersion: 1.5\n"


def described(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(DESCRIPTION, encoding="utf-8")
