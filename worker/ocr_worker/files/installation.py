"""How this program was installed: from packages, or frozen into a folder that an app carries."""

from __future__ import annotations

import sys
from collections.abc import Sequence

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
