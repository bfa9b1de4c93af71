"""The environment says how a worker is set up."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from ocr_worker import settings
from ocr_worker.settings import fair_share_mib, log_level, provider, settings_from_environment


def test_each_number_has_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path))
    for name in ("page_processes", "queue_limit", "idle_seconds", "recycle_pages", "recycle_mib"):
        monkeypatch.setenv(f"OCR_WORKER_{name.upper()}", "7")
    monkeypatch.setenv("OCR_WORKER_MAX_LINE_BYTES", "7777")

    settings = settings_from_environment()

    assert (settings.page_processes, settings.queue_limit, settings.idle_seconds) == (7, 7, 7)
    assert (settings.recycle_pages, settings.recycle_mib, settings.max_line_bytes) == (7, 7, 7777)
    assert settings.state_dir == tmp_path
    assert settings.jobs_dir.parent == tmp_path


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "many", "٣"])
def test_what_is_no_number_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("OCR_WORKER_QUEUE_LIMIT", text)

    with pytest.raises(ValueError, match="OCR_WORKER_QUEUE_LIMIT"):
        settings_from_environment()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PAGE_PROCESSES", "1000000"), ("MAX_LINE_BYTES", "10"), ("MAX_LINE_BYTES", "9" * 12),
        ("QUEUE_LIMIT", "9" * 9), ("IDLE_SECONDS", "9" * 18), ("RECYCLE_PAGES", "9" * 12),
        ("RECYCLE_MIB", "9" * 12), ("MEMORY_LIMIT_MIB", "9" * 18), ("MEMORY_LIMIT_MIB", "1"),
        ("QUEUE_LIMIT", "9" * 5000),
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_a_number_out_of_range_is_refused_with_the_range(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"OCR_WORKER_{name}", text)

    with pytest.raises(ValueError, match=f"OCR_WORKER_{name} must be a whole number from "):
        settings_from_environment()


@pytest.mark.parametrize("text", ["SHOUT", "", "10", "warn ing"])
def test_a_level_of_the_log_that_is_none_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("OCR_WORKER_LOG", text)

    with pytest.raises(ValueError, match="OCR_WORKER_LOG must be one of DEBUG, INFO, "):
        log_level("WARNING")

    monkeypatch.setenv("OCR_WORKER_LOG", "debug")
    assert log_level("WARNING") == "DEBUG"


def test_a_provider_that_is_none_is_refused_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_WORKER_PROVIDER", "gpu")

    with pytest.raises(ValueError, match="OCR_WORKER_PROVIDER must be one of cpu, cuda, "):
        settings_from_environment()

    monkeypatch.setenv("OCR_WORKER_PROVIDER", "DirectML")
    assert provider() == "directml"


def test_a_state_folder_given_relatively_holds_from_any_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", "state")
    monkeypatch.chdir(tmp_path)

    assert settings_from_environment().state_dir == tmp_path / "state"


@pytest.mark.parametrize(
    ("memory_mib", "processes", "share_mib"), [(24_000, 2, 4096), (16_000, 8, 2000), (2_000, 8, 1536)]
)
def test_page_processes_share_the_machines_memory_but_for_a_least(
    memory_mib: int, processes: int, share_mib: int
) -> None:
    assert fair_share_mib(memory_mib, processes) == share_mib


def test_a_memory_limit_that_is_given_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_WORKER_MEMORY_LIMIT_MIB", "999")

    assert settings_from_environment().memory_limit_mib == 999


def test_the_machines_memory_is_told_as_psutil_tells_it() -> None:
    assert settings._memory_mib() == psutil.virtual_memory().total // settings.MIB
