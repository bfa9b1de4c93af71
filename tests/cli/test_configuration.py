from __future__ import annotations

import re
from pathlib import Path

import pytest

from ocr_worker.cli.config import Configuration, keys, read_configuration, user_file
from ocr_worker.errors import InvalidParamsError
from tests.cli.command import Command
from tests.conftest import REPOSITORY


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test may write the file that it names; the user's own lies in `user_file()`."""
    (tmp_path / "config").mkdir()
    # No variable moves the folder on Windows.
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    return tmp_path / "given.yaml"


def test_without_files_and_variables_the_defaults_of_the_design_hold(given: Path) -> None:
    configuration = read_configuration(None)

    assert configuration == Configuration({}, manifest_retention_days=30, progress_update_interval=0.1)
    assert not given.exists()


def test_the_page_tells_every_key_with_its_variable() -> None:
    page = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")

    assert len(keys()) == 12
    for key in keys():
        assert re.search(rf"^{key}: [^ ]+ +# OCR_WORKER_{key.upper()}\b", page, re.MULTILINE)


def test_a_variable_without_a_value_counts_as_unset(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given.write_text("default_max_workers: 2\n", encoding="utf-8")
    monkeypatch.setenv("OCR_WORKER_DEFAULT_MAX_WORKERS", "")

    assert read_configuration(given).options == {"max_workers": 2}
    assert read_configuration(None).options == {}


def test_environment_goes_before_the_file_named_before_the_users_own(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_file().write_text(
        "default_max_workers: 1\nmax_lock_wait_seconds: 1\nstop_on_error_threshold: 0.1\n", encoding="utf-8"
    )
    given.write_text("default_max_workers: 2\nmax_lock_wait_seconds: 2\n", encoding="utf-8")
    monkeypatch.setenv("OCR_WORKER_DEFAULT_MAX_WORKERS", "3")

    configuration = read_configuration(given)

    assert configuration.options == {
        "max_workers": 3, "max_lock_wait_seconds": 2, "stop_on_error_threshold": 0.1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("workers: 2", "there is no key 'workers'. The keys are default_max_workers, "),
        ("default_max_workers: many", "default_max_workers must be an integer from 1 to 256"),
        ("stop_on_error_threshold: 7", "stop_on_error_threshold must be a number above 0, up to 1"),
        (
            "progress_update_interval: 0",
            "progress_update_interval must be a number of seconds from 0.1 to 3,600",
        ),
        ("- default_max_workers", "can't be read as YAML keys and values"),
        ("a: [", "can't be read as YAML keys and values"),
        ("!!python/object/apply:os.system ['true']", "can't be read as YAML keys and values"),
    ],
)
def test_what_is_no_configuration_is_refused_by_its_name(given: Path, text: str, sentence: str) -> None:
    given.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidParamsError) as refusal:
        read_configuration(given)

    assert str(given) in refusal.value.message
    assert sentence in refusal.value.message


def test_a_variable_is_refused_by_its_own_name(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_WORKER_MAX_LOCK_WAIT_SECONDS", "long")

    with pytest.raises(
        InvalidParamsError, match=r"^OCR_WORKER_MAX_LOCK_WAIT_SECONDS must be a number of seconds"
    ):
        read_configuration(None)


def test_an_empty_file_changes_nothing(given: Path) -> None:
    given.touch()

    assert read_configuration(given) == read_configuration(None)


def test_the_command_line_goes_before_all_of_it(ocr: Command) -> None:
    (ocr.home / "in").mkdir()
    for number in range(10):
        (ocr.home / "in" / f"bad{number}.pdf").write_bytes(b"no pdf")
    (ocr.home / "ours.yaml").write_text("stop_on_error_threshold: 1\n", encoding="utf-8")

    configured = ocr("batch", "in", "-o", "out", "--config", "ours.yaml")
    told = ocr("batch", "in", "-o", "out", "--config", "ours.yaml", "--stop-on-error-threshold", "0.5")

    assert (configured.returncode, told.returncode) == (1, 4)
