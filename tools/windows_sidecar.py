"""Freeze the worker for 64-bit Windows, from Linux: `python -m tools.windows_sidecar` leaves build/sidecar-windows/ocr-worker.

Beside it lie its archive and, in `npm`, the package that carries it, ready for `npm pack`.
PyInstaller runs on Windows' own CPython under Wine, in an environment of its own. `… freeze ARGUMENT …` is PyInstaller
itself, for worker/packaging/build.py.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile

from packaging.requirements import Requirement

from tools.npm_worker import make
from tools.windows import (
    PYTHON,
    REPOSITORY,
    LackingError,
    install_ourselves,
    install_wheels,
    make_ready,
    skipped,
    under_wine,
)

HOME = REPOSITORY / "build" / "sidecar-windows"
OWN = HOME / "python"
STAMP = OWN / "pins"
PACKAGE = HOME / "npm"
BUILD = REPOSITORY / "worker" / "packaging" / "build.py"
PINS = REPOSITORY / "requirements" / "sidecar.txt"
WINDOWS = {
    "sys_platform": "win32",
    "os_name": "nt",
    "platform_system": "Windows",
    "python_full_version": "3.13.0",
}
_PIN = re.compile(r"^(\S[^\\\n]*?) \\\n((?:    --hash.*\n?)+)", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """The exit code."""
    if arguments[:1] == ["freeze"]:
        return under_wine([os.fspath(OWN / "python.exe"), "-m", "PyInstaller", *arguments[1:]])
    try:
        make_ready()
        pins = pins_for_windows(PINS.read_text(encoding="utf-8"))
        if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != pins:
            _make_environment(pins)
        install_ourselves(OWN / "Lib" / "site-packages")
    except LackingError as lacking:
        return skipped("the frozen worker for Windows", lacking)
    freezer = [sys.executable, "-m", "tools.windows_sidecar", "freeze"]
    environment = {**os.environ, "PYTHONPATH": os.fspath(REPOSITORY)}
    code = subprocess.call([sys.executable, os.fspath(BUILD), os.fspath(HOME), *freezer], env=environment)
    if code == 0:
        shutil.rmtree(PACKAGE, ignore_errors=True)
        make(HOME / "ocr-worker", "win32-x64", PACKAGE)
    return code


def _make_environment(pins: str) -> None:
    """CPython with what the product requires and PyInstaller, and nothing else. Raises LackingError."""
    shutil.rmtree(OWN, ignore_errors=True)
    shutil.copytree(PYTHON, OWN, ignore=shutil.ignore_patterns("site-packages", "share"))
    # PyInstaller looks for modules in folders.
    [library] = OWN.glob("python3*.zip")
    with zipfile.ZipFile(library) as modules:
        modules.extractall(OWN / "Lib")
    library.unlink()
    given = HOME / "requirements.txt"
    given.write_text(pins, encoding="utf-8")
    install_wheels(OWN, given)
    STAMP.write_text(pins, encoding="utf-8")


def pins_for_windows(text: str) -> str:
    """Those that hold there, without the conditions, which pip would ask of this machine."""
    lines = []
    for pin, hashes in _PIN.findall(text):
        requirement = Requirement(pin)
        if requirement.marker is None or requirement.marker.evaluate(WINDOWS):
            lines.append(f"{requirement.name}{requirement.specifier} \\\n{hashes.rstrip()}\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
