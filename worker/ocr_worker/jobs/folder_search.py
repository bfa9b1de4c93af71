"""Find the files to read in folders. Opens none of them, but for results of ours."""

from __future__ import annotations

import fnmatch
import math
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ocr_worker.errors import InvalidParamsError, NotFoundError
from ocr_worker.files.bounded import number_of
from ocr_worker.jobs.output_names import SUFFIXES
from ocr_worker.model.extensions import EXTENSIONS
from ocr_worker.outputs.results_file import read_results

_MANIFEST = re.compile(r"batch_\d{8}_\d{6}_[0-9a-f]{8}_manifest\.json")


@dataclass(frozen=True, slots=True)
class Search:
    """Which files of folders to use. A pattern with a slash is compared with the path below the folder."""

    output_dir: Path | None
    """The output folder, which is never searched."""
    include: Sequence[str] = ()
    """Patterns of which one must match; by default the extensions of supported files."""
    exclude: Sequence[str] = ()
    follow_links: bool = False
    """Also to files and folders elsewhere: whoever may write into a folder could lead us to what only we may read."""
    links: list[Path] = field(default_factory=list)
    """Links that were passed over."""
    unread: list[str] = field(default_factory=list)
    """Folders that could not be read, with the reasons."""
    searched: list[Path] = field(default_factory=list)
    most: float = math.inf
    """Files that one folder may have."""
    limit_seconds: float = math.inf
    """How long one folder may take."""

    def __call__(self, folder: Path) -> list[Path]:
        """Find the files to use in and below a folder, in order of names.

        Raises:
            NotFoundError: it is no folder, or can't be read.
            InvalidParamsError: it has too many, or there is too much to look through.
        """
        try:
            os.scandir(folder).close()
        except OSError as error:
            raise NotFoundError(f"The input folder {folder} can't be read: {error.strerror}.") from error
        self.searched.append(folder)
        found = list[Path]()
        for file in self._walk(folder):
            found.append(file)
            if len(found) > self.most:
                raise InvalidParamsError(
                    f"The folder {folder} has more than {self.most:,} files to read. Name folders in it.",
                    field="files",
                )
        return sorted(found)

    def _walk(self, folder: Path) -> Iterator[Path]:
        entered, until = {_identity(folder)}, time.monotonic() + self.limit_seconds
        for place, folders, files in os.walk(folder, onerror=self._pass_over, followlinks=self.follow_links):
            if time.monotonic() > until:
                raise InvalidParamsError(
                    f"To look through the folder {folder} takes too long. Name folders in it.", field="files"
                )
            here = Path(place)
            folders[:] = [name for name in folders if self._enters(here / name, folder, entered)]
            ours = self._own_outputs(here, files)
            yield from (
                here / name for name in files if name not in ours and self._means(here / name, folder)
            )

    def _pass_over(self, error: OSError) -> None:
        self.unread.append(f"{os.fsdecode(error.filename)}: {error.strerror}")

    def _enters(self, folder: Path, root: Path, entered: set[tuple[int, int] | None]) -> bool:
        if folder.name.startswith(".") or _matches(folder, root, self.exclude):
            return False
        if self.output_dir is not None and _same(folder, self.output_dir):
            return False
        if not self.follow_links:
            return not self._passes_link(folder)
        # Links may lead in circles.
        identity = _identity(folder)
        is_new = identity not in entered
        entered.add(identity)
        return is_new

    def _passes_link(self, path: Path) -> bool:
        if not os.path.islink(path):  # noqa: PTH114 - Path.is_symlink raises for a name that is too long
            return False
        self.links.append(path)
        return True

    def _means(self, file: Path, root: Path) -> bool:
        if file.name.startswith(".") or _matches(file, root, self.exclude):
            return False
        meant = _matches(file, root, self.include) if self.include else file.suffix[1:].lower() in EXTENSIONS
        return meant and (self.follow_links or not self._passes_link(file))

    def _own_outputs(self, folder: Path, files: Sequence[str]) -> set[str]:
        """Outputs of earlier runs that lie among the inputs."""
        if self.output_dir is None or not _same(folder, self.output_dir):
            return set()
        return own_outputs(folder, files)


def gather(folders: Sequence[Path], paths: Sequence[Path], search: Search) -> list[str]:
    """Files in folders, and named files whatever they are, each once."""
    found = [file for folder in folders for file in search(folder)]
    found += [file for path in paths for file in (search(path) if path.is_dir() else [path])]
    return [os.fspath(file) for file in dict.fromkeys(found)]


def _matches(path: Path, root: Path, patterns: Sequence[str]) -> bool:
    below, patterns = path.relative_to(root).as_posix(), [one.replace(os.sep, "/") for one in patterns]
    # `**/` stands for no folder as well.
    wider = [*patterns, *(pattern.replace("**/", "") for pattern in patterns)]
    return any(fnmatch.fnmatch(below if "/" in pattern else path.name, pattern) for pattern in wider)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return number_of(str(folder), found)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def own_outputs(folder: Path, names: Iterable[str]) -> set[str]:
    """Manifests, results, and what was made with them; never a file that results name as their source."""
    found = set[str]()
    for name in names:
        if _MANIFEST.fullmatch(name):
            found.add(name)
        elif name.endswith(SUFFIXES["json"]):
            found.update(_made_with(folder / name))
    return found


def _made_with(results: Path) -> Iterator[str]:
    """A results file and the outputs that it lists; nothing if it is not one."""
    read = read_results(results)
    stem = results.name.removesuffix(SUFFIXES["json"])
    names = [stem + suffix for kind, suffix in SUFFIXES.items() if read and kind in read.kinds]
    yield from (name for name in names if read and os.path.realpath(results.with_name(name)) != read.source)
