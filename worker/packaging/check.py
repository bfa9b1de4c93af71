"""Try the frozen worker as an app carries it: read-only, under a name with blanks and umlauts, no other program in reach.

    python worker/packaging/check.py FOLDER ACCEPTANCE CASES

FOLDER is what `make sidecar` has built, ACCEPTANCE the program that runs the acceptance cases, CASES a file that names
those promised. As root on Linux, the worker runs in a mount namespace of its own: its folder is read-only, and the
folders of the system's programs and of its Tesseract are empty. Elsewhere its files lose the right to be written, and
PATH leads nowhere.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = Path(__file__).parents[2] / "tools" / "acceptance.py"
UNUSUAL = "Meine Ämter & Bücher"
HIDDEN = (
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/share/tesseract-ocr",
    "/opt",
    "/sbin",
    "/bin",
    "/usr/sbin",
    "/usr/bin",
)
"""Tesseract, poppler and whatever else there is. The last one has `mount` itself."""


def main() -> int:
    """The exit code of the acceptance cases."""
    built, acceptance, promised = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home:
        app = Path(home, UNUSUAL)
        shutil.copytree(Path(built, "ocr-worker"), app, symlinks=True)
        worker = ["env", "PATH=/nonexistent", str(app / "ocr-worker")]
        command = [sys.executable, str(RUN), acceptance, promised]
        if sys.platform != "win32" and os.geteuid() == 0 and shutil.which("unshare"):
            return subprocess.run([*command, shlex.join(_alone(app, worker))], check=False).returncode
        subprocess.run(["chmod", "-R", "a-w", str(app)], check=True)
        try:
            return subprocess.run([*command, shlex.join(worker)], check=False).returncode
        finally:
            subprocess.run(["chmod", "-R", "u+w", str(app)], check=True)


def _alone(app: Path, worker: list[str]) -> list[str]:
    """The command that starts the worker where its folder cannot be written, and no other program is left."""
    folder, program = shlex.quote(str(app)), shlex.quote(worker[-1])
    there = [path for path in HIDDEN if Path(path).is_dir() and not Path(path).is_symlink()]
    steps = [
        f"mount --bind {folder} {folder}",
        f"mount -o remount,ro,bind {folder}",
        *(f"mount -t tmpfs none {path}" for path in there),
        "! command -v sh",
        "PATH=/nonexistent",
        f'exec {program} "$@"',
    ]
    return ["unshare", "--mount", "sh", "-c", " && ".join(steps), "worker"]


if __name__ == "__main__":
    sys.exit(main())
