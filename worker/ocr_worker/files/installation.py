"""How this program was installed: from packages, or frozen into a folder that an app carries; and which packages are there.

Packages are looked for by the names of the folders that describe them: `hello` waits for the answer. importlib.metadata,
which reads all that packages say of themselves, is asked only for what those names do not tell.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ocr_worker.errors import UnsupportedError


def is_frozen() -> bool:
    """Whether this is a program made by PyInstaller, to which no package can be added."""
    return bool(getattr(sys, "frozen", False))


def to_have(package: str) -> str:
    """What to do where a package that should be there is missing."""
    return "install the app that brought ocr-worker again" if is_frozen() else f"pip install {package}"


def require_packages(lack: str, extra: str, packages: Sequence[str]) -> None:
    """Raise UnsupportedError, which begins with `lack` and names the extra that brings them, if some are not installed."""
    from importlib.util import find_spec

    if missing := [name for name in packages if find_spec(name) is None]:
        raise UnsupportedError(f"{lack} ({', '.join(missing)}): pip install 'ocr-sidecar[{extra}]'.")


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those of these packages that are installed."""
    found: dict[str, str | None] = {}
    for description in _descriptions():
        package, _, version = description.stem.partition("-")
        found.setdefault(normal(package), version.partition("-")[0] or None)
    unseen = None if any(_archives()) else ""
    versions = {package: found.get(normal(package), unseen) for package in packages}
    # Told by no folder's name.
    asked = {package: _ask_for(package) for package, version in versions.items() if version is None}
    return {package: version for package, version in {**versions, **asked}.items() if version}


def has_entry_points(group: str, but: Container[str]) -> bool:
    """Whether a package may have entry points of this group `but` these; only importlib.metadata knows them all."""
    files = (_read(description / "entry_points.txt") for description in _descriptions())
    return any(_archives()) or any(name not in but for text in files for name in _names(text, group))


def _descriptions() -> Iterator[Path]:
    """What describes installed packages, in the order in which Python finds it."""
    for place in sys.path:
        with suppress(OSError):
            yield from (each for each in Path(place).iterdir() if each.suffix in {".dist-info", ".egg-info"})


def _archives() -> Iterator[str]:
    """Where packages may be that no folder describes; a frozen program's own archive and Python's hold none."""
    own = f"python{sys.version_info.major}{sys.version_info.minor}.zip"
    places = () if is_frozen() else (place for place in sys.path if os.path.basename(place) != own)  # noqa: PTH119
    return filter(os.path.isfile, places)


def _names(entry_points: str, group: str) -> Iterator[str]:
    section = ""
    for line in map(str.strip, entry_points.splitlines() if group in entry_points else ()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == group and "=" in line:
            yield line.partition("=")[0].strip()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _ask_for(package: str) -> str | None:
    # Late: it is rarely asked.
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def normal(name: str) -> str:
    """A package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()
