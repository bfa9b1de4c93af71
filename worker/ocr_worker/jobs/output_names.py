"""Settle the names of all outputs before any work, the same way on every run."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ocr_worker.errors import BadNameError, OcrError, OutputConflictError
from ocr_worker.files.bounded import Identity, identities, identity
from ocr_worker.files.paths import usable
from ocr_worker.model.jobs import InputFile
from ocr_worker.model.results import FileOutcome
from ocr_worker.model.tasks import Failure
from ocr_worker.outputs.results_file import Results, read_results
from ocr_worker.store.records import NewFile

SUFFIXES = {"pdf": ".pdf", "txt": ".txt", "json": "_ocr_results.json", "hocr": ".hocr", "alto": ".alto.xml"}
LONGEST_NAME_BYTES = 255
ROOM_BYTES = 36
"""For our suffixes, `_n`, and the affixes of temporary files."""
RESERVED = {
    "con", "prn", "aux", "nul", "conin$", "conout$", "clock$",
    *(f"{device}{number}" for device in ("com", "lpt") for number in "123456789¹²³"),
}  # fmt: skip

OnExisting = Literal["skip", "overwrite", "suffix"]


@dataclass(frozen=True, slots=True)
class Namespace:
    """An output folder as it was found: what is there, folded, and whose it is."""

    folder: Path
    outputs: tuple[str, ...]
    mode: OnExisting
    promised: Mapping[str, str] = field(default_factory=dict)
    """Names that unfinished jobs will write there, and the inputs that they are for."""


def output_paths(folder: Path, name: str, outputs: tuple[str, ...]) -> dict[str, str]:
    """Output kind to path for a planned name."""
    return {kind: usable(str(folder / (name + SUFFIXES[kind]))) for kind in outputs}


_Inputs = dict[Identity, str]
"""Device and inode of each input to the first path, as sent, that leads there."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a name must keep clear of."""

    space: Namespace
    taken: set[str]
    present: set[str]
    inputs: _Inputs
    results: dict[str, list[str]]
    """By folded stem: the names NAME, NAME_1 … that have an `_ocr_results.json`."""
    promised: dict[str, str]
    """By folded name: the inputs of unfinished jobs."""
    next_numbers: dict[str, int] = field(default_factory=dict)
    """By folded stem: the first number that no earlier input of that stem has tried."""
    owners: dict[str, dict[str, str]] = field(default_factory=dict)
    """By folded stem: sources to the names that their results have."""

    def reserve(self, name: str) -> None:
        """Take in what the output folder holds."""
        self.present.add(_fold(name))
        if name.endswith(SUFFIXES["json"]):
            stem = name.removesuffix(SUFFIXES["json"])
            for key in {_fold(stem), _fold(re.sub(r"_\d+$", "", stem))}:
                self.results.setdefault(key, []).append(stem)

    def find_owners(self, stem: str) -> Iterator[None]:
        """Read whose the names of this stem are, in as many steps as there are results."""
        key = _fold(stem)
        if key in self.results and key not in self.owners:
            owners = dict[str, str]()
            for name in self.results[key]:
                if results := self.results_of(name):
                    owners[results.source] = name
                yield None
            self.owners[key] = owners

    def own_name(self, stem: str, source: str) -> str | None:
        """The name that an earlier run gave to this source, which is a real path. Its owners were found."""
        return self.owners.get(_fold(stem), {}).get(source)

    def results_of(self, name: str) -> Results | None:
        return read_results(Path(self.space.folder, name + SUFFIXES["json"]))

    def next_name(self, stem: str) -> str:
        """NAME, NAME_1 … on from what was tried last: a thousand files of one name would take a million tries."""
        number = self.next_numbers.get(_fold(stem), 0)
        self.next_numbers[_fold(stem)] = number + 1
        return stem if number == 0 else f"{stem}_{number}"


def plan_outputs(
    files: Iterable[InputFile],
    space: Namespace,
    look: Callable[[Sequence[str]], Iterator[Identity | None]] = identities,
) -> Iterator[NewFile | None]:
    """Give each input one name for all its outputs, or its verdict, in order. A string that came before is dropped.

    None is a step on the way: the whole may take seconds, and the caller may have others to answer.
    """
    unlike, first = dict[str, InputFile](), _Inputs()
    for file in files:
        unlike[file.sent] = file
        yield None
    found = list[Identity | None]()
    for file, seen in zip(unlike.values(), look([file.path for file in unlike.values()]), strict=True):
        found.append(seen)
        if seen is not None:
            first.setdefault(seen, file.sent)
        yield None
    promised = {_fold(name): source for name, source in space.promised.items()}
    ground = _Ground(space, set(), set(), first, {}, promised)
    for name in _names(space.folder):
        ground.reserve(name)
        yield None
    for file, seen in zip(unlike.values(), found, strict=True):
        yield from _planned(_Input(file, seen), ground)


