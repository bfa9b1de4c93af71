"""Freeze the worker with PyInstaller, and pack it.

    python worker/packaging/build.py FOLDER [--slim] [COMMAND …]

Leaves FOLDER/ocr-worker/, the program with all it needs, and FOLDER/ocr-worker.tar.xz. Run by `make sidecar` in an
environment that holds what the product requires, and PyInstaller. With `--slim` ONNX Runtime and NumPy stay behind:
pages are read by libtesseract then, which takes longer. For another system COMMAND runs PyInstaller there, in an
environment that holds ourselves as well.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
MOST_MB, MOST_PACKED_MB = 200, 70
SLIM_MOST_MB, SLIM_MOST_PACKED_MB = 120, 45
"""Of 10^6 bytes: more than that means that something came along which nothing needs."""


def main() -> int:
    """Build, pack, and say the sizes; 1 where they are above the limits, or another engine reads than should."""
    is_slim = "--slim" in sys.argv
    home, *freezer = (word for word in sys.argv[1:] if word != "--slim")
    is_ours, folder = not freezer, Path(home).absolute()
    program = folder / "ocr-worker"
    shutil.rmtree(program, ignore_errors=True)
    if is_ours:
        _install_ourselves()
        freezer = [sys.executable, "-m", "PyInstaller"]
    places = ["--distpath", folder, "--workpath", folder / "work", "--noconfirm", "--log-level", "WARN"]
    subprocess.run(
        [*freezer, *map(str, places), str(HERE / "ocr-worker.spec")],
        cwd=folder, check=True, env={**os.environ, "OCR_SIDECAR_SLIM": "1" if is_slim else ""},
    )  # fmt: skip
    size, packed = _size(program), _pack(program)
    print(f"{program}: {size / 1e6:.1f} MB, {packed / 1e6:.1f} MB as .tar.xz")
    most, most_packed = (SLIM_MOST_MB, SLIM_MOST_PACKED_MB) if is_slim else (MOST_MB, MOST_PACKED_MB)
    if size > most * 1e6 or packed > most_packed * 1e6:
        print(f"More than {most} and {most_packed} MB: look for what came along.", file=sys.stderr)
        return 1
    expected = "tesserocr" if is_slim else "lines"
    if is_ours and (engine := _engine(program)) != expected:
        print(f"Pages are read by {engine}, not by {expected}.", file=sys.stderr)
        return 1
    return 0


def _engine(program: Path) -> str:
    """Which reads the line of `doctor`."""
    with tempfile.TemporaryDirectory() as state:
        told = subprocess.run(
            [str(program / "ocr-worker"), "doctor", "--json"],
            env={**os.environ, "OCR_WORKER_STATE_DIR": state}, capture_output=True, check=True,
        )  # fmt: skip
    test = next(one for one in json.loads(told.stdout)["findings"] if one["name"] == "self-test")
    return str(test["detail"].split()[0])


def _install_ourselves() -> None:
    """Not as an editable install, which would freeze the path of this checkout."""
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--force-reinstall", "--quiet"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        *offline,
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True)
    # Left by setuptools: whoever runs in this folder would find it before what is installed, and it has no licences.
    shutil.rmtree(REPOSITORY / "ocr_sidecar.egg-info", ignore_errors=True)


def _size(program: Path) -> int:
    """Of all files, as they lie in an app: links count once."""
    return sum(path.lstat().st_size for path in program.rglob("*") if not path.is_dir() or path.is_symlink())


def _pack(program: Path) -> int:
    archive = program.with_suffix(".tar.xz")
    with tarfile.open(archive, "w:xz", preset=6) as packed:
        packed.add(program, program.name)
    return archive.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
