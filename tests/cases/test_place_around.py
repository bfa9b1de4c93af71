"""Cases 20 and 21: a share that does not answer, and what the environment has left over from elsewhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocr_worker.errors import OcrError
from ocr_worker.files.atomic import output_error
from ocr_worker.pages.source_file import access_error
from tests.faults import pictures
from tests.faults.host import Spawn, Worker, running
from tests.faults.injection import failing
from tests.long_rows import first

AWAY = (
    "ESTALE",
    "ETIMEDOUT",
    "EIO",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ECONNRESET",
    "ENOTCONN",
    "EREMOTEIO",
)


class WindowsLikeError(OSError):
    """As Python makes it on Windows, where winerror is an attribute of OSError."""

    def __init__(self, winerror: int, number: int) -> None:
        super().__init__(number, "as Windows says")
        self.winerror = winerror


def write_page(folder: Path, name: str = "page.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / name
    page.write_bytes(pictures.png())
    return page


@pytest.mark.parametrize("name", [name for name in AWAY if hasattr(errno, name)])
def test_a_share_that_does_not_answer_is_said_so_and_may_be_tried_again(name: str, tmp_path: Path) -> None:
    error = OSError(getattr(errno, name), os.strerror(getattr(errno, name)))

    for told in (access_error(error, tmp_path / "page.pdf"), output_error(error, tmp_path / "page.pdf")):
        assert (told.code, told.retryable) == ("unreachable", True)
        assert "page.pdf can't be reached now" in told.message
        assert os.strerror(getattr(errno, name)) in told.message


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_machine_at_its_limits_does_not_say_that_the_file_is_gone(number: int) -> None:
    told = access_error(OSError(number, os.strerror(number)), Path("page.pdf"))

    assert told.retryable
    assert os.strerror(number) in told.message


@pytest.mark.parametrize(
    ("winerror", "number", "code"),
    [
        (32, errno.EACCES, "locked"), (33, errno.EACCES, "locked"), (53, errno.ENOENT, "unreachable"),
        (64, errno.EINVAL, "unreachable"), (67, errno.ENOENT, "unreachable"), (121, errno.EINVAL, "unreachable"),
        (2, errno.ENOENT, "not_found"), (5, errno.EACCES, "permission"),
    ],
)  # fmt: skip
def test_what_windows_says_is_told_as_what_it_is(winerror: int, number: int, code: str) -> None:
    told: OcrError = access_error(WindowsLikeError(winerror, number), Path("page.pdf"))

    assert told.code == code


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule", first(2, ["openat:error=ESTALE", "read:error=EIO", "read:error=ESTALE", "openat:error=ETIMEDOUT"])
)
def test_case_20_a_stale_handle_costs_the_file_for_now(rule: str, tmp_path: Path) -> None:
    page, other = write_page(tmp_path / "in"), write_page(tmp_path / "in", "other.png")

    with running(tmp_path / "home", failing(rule, at=page)) as worker:
        data = worker.batch([page, other], tmp_path / "out")

    (failed,) = data["failed"]
    assert (failed["code"], failed["retryable"]) == ("unreachable", True)
    assert "does not exist" not in failed["error"]
    assert [Path(done["file"]).name for done in data["successful"]] == ["other.png"]


@pytest.fixture
def stale(tmp_path: Path) -> Iterator[Worker]:
    """A worker whose TESSDATA_PREFIX leads to what is no language data."""
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "eng.traineddata").write_bytes(os.urandom(500_000))
    with running(tmp_path / "home", Spawn({"TESSDATA_PREFIX": str(folder)})) as worker:
        yield worker


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["auto", "tesseract"])
def test_case_21_a_stale_tessdata_prefix_is_passed_over(stale: Worker, tmp_path: Path, engine: str) -> None:
    data = stale.batch([write_page(tmp_path / "in")], tmp_path / "out", engine=engine)

    assert [done["status"] for done in data["successful"]] == ["completed"], data
    assert "TESSDATA_PREFIX" in stale.log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_case_21_paths_in_json_are_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    page = write_page(tmp_path / "in", "Übergröße 漢字.png")
    ascii_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    with running(tmp_path / "home", Spawn(ascii_locale)) as worker:
        data = worker.batch([page], tmp_path / "öut")

    assert [done["file"] for done in data["successful"]] == [str(page)], data
    assert (tmp_path / "öut" / "Übergröße 漢字.pdf").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("refusal", first(2, ["ENOLCK", "EIO", "EOPNOTSUPP", "EINVAL"]))
def test_a_state_folder_whose_disk_takes_no_locks_is_worked_with_and_said_so(
    refusal: str, tmp_path: Path
) -> None:
    page = write_page(tmp_path / "in")

    with running(tmp_path / "home", failing(f"flock:error={refusal}")) as worker:
        data = worker.batch([page], tmp_path / "out")

    assert [done["status"] for done in data["successful"]] == ["completed"], data
    assert "takes no locks" in worker.log.read_text(encoding="utf-8")
    assert list((worker.state / "jobs").iterdir()) == []
