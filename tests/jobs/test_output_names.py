"""Names of outputs, settled before any work and the same on every run."""

from __future__ import annotations

import json
import os
import unicodedata
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.jobs import output_names
from ocr_worker.jobs.output_names import (
    LONGEST_NAME_BYTES,
    SUFFIXES,
    Namespace,
    OnExisting,
    output_paths,
    plan_outputs,
)
from ocr_worker.model.jobs import InputFile
from ocr_worker.outputs import results_file
from ocr_worker.outputs.document import Document
from ocr_worker.outputs.json_results import JsonWriter
from ocr_worker.outputs.results_file import SCHEMA
from ocr_worker.store.records import NewFile

OUTPUTS = ("pdf", "txt", "json")


def inputs(*paths: Path | str) -> tuple[InputFile, ...]:
    return tuple(InputFile(str(path), str(path)) for path in paths)


def plan(folder: Path, *paths: Path | str, mode: OnExisting = "skip") -> list[NewFile]:
    return [file for file in plan_outputs(inputs(*paths), Namespace(folder, OUTPUTS, mode)) if file]


def names(planned: list[NewFile]) -> list[str | None]:
    return [None if file.name is None else os.fsdecode(file.name) for file in planned]


def leave_results(folder: Path, name: str, source: Path | None) -> None:
    """Outputs as an earlier run left them: a NAME whose JSON names its source."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pdf").write_bytes(b"%PDF-1.7")
    if source is not None:
        head = json.dumps(
            {"schema": SCHEMA, "source": {"path": str(source)}, "settings": {"outputs": OUTPUTS}}
        )
        text = head[:-1] + ",\n" + '"pages": []}'
        (folder / f"{name}_ocr_results.json").write_bytes(text.encode("ascii"))


def make(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(path.name.encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["a.png"], ["a"]),
        (["a.png", "a.pdf"], ["a", "a_1"]),
        (["x/scan.pdf", "y/scan.pdf", "z/scan.tif"], ["scan", "scan_1", "scan_2"]),
        (["Scan.pdf", "scan.pdf", "SCAN.pdf"], ["Scan", "scan_1", "SCAN_2"]),
        (["straße.pdf", "STRASSE.pdf"], ["straße", "STRASSE_1"]),
        (["a.pdf", "a_1.pdf", "b/a.pdf"], ["a", "a_1", "a_2"]),
        (["a_1.pdf", "a.pdf", "b/a.pdf"], ["a_1", "a", "a_2"]),
        (["scan.tar.gz"], ["scan.tar"]),
        (["noend"], ["noend"]),
        ([".hidden"], [".hidden"]),
        (["-rf.pdf", "http://x.pdf"], ["-rf", "x"]),
        (["CON.pdf", "lpt1.png", "aux.tar.png"], ["_CON", "_lpt1", "_aux.tar"]),
        (["dots....pdf", "... .pdf"], ["dots", "file"]),
    ],
)
def test_names_are_stems_and_a_taken_one_gets_the_next_number(
    tmp_path: Path, paths: list[str], expected: list[str]
) -> None:
    planned = plan(tmp_path / "out", *(tmp_path / path for path in paths))

    assert names(planned) == expected


def test_names_that_differ_by_unicode_form_alone_are_the_same(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "é.pdf") for form in ("NFC", "NFD"))

    planned = plan(tmp_path, tmp_path / "a" / composed, tmp_path / "b" / decomposed)

    assert names(planned) == [composed[:-4], decomposed[:-4] + "_1"]


def test_an_output_of_one_name_is_no_output_of_another(tmp_path: Path) -> None:
    planned = plan(tmp_path / "out", tmp_path / "a.pdf", tmp_path / "a_ocr_results.json.pdf")

    used = [
        path for file in planned for path in output_paths(tmp_path, names([file])[0] or "", OUTPUTS).values()
    ]
    assert len(set(used)) == 6


def test_the_same_string_twice_is_one_file(tmp_path: Path) -> None:
    assert len(plan(tmp_path, tmp_path / "a.pdf", tmp_path / "a.pdf")) == 1


def test_another_path_to_the_same_file_is_skipped_as_a_duplicate(tmp_path: Path) -> None:
    first = make(tmp_path / "in" / "a.pdf")
    hard, soft = tmp_path / "in" / "hard.pdf", tmp_path / "in" / "soft.pdf"
    hard.hardlink_to(first)
    soft.symlink_to(first)

    planned = plan(tmp_path / "out", first, hard, soft)

    assert names(planned) == ["a", None, None]
    assert [file.verdict and file.verdict.reason for file in planned] == [None, "duplicate", "duplicate"]


@pytest.mark.parametrize("stem", ["x" * 251, "ü" * 125, "日" * 83, "\udcff" * 251])
def test_a_long_name_is_cut_with_a_hash_and_all_its_outputs_fit(tmp_path: Path, stem: str) -> None:
    alike = stem[:-1] + "y"

    planned = plan(tmp_path, tmp_path / f"{stem}.pdf", tmp_path / f"{alike}.pdf")

    first, second = names(planned)
    assert first is not None
    assert first != second
    assert all(len(os.fsencode(f"{first}_9999{suffix}")) < LONGEST_NAME_BYTES for suffix in SUFFIXES.values())
    assert stem.startswith(first.rpartition("-")[0])


def test_a_nul_character_is_a_bad_name_of_that_file_alone(tmp_path: Path) -> None:
    bad, good = plan(tmp_path, "/in/a\0b.pdf", "/in/c.pdf")

    assert bad.verdict is not None
    assert (bad.verdict.error and bad.verdict.error.code) == "bad_name"
    assert names([good]) == ["c"]


def test_a_name_that_climbs_stays_in_the_folder(tmp_path: Path) -> None:
    planned = plan(tmp_path, "/in/../../etc/passwd", "/in/..")

    assert all("/" not in (name or "") and name not in ("..", ".") for name in names(planned))


@pytest.mark.parametrize(("mode", "name"), [("skip", "scan"), ("overwrite", "scan"), ("suffix", "scan_1")])
def test_an_existing_name_of_the_input_itself_is_used_or_passed_over(
    tmp_path: Path, mode: OnExisting, name: str
) -> None:
    source = make(tmp_path / "in" / "scan.png")
    leave_results(tmp_path / "out", "scan", source)

    assert names(plan(tmp_path / "out", source, mode=mode)) == [name]


@pytest.mark.parametrize(("mode", "name"), [("skip", "scan_1"), ("overwrite", "scan"), ("suffix", "scan_1")])
@pytest.mark.parametrize("owner", ["other.png", None])
def test_a_foreign_name_is_touched_by_overwrite_alone(
    tmp_path: Path, mode: OnExisting, name: str, owner: str | None
) -> None:
    source = make(tmp_path / "in" / "scan.png")
    leave_results(tmp_path / "out", "scan", tmp_path / "in" / owner if owner else None)

    assert names(plan(tmp_path / "out", source, mode=mode)) == [name]


def test_of_two_inputs_of_one_stem_each_finds_its_own_outputs_again(tmp_path: Path) -> None:
    one, two = make(tmp_path / "x" / "scan.png"), make(tmp_path / "y" / "scan.png")
    leave_results(tmp_path / "out", "scan", one)
    leave_results(tmp_path / "out", "scan_1", two)

    assert names(plan(tmp_path / "out", two, one)) == ["scan_1", "scan"]


@pytest.mark.parametrize("mode", ["skip", "suffix", "overwrite"])
def test_hundreds_of_results_of_one_stem_are_read_once_and_one_at_each_step(
    tmp_path: Path, mode: OnExisting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever plans shows at each step that its disk still answers."""
    number, read = 200, list[Path]()
    for n in range(number):
        leave_results(tmp_path / "out", "scan" if n == 0 else f"scan_{n}", tmp_path / f"{n}" / "scan.png")

    def note(path: Path) -> results_file.Results | None:
        read.append(path)
        return results_file.read_results(path)

    monkeypatch.setattr(output_names, "read_results", note)
    one = make(tmp_path / "x" / "scan.png")
    steps = list[int]()
    names = list[bytes | None]()
    for planned in plan_outputs(inputs(one), Namespace(tmp_path / "out", OUTPUTS, mode)):
        steps.append(len(read))
        names += [planned.name] if planned else []

    assert names[0] == (b"scan" if mode == "overwrite" else f"scan_{number}".encode())
    assert max(after - before for before, after in pairwise(steps)) <= 1
    assert len(read) == (number if mode == "skip" else 0)


