"""A file that was found below a folder is opened without following a link, and by all that opens it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_worker.errors import ChangedError, LinkedError, OcrError
from ocr_worker.files import held
from ocr_worker.files.held import held_below, open_below
from ocr_worker.files.paths import folder_above

MINE, SECRET = b"mine", b"secret"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file two folders down, and a secret of the same name elsewhere."""
    for place, content in ((tmp_path / "in" / "deep" / "er", MINE), (tmp_path / "elsewhere" / "er", SECRET)):
        place.mkdir(parents=True)
        (place / "page.png").write_bytes(content)
    return tmp_path / "in"


def _file_is_a_link(folder: Path) -> None:
    (folder / "deep" / "er" / "page.png").unlink()
    (folder / "deep" / "er" / "page.png").symlink_to(folder.parent / "elsewhere" / "er" / "page.png")


def _folder_is_a_link(folder: Path) -> None:
    (folder / "deep" / "er").rename(folder / "deep" / "was")
    (folder / "deep" / "er").symlink_to(folder.parent / "elsewhere" / "er")


def _outer_folder_is_a_link(folder: Path) -> None:
    (folder / "deep").rename(folder / "was")
    (folder / "deep").symlink_to(folder.parent / "elsewhere")


SWAPS = (_file_is_a_link, _folder_is_a_link, _outer_folder_is_a_link)


@pytest.fixture(params=["by descriptors", "by paths"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows has to do it, too."""
    if request.param == "by paths":
        monkeypatch.setattr(held, "_BY_DESCRIPTORS", False)


@pytest.mark.usefixtures("_either_way")
@pytest.mark.parametrize("swap", SWAPS)
def test_a_link_anywhere_below_the_folder_is_refused(swap: Callable[[Path], None], folder: Path) -> None:
    swap(folder)

    with pytest.raises(LinkedError, match=r"page\.png is a link"):
        open_below(folder / "deep" / "er" / "page.png", folder)


@pytest.mark.usefixtures("_either_way")
def test_a_folder_that_is_a_link_itself_is_meant(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)

    with open_below(link / "deep" / "er" / "page.png", link) as stream:
        assert stream.read() == MINE


@pytest.mark.usefixtures("_either_way")
@pytest.mark.parametrize("missing", ["deep/er/none.png", "none/page.png", "deep/er/page.png/below"])
def test_what_is_missing_or_no_file_is_said_as_the_system_says_it(missing: str, folder: Path) -> None:
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        open_below(folder / missing, folder)


@pytest.mark.parametrize("swap", SWAPS)
def test_while_it_is_held_its_path_leads_to_it_whatever_happens_to_names(
    swap: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    path = folder / "deep" / "er" / "page.png"

    with held_below(path, folder, tmp_path) as place:
        assert place.name == path.name
        swap(folder)

        # As libraries open it: by name, again and again.
        assert [place.read_bytes(), Path(os.fspath(place)).read_bytes()] == [MINE, MINE]
    assert not os.path.lexists(place)
    assert path.read_bytes() == SECRET


def _another_file(folder: Path) -> None:
    path = folder / "deep" / "er" / "page.png"
    path.rename(folder / "was.png")
    path.write_bytes(MINE)


@pytest.mark.parametrize(
    ("swap", "error"),
    [(_another_file, ChangedError), (_file_is_a_link, LinkedError)],
    ids=["another", "a link"],
)
def test_where_descriptors_have_no_names_a_change_is_found_at_the_end(
    swap: Callable[[Path], None], error: type[OcrError], folder: Path, tmp_path: Path
) -> None:
    path = folder / "deep" / "er" / "page.png"

    with pytest.raises(error), held_below(path, folder, tmp_path / "no folder"):
        swap(folder)


def test_the_outermost_of_the_folders_above_a_file_counts() -> None:
    folders = ("/in/deep", "/in", "/other", "/in/deep/page.png")

    assert folder_above("/in/deep/page.png", folders) == "/in"
    assert folder_above("/in", folders) is None
    assert folder_above("/inside/page.png", folders) is None
