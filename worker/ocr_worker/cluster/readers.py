"""Whether two machines read alike: what a fingerprint of results holds, told and compared."""

from __future__ import annotations

import hashlib
import json
import time
from functools import lru_cache

from ocr_worker import __version__
from ocr_worker.cluster.engine import Reader
from ocr_worker.engines.ocr import registry
from ocr_worker.errors import OcrError
from ocr_worker.files.installation import installed_versions
from ocr_worker.model.tasks import PageSettings

FRESH_SECONDS = 5.0
"""For so long what was found is taken for what there is: data may be replaced while a node is at work."""


def own_reader() -> Reader:
    """That of this machine."""
    return _own_reader(time.monotonic() // (12 * FRESH_SECONDS))


@lru_cache(maxsize=1)
def _own_reader(_: float) -> Reader:
    engines = {found.name: _package(found.probe.package) for found in registry.all_engines() if found.usable}
    languages = {}
    for code in registry.installed_languages():
        try:
            models = registry.models(PageSettings(languages=(code,)))
        except OcrError:
            continue
        languages[code] = _digest([model["sha256"] for model in models])
    return Reader(__version__, engines, languages)


def digest_of(settings: PageSettings) -> str:
    """Of what reads pages of these settings here; empty where nothing can."""
    return _digest_of(settings, time.monotonic() // FRESH_SECONDS)


@lru_cache(maxsize=64)
def _digest_of(settings: PageSettings, _: float) -> str:
    try:
        engine = registry.choose(settings)
        models = [model["sha256"] for model in registry.models(settings)]
        return _digest([__version__, engine.name, _package(engine.probe().package), models])
    except OcrError:
        return ""


def difference(ours: Reader, theirs: Reader) -> str:
    """In what the other would read otherwise than we; empty where in nothing. What only one of the two has is no matter yet."""
    if ours.version != theirs.version:
        return f"it has ocr-sidecar {theirs.version}, not {ours.version}"
    for name, package in ours.engines.items():
        if theirs.engines.get(name, package) != package:
            return f"its engine {name} is {theirs.engines[name]}, not {package}"
    if ours.engines and not ours.engines.keys() & theirs.engines.keys():
        return f"it has none of the engines {', '.join(ours.engines)}"
    differing = [
        code for code, digest in ours.languages.items() if theirs.languages.get(code, digest) != digest
    ]
    return f"its data of {', '.join(differing)} is other data" if differing else ""


def _package(name: str) -> str:
    return " ".join((name, *installed_versions([name]).values()))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode("ascii")).hexdigest()[:32]
