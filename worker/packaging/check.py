"""Try the frozen worker as an app carries it: read-only, under a name with blanks and umlauts, no command in reach.

    python worker/packaging/check.py FOLDER ACCEPTANCE CASES

FOLDER is what `make sidecar` has built, ACCEPTANCE the program that runs the acceptance cases, CASES a file that names
those promised. As root on Linux, the folder is mounted read-only in a namespace of its own; elsewhere its files lose
the right to be written.
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


def main() -> int:
    """The exit code of the acceptance cases."""
    built, acceptance, promised = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home:
        app = Path(home, UNUSUAL)
        shutil.copytree(Path(built, "ocr-worker"), app, symlinks=True)
        worker = shlex.join(["env", "PATH=/nonexistent", str(app / "ocr-worker")])
        command = [sys.executable, str(RUN), acceptance, promised, worker]
        if sys.platform == "win32" or os.geteuid() != 0 or not shutil.which("unshare"):
            subprocess.run(["chmod", "-R", "a-w", str(app)], check=True)
            return _run(command, app)
        folder = shlex.quote(str(app))
        script = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec {shlex.join(command)}"
        return subprocess.run(["unshare", "--mount", "sh", "-c", script], check=False).returncode


def _run(command: list[str], app: Path) -> int:
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(app)], check=True)


if __name__ == "__main__":
    sys.exit(main())
