"""What this worker offers: versions, engines, languages, limits. Imports no engine."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ocr_worker import __version__
from ocr_worker.engines.ocr.registry import Found, all_engines, installed_languages
from ocr_worker.files.installation import installed_versions
from ocr_worker.model.options import PageSettings
from ocr_worker.settings import Settings

_LIBRARIES = ("pypdfium2", "pikepdf", "pypdf", "pdf2image", "pillow", "img2pdf")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this worker is and can do."""

    versions: dict[str, str]
    """Of this program, Python and the libraries, by their names."""
    engines: tuple[tuple[str, str], ...]
    """Name, and the package and version that it comes through."""
    languages: tuple[str, ...]
    max_line_bytes: int
    max_pixels: int
    max_workers: int


def capabilities(settings: Settings) -> Capabilities:
    """Of this machine, now."""
    engines = all_engines()
    versions = library_versions(engines)
    return Capabilities(
        versions={"ocr-sidecar": __version__, "python": sys.version.split()[0], **versions},
        engines=tuple((found.name, package_version(found, versions)) for found in engines if found.usable),
        languages=tuple(installed_languages(None)),
        max_line_bytes=settings.max_line_bytes,
        max_pixels=PageSettings().max_pixels,
        max_workers=settings.page_processes,
    )


def package_version(found: Found, versions: Mapping[str, str]) -> str:
    """What an engine comes through, and its version."""
    package = found.probe.package
    return f"{package} {versions.get(package, '')}".strip()


def library_versions(engines: Iterable[Found]) -> dict[str, str]:
    """The installed packages of page work by their names. Which library an engine's package holds only the engine tells, once it is loaded."""
    return installed_versions(dict.fromkeys([*(found.probe.package for found in engines), *_LIBRARIES]))


def rss_bytes() -> int:
    """Resident memory of this process."""
    # Late: hello does without it.
    import psutil

    return int(psutil.Process().memory_info().rss)
