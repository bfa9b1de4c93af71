"""Ask the registry, through pip, which pinned requirements have wheels for which platform: the table of docs/platforms.md.

`python -m tools.wheels` writes it anew. Nothing is installed, and nothing but metadata is loaded. Takes some minutes.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from packaging.requirements import Requirement

from tools.windows import REPOSITORY

PAGE = REPOSITORY / "docs" / "platforms.md"
PYTHON = "3.12"
_PIN = re.compile(r"^([a-z][^\\\n]*?) \\$", re.MULTILINE)
_TABLE = re.compile(r"(?<=<!-- wheels -->\n).*(?=<!-- /wheels -->)", re.DOTALL)


def _glibc(processor: str, *versions: int) -> tuple[str, ...]:
    return (f"manylinux2014_{processor}", *(f"manylinux_2_{version}_{processor}" for version in versions))


PLATFORMS = {
    "Linux, x86-64 (glibc 2.28)": _glibc("x86_64", *range(5, 29)),
    "Linux, ARM (aarch64, glibc 2.28)": _glibc("aarch64", *range(17, 29)),
    "Linux, ARM (aarch64, glibc 2.34)": _glibc("aarch64", *range(17, 35)),
    "Alpine and other musl, x86-64": ("musllinux_1_1_x86_64", "musllinux_1_2_x86_64"),
    "Alpine and other musl, aarch64": ("musllinux_1_1_aarch64", "musllinux_1_2_aarch64"),
    "Windows, x64": ("win_amd64",),
    "Windows on ARM": ("win_arm64",),
    "macOS 15, Apple silicon": ("macosx_15_0_arm64",),
    "macOS 15, Intel": ("macosx_15_0_x86_64",),
    "macOS 14, Apple silicon": ("macosx_14_0_arm64",),
    "macOS 13, Intel": ("macosx_13_0_x86_64",),
}


def main() -> int:
    """Always 0."""
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: _table(), page), encoding="utf-8")
    return 0


def _table() -> str:
    with ThreadPoolExecutor(4) as asking:
        pins = pinned()
        anywhere = list(asking.map(lambda pin: has_wheel(pin, ("any",)), pins))
        built = [pin for pin, is_pure in zip(pins, anywhere, strict=True) if not is_pure]
        found = {
            name: list(asking.map(lambda pin, tags=tags: has_wheel(pin, tags), built))
            for name, tags in PLATFORMS.items()
        }
    said = (
        f"Of {len(pins)} pinned packages {len(pins) - len(built)} are plain Python. The others are "
        f"{', '.join(built)}. Asked for CPython {PYTHON} on {date.today()}:"  # noqa: DTZ011  # the day here will do
    )
    lines = [textwrap.fill(said, 120), "", "| platform | has no wheel for |", "|---|---|"]
    for name, answers in found.items():
        missing = [pin.partition("==")[0] for pin, has in zip(built, answers, strict=True) if not has]
        lines.append(f"| {name} | {', '.join(missing) or '–'} |")
    return "\n".join(lines) + "\n"


def pinned() -> list[str]:
    """`name==version` of all that the product may require, for that Python."""
    pins = (REPOSITORY / "requirements" / "server.txt").read_text(encoding="utf-8")
    requirements = map(Requirement, _PIN.findall(pins))
    here = {"python_full_version": f"{PYTHON}.0"}
    chosen = [one for one in requirements if one.marker is None or one.marker.evaluate(here)]
    return sorted({f"{one.name}{one.specifier}" for one in chosen})


def has_wheel(pin: str, tags: Sequence[str]) -> bool:
    """Whether pip would find a wheel of it for a platform."""
    platforms = [word for tag in tags for word in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as nowhere:
        options = (
            "--no-deps",
            "--only-binary",
            ":all:",
            "--implementation",
            "cp",
            "--python-version",
            PYTHON,
            "--ignore-requires-python",
        )
        command = (
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "install",
            "--dry-run",
            "--quiet",
        )
        asked = [*command, *options, *platforms, "--target", nowhere, pin]
        return (
            subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
        )


if __name__ == "__main__":
    sys.exit(main())
