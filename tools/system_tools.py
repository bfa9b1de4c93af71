"""Name what the tests want from the system and is missing; with --install, install it. An error in CI, a named skip elsewhere."""

import os
import shutil
import subprocess
import sys

PACKAGES = {
    "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "mutool": "mupdf-tools",
    "bash": "bash",
    "curl": "curl",
    "chromium": "chromium",
    "nginx": "nginx-light",
}
if sys.platform == "linux":
    PACKAGES |= {"strace": "strace", "mount": "mount"}
"""A command that tests call, and the Debian package it comes with."""


def main() -> int:
    """Return 1 if CI would have to skip tests."""
    if "--install" in sys.argv[1:] and _missing() and _can_install():
        _install(sorted({PACKAGES[tool] for tool in _missing()}))
    for tool in _missing():
        sys.stderr.write(
            f"Missing: {tool} (Debian package {PACKAGES[tool]}). Tests that need it are skipped by name; "
            f"as root on Debian, make system-tools installs it.\n"
        )
    return 1 if _missing() and os.environ.get("CI") == "true" else 0


def _missing() -> list[str]:
    return [tool for tool in PACKAGES if shutil.which(tool) is None]


def _can_install() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(packages: list[str]) -> None:
    # With that runlevel Debian starts no service that comes with a package.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )


sys.exit(main())
