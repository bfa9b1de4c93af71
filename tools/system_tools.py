"""Name what the tests want from the system and is missing; with --install, install it. An error in CI, a named skip elsewhere.

With --desktop: what `make test-desktop` wants, and 1 if anything of that is missing. --install is for both. With
--windows the same for `make windows` alone, which installs that itself.
"""

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
    "jq": "jq",
    "chromium": "chromium",
    "nginx": "nginx-light",
    "parallel": "parallel",
}
if sys.platform == "linux":
    PACKAGES |= {"strace": "strace", "mount": "mount", "ip": "iproute2"}
"""A command that tests call, and the Debian package it comes with."""


WEB_VIEW = "webkit2gtk-4.1"
DESKTOP = {
    "pkg-config": "pkg-config",
    WEB_VIEW: "libwebkit2gtk-4.1-dev",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
}
"""What a Tauri app is built and driven with. `cargo` and `npm` are their users' own to install."""
WINDOWS = {"wine": "wine"}
"""What Windows' own CPython runs under."""


def main() -> int:
    """Return 1 if CI would have to skip tests, or if the desktop's tests have to be skipped."""
    wanted = WINDOWS if "--windows" in sys.argv[1:] else PACKAGES | DESKTOP
    if "--install" in sys.argv[1:] and (missing := _missing(wanted)) and _can_install():
        _install(sorted({wanted[tool] for tool in missing}))
    if "--windows" in sys.argv[1:]:
        return 1 if _missing(WINDOWS) else 0
    if "--desktop" in sys.argv[1:]:
        toolchains = [tool for tool in ("cargo", "npm") if shutil.which(tool) is None]
        for tool in toolchains:
            sys.stderr.write(f"Missing: {tool}. The tests of the desktop app are skipped.\n")
        return 1 if _name(DESKTOP) or toolchains else 0
    return 1 if _name(PACKAGES) and os.environ.get("CI") == "true" else 0


def _name(packages: dict[str, str]) -> bool:
    """Say what is missing, and whether anything is."""
    missing = _missing(packages)
    for tool in missing:
        sys.stderr.write(
            f"Missing: {tool} (Debian package {packages[tool]}). Tests that need it are skipped by name; "
            f"as root on Debian, make system-tools installs it.\n"
        )
    return bool(missing)


def _missing(packages: dict[str, str]) -> list[str]:
    return [tool for tool in packages if not _is_there(tool)]


def _is_there(tool: str) -> bool:
    if tool != WEB_VIEW:
        return shutil.which(tool) is not None
    return shutil.which("pkg-config") is not None and subprocess.call(["pkg-config", "--exists", tool]) == 0


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
