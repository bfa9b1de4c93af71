"""OCRBatchService without the loop, as the first design note gives it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.errors import InvalidParamsError, LanguageMissingError
from ocr_worker.library.callbacks import ConsoleProgress, ProgressCallback
from ocr_worker.library.service import OCRBatchService
from tests.conftest import REPOSITORY
from tests.e2e import tree
from tests.e2e.material import Material
from tests.hold import Hold
from tests.limits import HANG_SECONDS


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in Hold(tmp_path).environment({"OCR_WORKER_STATE_DIR": str(tmp_path / "state")}).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "state"


class Diary:
    """Writes down what a ProgressCallback hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def on_start(self, total: int) -> None:
        self.heard.append(("start", total))

    def on_progress(self, current: int, total: int, path: str, result: dict[str, Any]) -> None:
        self.heard.append(("progress", current, total, Path(path).name, result["status"]))

    def on_error(self, current: int, total: int, path: str, error: str) -> None:
        self.heard.append(("error", current, total, Path(path).name, Path(path).name in error))

    def on_complete(self, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> None:
        self.heard.append(("complete", len(results), len(errors)))


def test_a_function_hears_pages_percent_and_time_left_and_the_result_is_that_of_the_wire(
    state: Path, material: Material, tmp_path: Path
) -> None:
    heard: list[tuple[int, int, str, float, float | None]] = []

    def callback(current: int, total: int, message: str, percent: float, eta: float | None = None) -> None:
        heard.append((current, total, message, percent, eta))

    service = OCRBatchService(callback)
    try:
        result = service.process_batch([material.pdf(tmp_path / "scan.pdf", "qqq")], tmp_path / "out")
    finally:
        service.cleanup()

    assert result["status"] == "completed"
    assert [Path(file["output"]).name for file in result["successful"]] == ["scan.pdf"]
    assert result["total_pages_processed"] == 3
    assert heard[-1][:2] == (3, 3)
    assert heard[-1][3] == 100
    assert "scan.pdf (page " in heard[-1][2]
    percents = [percent for *_, percent, _ in heard]
    assert percents == sorted(percents)


def test_an_object_hears_of_files_as_they_end(state: Path, material: Material, tmp_path: Path) -> None:
    diary = Diary()
    assert isinstance(diary, ProgressCallback)
    service = OCRBatchService(diary)
    try:
        service.process_batch([material.quick, tmp_path / "missing.png"], tmp_path / "out", max_workers=1)
    finally:
        service.cleanup()

    assert diary.heard[0] == ("start", 2)
    assert sorted(entry[0] for entry in diary.heard[1:3]) == ["error", "progress"]
    assert [entry[1:3] for entry in diary.heard[1:3]] == [(1, 2), (2, 2)]
    assert ("error", "missing.png", True) in [(entry[0], *entry[3:]) for entry in diary.heard[1:3]]
    assert diary.heard[3:] == [("complete", 1, 1)]


@pytest.mark.parametrize(
    ("options", "of_the_good_one"), [({"verbose": True}, [": completed"]), ({}, list[str]())]
)
def test_the_console_hears_of_failures_and_when_verbose_of_every_file(
    state: Path, material: Material, tmp_path: Path, options: dict[str, bool], of_the_good_one: list[str]
) -> None:
    console = StringIO()
    service = OCRBatchService(ConsoleProgress(console, **options))
    try:
        service.process_batch([material.quick, tmp_path / "missing.png"], tmp_path / "out", max_workers=1)
    finally:
        service.cleanup()

    first, *of_files, last = console.getvalue().splitlines()
    assert (first, last) == ("Processing 2 files", "1 done, 1 failed")
    numbers, told = zip(*(line.split("] ", 1) for line in of_files), strict=True)
    assert set(numbers) <= {"[1/2", "[2/2"}
    assert len(told) == len(set(numbers))
    good = [f"{material.quick}{said}" for said in of_the_good_one]
    failed = "missing.png does not exist, or is a link that leads nowhere; check its path"
    assert sorted(told) == sorted([*good, failed])


def test_a_progress_callback_that_lacks_a_method_is_refused_as_it_would_never_be_called(state: Path) -> None:
    class Half:
        def on_start(self, total: int) -> None: ...

    half: Any = Half()

    with pytest.raises(InvalidParamsError, match="on_start, on_progress, on_error, on_complete"):
        OCRBatchService(half)


def test_the_library_page_runs_as_printed(state: Path, material: Material, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "library.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    code = "".join(block for language, block in blocks if language == "python")
    [console] = [block for language, block in blocks if not language]
    material.pdf(tmp_path / "scan.pdf", "qq")
    shutil.copy(material.quick, tmp_path / "letter.png")

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=HANG_SECONDS
    )

    assert done.returncode == 0, done.stderr
    assert console in done.stdout
    assert "No files provided for OCR batch processing {'field': 'files'}\n" in done.stdout
    assert "language_missing False {'missing': ['xyz']}\n" in done.stdout
    assert "\ncancelled\n" in done.stdout
    assert done.stdout.endswith("pending\n")


def test_the_cancellation_flag_ends_the_batch_in_mid_page_and_the_service_can_go_on(
    state: Path, material: Material, tmp_path: Path
) -> None:
    pages: list[int] = []

    def callback(current: int, total: int, message: str, percent: float, eta: float | None = None) -> None:
        pages.append(current)

    service = OCRBatchService(callback, lambda: bool(pages) and pages[-1] == 1)
    try:
        scan = material.pdf(tmp_path / "slow.pdf", "qhh")
        result = service.process_batch([scan], tmp_path / "out")
        pages.clear()
        again = service.process_batch([material.quick], tmp_path / "out2")
    finally:
        service.cleanup()

    assert (result["status"], result["successful"], result["failed"]) == ("cancelled", [], [])
    assert again["status"] == "completed"
    assert not list((tmp_path / "out").glob(".*.part"))


def test_a_callback_that_raises_cancels_its_batch_and_no_other(
    state: Path, material: Material, tmp_path: Path
) -> None:
    faults = [ZeroDivisionError("the window is gone")]

    def callback(current: int, total: int, message: str, percent: float, eta: float | None = None) -> None:
        if faults:
            raise faults.pop()

    service = OCRBatchService(callback)
    try:
        with pytest.raises(ZeroDivisionError, match="the window is gone"):
            service.process_batch([material.slow], tmp_path / "out")
        again = service.process_batch([material.quick], tmp_path / "out2")
    finally:
        service.cleanup()

    assert again["status"] == "completed"
    assert [file["file"] for file in again["successful"]] == [str(material.quick)]


def test_clean_up_ends_all_processes_and_may_be_called_again(
    state: Path, material: Material, tmp_path: Path
) -> None:
    service = OCRBatchService()
    service.process_batch([material.quick], tmp_path / "out")
    processes = tree.page_processes_of_this_process()

    service.cleanup()
    service.cleanup()

    assert processes
    tree.wait_until(lambda: not tree.page_processes_of_this_process(), "page processes are gone")


def test_after_clean_up_the_service_works_again(state: Path, material: Material, tmp_path: Path) -> None:
    service = OCRBatchService()
    service.cleanup()
    try:
        result = service.process_batch([material.quick], tmp_path / "out")
    finally:
        service.cleanup()

    assert result["status"] == "completed"


@pytest.mark.parametrize(
    ("files", "options", "error", "says"),
    [
        ([], {}, InvalidParamsError, "No files provided for OCR batch processing"),
        (None, {}, InvalidParamsError, "No files provided for OCR batch processing"),
        ("", {}, InvalidParamsError, "No files provided for OCR batch processing"),
        (7, {}, InvalidParamsError, "files must be a path, or a list of paths, not int"),
        (["a.png", None], {}, InvalidParamsError, "files must be a path, or a list of paths, not NoneType"),
        (
            ["a.png"],
            {"languages": {"eng"}},
            InvalidParamsError,
            "^languages must be a non-empty list of codes",
        ),
        (["a.png"], {"retries": -1}, InvalidParamsError, "^retries must be an integer from 0 to 100"),
        (["a.png"], {"languages": ["xyz"]}, LanguageMissingError, "xyz"),
    ],
)
def test_what_cannot_be_begun_is_raised(
    state: Path, tmp_path: Path, files: Any, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    service = OCRBatchService()

    with pytest.raises(error, match=says):
        service.process_batch(files, tmp_path / "out", **options)

    assert not (tmp_path / "out").exists()


def test_without_an_output_folder_the_message_is_that_of_the_wire(state: Path) -> None:
    nothing: Any = None

    with pytest.raises(InvalidParamsError, match="No output directory provided"):
        OCRBatchService().process_batch(["a.png"], nothing)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_alone_is_one_file(
    state: Path, material: Material, tmp_path: Path, kind: Callable[[Path], str | Path]
) -> None:
    service = OCRBatchService()
    try:
        result = service.process_batch(kind(material.quick), tmp_path / "out")
    finally:
        service.cleanup()

    assert [file["file"] for file in result["successful"]] == [str(material.quick)]
    assert result["total_files"] == 1


def test_paths_among_the_options_may_be_path_objects(state: Path, material: Material, tmp_path: Path) -> None:
    service = OCRBatchService()
    try:
        result = service.process_batch([material.quick], tmp_path / "out", passwords={material.quick: "open"})
    finally:
        service.cleanup()

    assert result["status"] == "completed"
