"""What this installation is made of: every package that we need, with its licence and the native libraries in it.

Read from what the packages' own installers left (RECORD, METADATA, and the lists of parts that wheels carry, PEP 770).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from pathlib import Path, PurePosixPath
from typing import Any

from ocr_worker.errors import NotFoundError
from ocr_worker.files.installation import normal

OURS = "ocr-sidecar"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LICENCE = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE|AUTHORS)[^/]*$|\.dist-info/licenses/", re.IGNORECASE)
_NATIVE = re.compile(r"\.(so|dll|dylib|pyd)(\.[0-9.]+)?$")
_PARTS = re.compile(r"\.dist-info/sboms/[^/]+\.json$")
_WITH_MODELS = re.compile(r"""extra == ['"]second-reader['"]""")
_LONGEST_NAME = 80
"""Some put the whole text where the name of their licence belongs."""


@dataclass(frozen=True, slots=True)
class Component:
    name: str
    version: str
    licence: str
    """An SPDX expression where the package gives one, else its own words."""
    texts: dict[str, str]
    """Of its licences and notices, by their files."""
    natives: dict[str, str]
    """Compiled files and their SHA-256 in hexadecimal digits."""
    parts: tuple[dict[str, Any], ...]
    """What its wheel says it was built from, in CycloneDX's terms."""
    needs: tuple[str, ...]
    """Names of others."""


def components() -> list[Component]:
    """Ours first, then all that it needs, by name. Raises NotFoundError when we run from loose sources."""
    found = {name: _component(name, package) for name, package in required_packages().items()}
    if OURS not in found:
        raise NotFoundError(
            f"{OURS} is not installed as a package here, so nobody noted its parts; install it with pip"
        )
    there = [replace(one, needs=tuple(filter(found.__contains__, one.needs))) for one in found.values()]
    return sorted(there, key=lambda one: (one.name != OURS, one.name))


def required_packages(left_out: Collection[str] = ()) -> dict[str, Distribution]:
    """Ours and all that it needs, but for what is left out, and for what that alone needs."""
    found: dict[str, Distribution] = {}
    waiting = [OURS]
    while waiting:
        name = waiting.pop()
        # What is not there is for other systems or Pythons.
        with suppress(PackageNotFoundError):
            if name not in found and name not in left_out:
                found[name] = distribution(name)
                waiting += _needs(found[name])
    return found


def _component(name: str, package: Distribution) -> Component:
    # A frozen program has the descriptions of its packages, and not all that they describe.
    files = [file for file in package.files or () if Path(str(file.locate())).is_file()]
    return Component(
        name=name,
        version=package.version,
        licence=_licence(package),
        texts={_short(file): _text(file) for file in files if _is_licence(file)},
        natives={str(file): _sha256(file) for file in files if _NATIVE.search(str(file))},
        parts=_each_once(part for file in files if _PARTS.search(str(file)) for part in _parts(file, name)),
        needs=tuple(sorted(set(_needs(package)))),
    )


def _each_once(parts: Iterator[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple({json.dumps(part, sort_keys=True): part for part in parts}.values())


def _needs(package: Distribution) -> Iterator[str]:
    for requirement in package.requires or ():
        # What only an extra brings was not asked for; models are told of wherever they are, as pages are read with them.
        is_needed = "extra ==" not in requirement or _WITH_MODELS.search(requirement)
        if is_needed and (name := _NAME.match(requirement)):
            yield normal(name[0])


def _licence(package: Distribution) -> str:
    for name in ("License-Expression", "License"):
        for said in package.metadata.get_all(name) or ():
            if said and "\n" not in said and len(said) <= _LONGEST_NAME:
                return str(said)
    kinds = [line for line in package.metadata.get_all("Classifier") or () if line.startswith("License ::")]
    return " AND ".join(line.rpartition(" :: ")[2] for line in kinds) or "see its text"


def _is_licence(file: PackagePath) -> bool:
    return bool(_LICENCE.search(str(file))) and file.suffix not in {".py", ".pyc"}


def _text(file: PackagePath) -> str:
    content = file.read_binary()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _short(file: PackagePath) -> str:
    """Without the folder of the package's description."""
    parts = PurePosixPath(file).parts
    return "/".join(parts[1:] if parts[0].endswith(".dist-info") else parts)


def _sha256(file: PackagePath) -> str:
    """As it is here: what freezes a program strips its libraries, and leaves the old hashes in the list."""
    return hashlib.sha256(file.read_binary()).hexdigest()


def _parts(file: PackagePath, of: str) -> Iterator[dict[str, Any]]:
    try:
        listed = json.loads(file.read_text("utf-8")).get("components", ())
    except (OSError, ValueError, AttributeError):
        return
    for part in listed:
        if normal(part.get("name", "")) != of:
            kept = {
                key: part[key] for key in ("type", "name", "version", "purl", "licenses") if part.get(key)
            }
            yield {"type": "library", **kept}
