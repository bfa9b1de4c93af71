"""Make a virtual environment, or say plainly what this machine lacks for one. Standard library only, any Python 3."""

import subprocess
import sys


def main() -> None:
    """Make the environment in the folder that the first argument names."""
    if sys.version_info < (3, 10):  # noqa: UP036 - this runs on whatever Python make has found
        sys.exit(
            f"Python 3.10 or newer is needed, {sys.executable} is {sys.version.split()[0]}: make PYTHON=python3.12"
        )
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        sys.exit(
            f"{sys.executable} has no ensurepip, so it cannot make a virtual environment. "
            f"On Debian or Ubuntu: apt-get install python3-venv. Or name another Python: make PYTHON=python3.12"
        )
    # --copies would break a relocated Python; --clear repairs what an interrupted set-up left behind.
    sys.exit(subprocess.call([sys.executable, "-m", "venv", "--clear", sys.argv[1]]))


main()
