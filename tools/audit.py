"""Hold the pinned requirements against the advisories that docs/security.md lists: no registry, no network.

What the table does not know is not found: it is read anew, from the advisories themselves, before each release.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
_ROW = re.compile(r"^\| ([a-z0-9-]+) \| ([0-9.]+) \| ([^|]*) \| ([^|]*)\|$", re.MULTILINE)
_PIN = re.compile(r"^([a-z0-9-]+)==([0-9.]+)", re.MULTILINE)
_WITHOUT = re.compile(r"^Of the libraries of the extras, none was found for: (.+)\.$", re.MULTILINE)
_REQUIREMENT = re.compile(r'"([a-z0-9-]+)[^"]*"')
_STAYS = re.compile(r"([0-9.]+) stays:")


@dataclass(frozen=True)
class Advisory:
    package: str
    safe_from: str
    name: str
    stays: frozenset[str]
    """Lower versions that are kept for a reason that the table gives."""

    def is_met_by(self, version: str) -> bool:
        return version in self.stays or _numbers(version) >= _numbers(self.safe_from)


def advisories(page: str) -> list[Advisory]:
    return [
        Advisory(package, safe, name, frozenset(_STAYS.findall(note)))
        for package, safe, name, note in _ROW.findall(page)
    ]


def unsafe(known: list[Advisory], pins: str) -> Iterator[str]:
    """What is wrong with each pin that an advisory speaks of."""
    for package, version in sorted(set(_PIN.findall(pins))):
        for one in known:
            if one.package == package and not one.is_met_by(version):
                yield f"{package} {version} has a known fault ({one.name.strip()}): {one.safe_from} is without it"


def unlisted(page: str, project: str) -> Iterator[str]:
    """Libraries of the extras of which the page says nothing."""
    extras = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    named = {advisory.package for advisory in advisories(page)}
    named |= {name for line in _WITHOUT.findall(page) for name in line.split(", ")}
    yield from sorted(set(_REQUIREMENT.findall(extras)) - named)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.strip(".").split("."))


def main() -> int:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    known = advisories(page)
    if not known:
        sys.stderr.write("docs/security.md lists no advisories\n")
        return 1
    found = [
        f"requirements/{file.name}: {line}"
        for file in sorted((ROOT / "requirements").glob("*.txt"))
        for line in unsafe(known, file.read_text(encoding="utf-8"))
    ]
    for line in found:
        sys.stderr.write(f"{line}. Move it with `make lock PACKAGE=...`.\n")
    silent = list(unlisted(page, (ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    for package in silent:
        sys.stderr.write(f"docs/security.md says nothing of {package}: look up its advisories.\n")
    return 1 if found or silent else 0


if __name__ == "__main__":
    sys.exit(main())
