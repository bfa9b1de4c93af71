"""Find the inputs of a batch: files as they are named, folders searched through. Touches no content."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ocr_worker.errors import NotFoundError
from ocr_worker.plan import SUFFIXES

EXTENSIONS = (
    "pdf", "png", "jpg", "jpeg", "jpe", "tif", "tiff", "bmp", "gif", "webp", "pnm", "pbm", "pgm", "ppm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """Which files of folders are meant. A pattern with a slash is held against the path below the folder."""

    output_dir: Path | None
    """Never searched, should it lie inside."""
    include: Sequence[str] = ()
    """Patterns of which one has to match; none: the extensions of what can be recognised."""
    exclude: Sequence[str] = ()

    def __call__(self, folder: Path) -> list[Path]:
        """All files that are meant in and below a folder, in order of their names.

        Raises:
            NotFoundError: it is no folder, or can't be read.
        """
        try:
            os.scandir(folder).close()
        except OSError as error:
            raise NotFoundError(f"The input folder {folder} can't be read: {error.strerror}.") from error
        return sorted(self._walk(folder))

    def _walk(self, folder: Path) -> Iterator[Path]:
        for place, folders, files in os.walk(folder):
            here = Path(place)
            folders[:] = [name for name in folders if self._enters(here / name, folder)]
            ours = self._own_outputs(here)
            yield from (
                here / name for name in files if name not in ours and self._means(here / name, folder)
            )

    def _enters(self, folder: Path, root: Path) -> bool:
        if folder.name.startswith(".") or _matches(folder, root, self.exclude):
            return False
        return self.output_dir is None or not _same(folder, self.output_dir)

    def _means(self, file: Path, root: Path) -> bool:
        if file.name.startswith(".") or _matches(file, root, self.exclude):
            return False
        if self.include:
            return _matches(file, root, self.include)
        return file.suffix[1:].lower() in EXTENSIONS

    def _own_outputs(self, folder: Path) -> set[str]:
        """Outputs of earlier runs, where outputs are written among the inputs."""
        if self.output_dir is None or not _same(folder, self.output_dir):
            return set()
        ending = SUFFIXES["json"]
        stems = [name.removesuffix(ending) for name in os.listdir(folder) if name.endswith(ending)]  # noqa: PTH208
        return {stem + suffix for stem in stems for suffix in SUFFIXES.values()}


def gather(folders: Sequence[Path], paths: Sequence[Path], search: Search) -> list[str]:
    """What is found in folders, and files as they are named, whatever they are; nothing twice."""
    found = [file for folder in folders for file in search(folder)]
    found += [file for path in paths for file in (search(path) if path.is_dir() else [path])]
    return [os.fspath(file) for file in dict.fromkeys(found)]


def _matches(path: Path, root: Path, patterns: Sequence[str]) -> bool:
    below = path.relative_to(root).as_posix()
    return any(fnmatch.fnmatch(below if "/" in pattern else path.name, pattern) for pattern in patterns)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