@dataclass(frozen=True, slots=True)
class _Input:
    """A file with what its path leads to; None where nothing is there, or nothing answered: then it is not asked again."""

    file: InputFile
    identity: Identity | None

    @property
    def real_path(self) -> str:
        return os.path.realpath(self.file.path) if self.identity else self.file.path


def _planned(source: _Input, ground: _Ground) -> Iterator[NewFile | None]:
    file = source.file
    try:
        verdict = _duplicate(source, ground.inputs)
        name = None if verdict else (yield from _choose(source, ground))
    except OcrError as error:
        failure = Failure.of(error)
        name, verdict = None, FileOutcome(status="failed", error=failure)
    size = source.identity.bytes if source.identity else None
    yield NewFile(file.sent, os.fsencode(file.path), os.fsencode(name) if name else None, verdict, size)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # a folder may hold a hundred thousand
    except OSError:
        return []


def _duplicate(source: _Input, inputs: _Inputs) -> FileOutcome | None:
    """The verdict on another path to a file that came before."""
    file = source.file
    if not file.path or "\0" in file.path:
        raise BadNameError(f"{file.sent!r} is not a path: it is empty, or contains a NUL. Rename the file.")
    first = inputs[source.identity] if source.identity else file.sent
    if first == file.sent:
        return None
    return FileOutcome(status="skipped", reason="duplicate", message=f"The same file as {first}")


def _choose(source: _Input, ground: _Ground) -> Generator[None, None, str]:
    """A folder may hold thousands of names of the same stem: each is a step."""
    stem, outputs = _safe_stem(Path(source.file.path).name or "file"), ground.space.outputs
    own = None
    if ground.space.mode == "skip" and ground.results:
        yield from ground.find_owners(stem)
        own = ground.own_name(stem, source.real_path)
    name, has_results = own, own is not None
    while (
        name is None
        or _collides(name, outputs, ground.taken)
        or not _usable(name, source, ground, has_results=has_results)
    ):
        name = ground.next_name(stem)
        yield None
    ground.taken.update(_folded(name, outputs))
    return name


def _usable(name: str, source: _Input, ground: _Ground, *, has_results: bool) -> bool:
    """Whether an existing name may be used for this input under the mode; never if that would cost an input.

    Args:
        name: of its outputs.
        source: the input.
        ground: what is there.
        has_results: whether some results of the folder are of this input; without, none need be read for it.
    """
    space, promised = ground.space, ground.promised.get(_fold(name))
    if promised and (space.mode == "suffix" or os.path.realpath(promised) != source.real_path):
        return False
    if not _collides(name, space.outputs, ground.present):
        return True
    places = output_paths(space.folder, name, space.outputs)
    there = {identity(path) for path in places.values()}
    if space.mode != "suffix" and source.identity in there - {None}:
        raise OutputConflictError(
            f"{Path(source.file.path).name!r} would be overwritten by its own output. Choose another output folder, or `on_existing: suffix`."
        )
    # Not isdisjoint: of a mapping that walks all inputs, for each of them.
    if space.mode == "suffix" or there & ground.inputs.keys():
        return False
    if space.mode == "overwrite":
        return True
    results = ground.results_of(name) if has_results else None
    if results is None or results.source != source.real_path:
        return False
    return all(kind in results.kinds or not os.path.lexists(place) for kind, place in places.items())


def _folded(name: str, outputs: tuple[str, ...]) -> set[str]:
    # The JSON name always counts: it tells whose a name is, even where no JSON is asked for.
    return {_fold(name + SUFFIXES[kind]) for kind in (*outputs, "json")}


def _collides(name: str, outputs: tuple[str, ...], names: set[str]) -> bool:
    return not names.isdisjoint(_folded(name, outputs))


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _safe_stem(base: str) -> str:
    """The stem as an output may carry it on every system: no device name, no trailing dot, not too long."""
    stem = base.rpartition(".")[0] or base
    stem = stem.rstrip(". ") or "file"
    if stem.partition(".")[0].casefold() in RESERVED:
        stem = f"_{stem}"
    raw = os.fsencode(stem)
    if len(raw) <= LONGEST_NAME_BYTES - ROOM_BYTES:
        return stem
    digest = hashlib.sha256(raw).hexdigest()[:8]
    return _cut(stem, LONGEST_NAME_BYTES - ROOM_BYTES - 9) + f"-{digest}"


def _cut(text: str, most_bytes: int) -> str:
    """The longest beginning of a name that has at most so many bytes, without a broken character."""
    while len(os.fsencode(text)) > most_bytes:
        text = text[: max(1, len(text) - max(1, (len(os.fsencode(text)) - most_bytes) // 4))]
    return text