def test_a_document_of_many_warnings_finds_its_outputs_again(tmp_path: Path) -> None:
    source, content = make(tmp_path / "in" / "scan.png"), BytesIO()
    warnings, settings = ("page 7 is cut short",) * 100_000, {"outputs": list(OUTPUTS)}
    document = Document(str(source), "scan.png", "png", 1, "0", 1, ("eng",), settings, "now", warnings)
    JsonWriter(content, document).finish()
    (tmp_path / "scan_1_ocr_results.json").write_bytes(content.getvalue())

    assert names(plan(tmp_path, source)) == ["scan_1"]


def test_a_file_that_was_not_made_with_the_results_beside_it_is_foreign(tmp_path: Path) -> None:
    leave_results(tmp_path, "a", tmp_path / "a.png")
    (tmp_path / "a.hocr").write_text("not ours", encoding="utf-8")

    planned = plan_outputs(inputs(tmp_path / "a.png"), Namespace(tmp_path, (*OUTPUTS, "hocr"), "skip"))

    assert names([file for file in planned if file is not None]) == ["a_1"]


@pytest.mark.parametrize("results", [b"", b"{", b"[]", b'{"source": 1}', b"\xff" * 100, b"[" * 100_000])
def test_results_that_name_no_source_make_a_name_foreign(tmp_path: Path, results: bytes) -> None:
    source = make(tmp_path / "in" / "scan.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "scan_ocr_results.json").write_bytes(results)

    assert names(plan(out, source)) == ["scan_1"]


@pytest.mark.parametrize("mode", ["skip", "overwrite"])
@pytest.mark.parametrize("link", ["none", "hard", "soft"])
def test_an_input_that_its_own_output_would_overwrite_is_a_conflict(
    tmp_path: Path, mode: OnExisting, link: str
) -> None:
    target = make(tmp_path / "out" / "scan.pdf")
    source = target if link == "none" else tmp_path / "in" / "scan.pdf"
    source.parent.mkdir(exist_ok=True)
    if link == "hard":
        source.hardlink_to(target)
    elif link == "soft":
        source.symlink_to(target)

    (file,) = plan(tmp_path / "out", source, mode=mode)

    assert file.verdict is not None
    assert (file.verdict.error and file.verdict.error.code) == "output_conflict"


def test_under_suffix_an_input_in_the_output_folder_keeps_its_name_to_itself(tmp_path: Path) -> None:
    source = make(tmp_path / "out" / "scan.pdf")

    assert names(plan(tmp_path / "out", source, mode="suffix")) == ["scan_1"]


@pytest.mark.parametrize("mode", ["skip", "overwrite", "suffix"])
def test_no_input_is_overwritten_by_the_output_of_another(tmp_path: Path, mode: OnExisting) -> None:
    other, victim = make(tmp_path / "in" / "scan.png"), make(tmp_path / "out" / "scan.pdf")

    planned = plan(tmp_path / "out", other, victim, mode=mode)

    assert victim.stem not in names(planned)


def test_the_plan_is_the_same_on_every_run(tmp_path: Path) -> None:
    paths: Any = [tmp_path / f / "scan.pdf" for f in "cab"]

    assert plan(tmp_path / "out", *paths) == plan(tmp_path / "out", *paths)
