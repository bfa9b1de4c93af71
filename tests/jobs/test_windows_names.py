"""Windows alone: one file has many paths, by case and by form."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("tells of paths that only Windows has", allow_module_level=True)

from tests.jobs.test_output_names import leave_results, make, names, plan

assert sys.platform == "win32"


def test_another_case_or_form_of_a_path_is_the_same_file(tmp_path: Path) -> None:
    first = make(tmp_path / "in" / "Scan.pdf")

    planned = plan(
        tmp_path / "out", first, tmp_path / "IN" / "SCAN.PDF", f"\\\\?\\{first}", f"\\\\.\\{first}"
    )

    assert names(planned) == ["Scan", None, None, None]
    assert [file.verdict and file.verdict.reason for file in planned] == [None, *3 * ["duplicate"]]


def test_an_input_finds_its_own_outputs_again_in_another_case(tmp_path: Path) -> None:
    source = make(tmp_path / "in" / "Scan.pdf")
    leave_results(tmp_path / "out", "Scan", source)

    assert names(plan(tmp_path / "out", tmp_path / "IN" / "SCAN.PDF")) == ["Scan"]


def test_outputs_whose_names_differ_in_case_alone_do_not_overwrite_each_other(tmp_path: Path) -> None:
    make(tmp_path / "out" / "SCAN.PDF")

    assert names(plan(tmp_path / "out", make(tmp_path / "in" / "scan.pdf"))) == ["scan_1"]
