"""Install what the tests want from the system, or name what is missing. An error in CI, a named skip elsewhere."""

import os
import shutil
import subprocess
import sys

PACKAGES = {
    "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "mutool": "mupdf-tools",
    "bash": "bash",
}
if sys.platform == "linux":
    PACKAGES |= {"strace": "strace", "mount": "mount"}
"""A command that tests call, and the Debian package it comes with."""


def main() -> int:
    """Return 1 if CI would have to skip tests."""
    if _missing() and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(sorted({PACKAGES[tool] for tool in _missing()}))
    for tool in _missing():
        sys.stderr.write(
            f"Missing: {tool} (Debian package {PACKAGES[tool]}). Tests that need it are skipped by name.\n"
        )
    return 1 if _missing() and os.environ.get("CI") == "true" else 0


def _missing() -> list[str]:
    return [tool for tool in PACKAGES if shutil.which(tool) is None]


def _install(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )


sys.exit(main())
