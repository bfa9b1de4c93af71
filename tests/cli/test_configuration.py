from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.cli.config import read_configuration, user_file
from ocr_worker.cli.exit_codes import UsageError
from tests.cli.command import Command


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test may write the file that it names; the user's own lies in `user_file()`."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user_file().parent.mkdir(parents=True)
    return tmp_path / "given.yaml"


def test_without_files_and_variables_the_defaults_of_the_design_hold(given: Path) -> None:
    configuration = read_configuration(None)

    assert configuration.model_dump() == {
        "default_max_workers": None,
        "max_lock_wait_seconds": 30,
        "manifest_retention_days": 30,
        "progress_update_interval": 0.1,
        "stop_on_error_threshold": 0.5,
    }
    assert not given.exists()


def test_a_variable_without_a_value_counts_as_unset(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given.write_text("default_max_workers: 2\n", encoding="utf-8")
    monkeypatch.setenv("OCR_WORKER_DEFAULT_MAX_WORKERS", "")

    assert read_configuration(given).default_max_workers == 2
    assert read_configuration(None).default_max_workers is None


def test_environment_goes_before_the_file_named_before_the_users_own(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file().write_text(
        "default_max_workers: 1\nmax_lock_wait_seconds: 1\nstop_on_error_threshold: 0.1\n", encoding="utf-8"
    )
    given.write_text("default_max_workers: 2\nmax_lock_wait_seconds: 2\n", encoding="utf-8")
    monkeypatch.setenv("OCR_WORKER_DEFAULT_MAX_WORKERS", "3")

    configuration = read_configuration(given)

    assert configuration.default_max_workers == 3
    assert configuration.max_lock_wait_seconds == 2
    assert configuration.stop_on_error_threshold == 0.1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("workers: 2", "there is no key 'workers'. The keys are default_max_workers, "),
        ("default_max_workers: many", "default_max_workers can't be 'many'"),
        ("stop_on_error_threshold: 7", "stop_on_error_threshold can't be 7"),
        ("- default_max_workers", "can't be read as YAML keys and values"),
        ("a: [", "can't be read as YAML keys and values"),
        ("!!python/object/apply:os.system ['true']", "can't be read as YAML keys and values"),
    ],
)
def test_what_is_no_configuration_is_refused_by_its_name(given: Path, text: str, sentence: str) -> None:
    given.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError) as refusal:
        read_configuration(given)

    assert str(given) in refusal.value.message
    assert sentence in refusal.value.message


def test_an_empty_file_changes_nothing(given: Path) -> None:
    given.touch()

    assert read_configuration(given).model_dump() == read_configuration(None).model_dump()


def test_the_command_line_goes_before_all_of_it(ocr: Command) -> None:
    (ocr.home / "in").mkdir()
    for number in range(10):
        (ocr.home / "in" / f"bad{number}.pdf").write_bytes(b"no pdf")
    (ocr.home / "ours.yaml").write_text("stop_on_error_threshold: 1\n", encoding="utf-8")

    configured = ocr("batch", "in", "-o", "out", "--config", "ours.yaml")
    told = ocr("batch", "in", "-o", "out", "--config", "ours.yaml", "--stop-on-error-threshold", "0.5")

    assert (configured.returncode, told.returncode) == (1, 4)
