"""Manifests as the library reads and lays them out."""

from __future__ import annotations

import json
import time
from pathlib import Path

import jsonschema
import pytest
from pydantic import TypeAdapter

from ocr_worker.errors import CorruptError, InvalidParamsError, NotFoundError
from ocr_worker.library.manifest import BatchManifest
from ocr_worker.library.service import OCRBatchService

SCHEMA = Path(__file__).parents[2] / "worker/ocr_worker/outputs/manifest.schema.json"


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))


def write_inputs(folder: Path, good: int, bad: int) -> list[Path]:
    """Text files are of no supported type: files that fail in a moment; the good ones are one-pixel pictures."""
    folder.mkdir()
    files = [folder / f"f{n:02d}.pgm" for n in range(good + bad)]
    for n, file in enumerate(files):
        file.write_bytes(b"P5 2 2 255\n" + b"\xff" * 3 + bytes([n]) if n < good else b"no picture")
    return files


def test_a_batch_that_is_laid_out_is_pending_and_runs_when_it_is_resumed(tmp_path: Path) -> None:
    files = write_inputs(tmp_path / "in", good=2, bad=0)

    manifest = BatchManifest.create_new(files, str(tmp_path / "out"))

    assert manifest.summary() == {
        "batch_id": manifest.batch_id, "state": "interrupted", "total": 2, "pending": 2, "processing": 0,
        "complete": 0, "failed": 0, "skipped": 0, "error_share": 0.0,
    }  # fmt: skip
    assert [item.file for item in manifest.queue.with_status("pending")] == [str(file) for file in files]


def test_the_manifest_of_a_finished_batch_tells_each_file_s_end(tmp_path: Path) -> None:
    files = write_inputs(tmp_path / "in", good=1, bad=1)
    service = OCRBatchService()

    result = service.process_batch(files, tmp_path / "out")
    service.cleanup()
    manifest = BatchManifest.load(tmp_path / "out")

    assert str(manifest.batch_id) in result["manifest"]
    assert [item.status for item in manifest.queue.items] == ["complete", "failed"]
    done, failed = manifest.queue.items
    assert done.result is not None
    assert done.result["output"] == str(tmp_path / "out" / "f00.pdf")
    assert failed.error is not None
    assert failed.error["code"] == "unsupported_type"
    assert manifest.metadata["state"] == "complete"
    assert not manifest.should_stop_on_error()
    jsonschema.validate(json.loads(Path(result["manifest"]).read_bytes()), json.loads(SCHEMA.read_bytes()))


def test_half_failed_after_ten_files_is_a_reason_to_stop(tmp_path: Path) -> None:
    files = write_inputs(tmp_path / "in", good=5, bad=5)
    service = OCRBatchService()

    service.process_batch(files, tmp_path / "out", stop_on_error_threshold=1.0)
    service.cleanup()
    manifest = BatchManifest.load(tmp_path / "out")

    assert manifest.should_stop_on_error()
    assert not manifest.should_stop_on_error(threshold=0.6)
    assert not manifest.should_stop_on_error(threshold=1.0)


def test_the_batch_begun_last_is_found_when_the_clock_was_put_back_since_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_inputs(tmp_path / "in", good=1, bad=0)
    summer, winter = ("CEST-2", "CET-1")
    ids = []
    for zone in (summer, winter):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        ids.append(BatchManifest.create_new(files, tmp_path / "out").batch_id)
    monkeypatch.undo()
    time.tzset()

    found = BatchManifest.load(tmp_path / "out")

    assert ids == sorted(ids, reverse=True)
    assert found.batch_id == ids[-1]


def test_a_folder_without_a_manifest_and_a_file_that_is_none_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "batch_20260101_000000_00000000_manifest.json").write_text('{"version": 2}', encoding="utf-8")

    with pytest.raises(CorruptError):
        BatchManifest.load(tmp_path)
    with pytest.raises(NotFoundError):
        BatchManifest.load(tmp_path, "20260101_000000_11111111")


def test_a_batch_without_files_is_not_laid_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidParamsError, match="No files provided"):
        BatchManifest.create_new([], str(tmp_path / "out"))

    assert not (tmp_path / "out").exists()


def test_the_schema_file_is_that_of_the_model() -> None:
    model = TypeAdapter(BatchManifest).json_schema()

    # A later version may add fields, which this one ignores.
    for part in (model, *model["$defs"].values()):
        part["additionalProperties"] = True
    assert json.loads(SCHEMA.read_bytes()) == model
