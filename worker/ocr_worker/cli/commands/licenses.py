"""`licenses`: what this installation is made of, and on which terms."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from typer import Option

from ocr_worker import __version__
from ocr_worker.cli.components import OURS, Component, components
from ocr_worker.cli.display import answer
from ocr_worker.cli.exit_codes import GOOD
from ocr_worker.cli.options import JsonOption, answer_json
from ocr_worker.cli.typer_options import options_from

_RULE = "=" * 78


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensesOptions(JsonOption):
    sbom: Annotated[
        bool,
        Option("--sbom", help="A bill of materials instead (CycloneDX 1.6, JSON): versions, parts, hashes."),
    ] = False


@options_from(LicensesOptions)
def licenses(options: LicensesOptions) -> int:
    """Show every component with its version, licence and the licence's text."""
    found = components()
    if options.sbom:
        answer_json(bill(found))
    elif options.as_json:
        answer_json(
            {one.name: {"version": one.version, "licence": one.licence, "texts": one.texts} for one in found}
        )
    else:
        answer("\n".join(_text(found)))
    return GOOD


def _text(found: Iterable[Component]) -> Iterable[str]:
    yield f"Python {sys.version.split()[0]}: PSF-2.0 (https://docs.python.org/3/license.html)"
    for one in found:
        yield f"\n{_RULE}\n{one.name} {one.version}: {one.licence}"
        for part in one.parts:
            yield f"  with {part['name']} {part.get('version', '')}".rstrip()
        for file, text in one.texts.items():
            yield f"\n--- {file}\n\n{text.strip()}"


def bill(found: Iterable[Component]) -> dict[str, Any]:
    """Software bill of materials. Source: CycloneDX 1.6."""
    ours, *others = found
    identity = uuid.uuid5(
        uuid.NAMESPACE_URL, " ".join(f"{one.name}={one.version}" for one in (ours, *others))
    )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{identity}",
        "version": 1,
        "metadata": {
            "component": {**_described(ours), "type": "application"},
            "tools": {"components": [{"type": "application", "name": OURS, "version": __version__}]},
        },
        "components": [_python(), *map(_described, others)],
        "dependencies": [
            {"ref": _purl(one), "dependsOn": [_purl(other) for other in others if other.name in one.needs]}
            for one in (ours, *others)
        ],
    }


def _python() -> dict[str, Any]:
    version = sys.version.split()[0]
    return {
        "type": "platform",
        "bom-ref": f"pkg:generic/python@{version}",
        "name": "python",
        "version": version,
        "licenses": [{"license": {"id": "PSF-2.0"}}],
        "purl": f"pkg:generic/python@{version}",
    }


def _purl(one: Component) -> str:
    return f"pkg:pypi/{one.name}@{one.version}"


def _described(one: Component) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": "library",
        "bom-ref": _purl(one),
        "name": one.name,
        "version": one.version,
        "purl": _purl(one),
        "licenses": [{"license": {"name": one.licence}}],
    }
    inner = [*one.parts, *(_file(path, digest) for path, digest in one.natives.items())]
    return {**described, "components": inner} if inner else described


def _file(path: str, digest: str) -> dict[str, Any]:
    return {"type": "file", "name": path, "hashes": [{"alg": "SHA-256", "content": digest}]}
