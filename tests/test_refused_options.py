"""A bad option, at each face: the message names it as that face's user wrote it, and says what it must be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ocr_protocol import WireError, decode
from ocr_worker.errors import InvalidParamsError
from ocr_worker.library.requests import make_request
from ocr_worker.model.option_table import options
from tests.cli.command import Command

BAD: dict[str, tuple[object, str]] = {
    "languages": (["../x"], "../x"),
    "dpi": (49, "49"),
    "outputs": (["docx"], "docx"),
    "max_pixels": (0, "0"),
    "max_workers": (257, "257"),
    "page_timeout_seconds": (0, "0"),
    "file_timeout_seconds": (86_401, "86401"),
    "retries": (-1, "-1"),
    "stop_on_error_threshold": (1.5, "1.5"),
    "max_lock_wait_seconds": (-0.5, "-0.5"),
    "pages_per_minute": (0, "0"),
}
"""By name: as programs say it, and as it is typed."""
BAD_IN_PROGRAMS: dict[str, object] = {
    **{name: value for name, (value, _) in BAD.items()},
    "engine": "abbyy finereader",
    "existing_text": "drop",
    "on_existing": True,
    "rotate_pages": 90,
    "deskew": "ON",
    "denoise": [],
    "second_reader": "both",
    "signed": None,
    "keep_protection": "yes",
    "tessdata_dir": "",
    "tessdata_dirs": [7],
    "no_links_below": [""],
    "passwords": {"a.pdf": 7},
    "chunk_size": 0,
    "dry_run": 1,
}


def test_every_option_is_tried() -> None:
    assert set(BAD_IN_PROGRAMS) == set(options())


@pytest.mark.parametrize("name", BAD_IN_PROGRAMS)
def test_a_library_caller_reads_the_name_of_the_argument(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParamsError) as refusal:
        make_request("a.png", tmp_path, {name: BAD_IN_PROGRAMS[name]})

    assert refusal.value.message == f"{name} must be {options()[name].kind.must_be}"
    assert refusal.value.details == {"field": name}


@pytest.mark.parametrize("name", BAD_IN_PROGRAMS)
def test_a_host_reads_the_path_of_the_field(name: str) -> None:
    command = {
        "command": "ocr_batch",
        "files": ["a"],
        "output_dir": "out",
        "options": {name: BAD_IN_PROGRAMS[name]},
    }

    with pytest.raises(WireError) as refusal:
        decode(json.dumps(command).encode())

    assert f"options.{name} must be {options()[name].kind.must_be}" in refusal.value.message
    assert refusal.value.details["field"].startswith(f"options.{name}")


@pytest.mark.parametrize("name", BAD)
def test_who_types_a_command_reads_the_flag(name: str, tmp_path: Path) -> None:
    flag, typed = options()[name].long_flag, BAD[name][1]

    done = Command(tmp_path)("batch", "x.pdf", "-o", "out", f"{flag}={typed}")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"ocr-worker: {flag} must be {options()[name].kind.must_be}\n"


@pytest.mark.parametrize("name", [option.name for option in options().values() if option.config_key])
def test_who_writes_a_configuration_reads_its_file_and_the_key(name: str, tmp_path: Path) -> None:
    key = options()[name].config_key
    (tmp_path / "ours.yaml").write_text(f"{key}: {BAD[name][1]}\n", encoding="utf-8")

    done = Command(tmp_path)("batch", "x.pdf", "-o", "out", "--config", "ours.yaml")

    assert done.returncode == 2
    assert done.stderr == f"ocr-worker: ours.yaml: {key} must be {options()[name].kind.must_be}\n"


@pytest.mark.parametrize("priority", [True, 1.0, "high", None, 1_000_001])
def test_a_priority_is_held_to_the_bounds_of_the_wire(priority: object, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidParamsError, match=r"^priority must be an integer from -1,000,000 to 1,000,000$"
    ):
        make_request("a.png", tmp_path, {"priority": priority})


@pytest.mark.parametrize(
    ("files", "output_dir", "message"),
    [
        ([], "out", "No files provided for OCR batch processing"),
        (["a"], None, "No output directory provided"),
        (7, "out", "files must be a path, or a list of paths, not int"),
        (["a"], 7, "output_dir must be the path of a folder, not int"),
        (["a"], "o\0t", "'o\\x00t' is not a path: it is empty, or contains a NUL."),
    ],
)
def test_a_library_caller_reads_what_files_and_folder_must_be(
    files: list[str], output_dir: str, message: str
) -> None:
    with pytest.raises(InvalidParamsError) as refusal:
        make_request(files, output_dir, {"dry_run": True})

    assert refusal.value.message == message
