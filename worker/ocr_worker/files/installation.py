"""How this program was installed: from packages, or frozen into a folder that an app carries."""

from __future__ import annotations

import sys


def is_frozen() -> bool:
    """Whether this is a program made by PyInstaller, to which no package can be added."""
    return bool(getattr(sys, "frozen", False))


def to_have(package: str) -> str:
    """What to do where a package that should be there is missing."""
    return "install the app that brought ocr-worker again" if is_frozen() else f"pip install {package}"
