"""Find engines, built-in ones and those of the entry points `ocr_sidecar.engines`, and choose among them.

An exception in the engine of a package is reported as a fault of that engine, and stops no worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_worker.engines.ocr import second_reader
from ocr_worker.engines.ocr.engine import (
    Engine,
    EngineFactory,
    Hints,
    ModelFile,
    OrientationFinder,
    Probe,
)
from ocr_worker.engines.ocr.languages import CODES
from ocr_worker.engines.ocr.ppocr.factory import PpocrFactory
from ocr_worker.engines.ocr.tessdata import find_data, own_code, tessdata_folders
from ocr_worker.engines.ocr.tesseract_factories import BUILT_IN, LINES
from ocr_worker.errors import EngineMissingError, LanguageMissingError, OcrError
from ocr_worker.files.installation import has_entry_points
from ocr_worker.model.options import PageSettings

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "ocr_sidecar.engines"
AUTO = "auto"
BY_NAME_ALONE = (PpocrFactory(),)
"""Ours too, but `auto` passes them over, and their languages are not those that Tesseract's data gives."""
NOT_ANY = "No language is installed that could be told: `ocr-worker languages LANGUAGE` says how to get one"
_log = logging.getLogger(__name__)


def takes_long(settings: PageSettings) -> bool:
    """Whether the engine of these settings is loaded ahead of all pages; one that is missing is not."""
    factory = chosen_or_none(settings)
    return factory is not None and not factory.hints.is_quick_to_load


@dataclass(frozen=True, slots=True)
class Found:
    """An engine that this machine knows of."""

    name: str
    probe: Probe
    fault: str = ""
    """What is wrong with it, where its factory fails."""

    @property
    def usable(self) -> bool:
        return not (self.probe.lacks or self.fault)

    @property
    def worth(self) -> str:
        """What one misses without it."""
        return (
            "pages take longer without it"
            if self.name == LINES.name
            else f"only needed for --engine {self.name}"
        )


def all_engines() -> list[Found]:
    """Ours first, in the order that `auto` prefers. Broken ones too."""
    return [_look(factory) for factory in _factories()]


def installed_engines() -> list[str]:
    """What the `engine` option may name on this machine, apart from auto."""
    return [found.name for found in all_engines() if found.usable]


def installed_languages(data_dir: str | None = None) -> list[str]:
    """The codes that `languages` may name, with one engine or another."""
    usable = [factory for factory in _factories() if _goes_by_itself(factory) and _look(factory).usable]
    return sorted(set[str]().union(*(_languages(factory, data_dir) for factory in usable)))


def is_known(engine: str) -> bool:
    """Whether the `engine` option may have this value at all, installed whole or not."""
    return engine == AUTO or _named(engine) is not None


def choose(settings: PageSettings) -> EngineFactory:
    """The engine that reads pages of these settings. auto: the first one here that has all the languages, else the first.

    Raises EngineMissingError.
    """
    if settings.engine != AUTO:
        return _require_usable(settings)
    first = None
    for factory in _preferred(settings):
        if _look(factory).usable:
            if _reads(factory, settings):
                return factory
            first = first or factory
    if first is None:
        raise EngineMissingError(f"No OCR engine is installed: {BUILT_IN[0].probe().lacks}")
    return first


def require(settings: PageSettings) -> EngineFactory:
    """The engine of these settings, with all their languages. Raises EngineMissingError, LanguageMissingError."""
    factory = choose(settings)
    if settings.tells_language and not _languages(factory, settings.tessdata_dir):
        raise LanguageMissingError(NOT_ANY, missing=list(settings.languages))
    if not settings.tells_language:
        factory.require_languages(settings.languages, settings.tessdata_dir)
    if settings.second_reader not in second_reader.BY_ITSELF:
        second_reader.require()
    return factory


def data_files(settings: PageSettings) -> dict[str, Path]:
    """The languages that the engine of these settings could read with Tesseract's data, and the files of those."""
    known = _languages(choose(settings), settings.tessdata_dir)
    folders = tessdata_folders(settings.tessdata_dir, settings.tessdata_dirs)
    return {code: file for code in known if (file := find_data(code, folders))}


def with_own_codes(settings: PageSettings) -> PageSettings:
    """The same with the codes of its languages, which may be named otherwise: de, ger and German are deu."""
    if settings.tells_language or CODES.issuperset(settings.languages):
        return settings
    known = set[str]().union(
        *(_languages(factory, settings.tessdata_dir) for factory in _factories(settings))
    )
    codes = (name if name in known else _own_code(name, settings) for name in settings.languages)
    return replace(settings, languages=tuple(dict.fromkeys(codes)))


def _own_code(name: str, settings: PageSettings) -> str:
    return own_code(name, settings.tessdata_dir, settings.tessdata_dirs)


def readable(settings: PageSettings) -> dict[str, bool]:
    """Of each language, whether its data is there, whether or not the engine of these settings is."""
    factory = chosen_or_none(settings) or _named(settings.engine, settings) or BUILT_IN[0]
    known = _languages(factory, settings.tessdata_dir)
    return {code: code in known for code in settings.languages}


def models(settings: PageSettings) -> list[dict[str, object]]:
    """The data that pages of these settings are read with, as JSON results keep it.

    Raises EngineMissingError, LanguageMissingError.
    """
    files = choose(settings).fingerprint(settings.languages, settings.tessdata_dir)
    return [asdict(file) for file in (*files, *second_reader.fingerprint(settings))]


@lru_cache(maxsize=32)
def command_of(settings: PageSettings) -> str:
    """Where the command lies that the engine of these settings starts for each page; empty where it starts none."""
    factory = chosen_or_none(settings)
    return _look(factory).probe.place if factory else ""


def slower(engine: Engine, settings: PageSettings) -> str:
    """Why another engine was taken than the one that suits these settings best; empty where that was."""
    lacks = LINES.probe().lacks
    if settings.engine != AUTO or not lacks or not LINES.reads_as_well(settings.languages):
        return ""
    return f"{'+'.join(settings.languages)} is read by {engine.name}, which takes longer than with ONNX Runtime: {lacks}"


def chosen_or_none(settings: PageSettings) -> EngineFactory | None:
    """The engine of these settings; None where there is none."""
    try:
        return choose(settings)
    except EngineMissingError:
        return None


def _require_usable(settings: PageSettings) -> EngineFactory:
    name = settings.engine
    factory = _named(name, settings)
    if factory is None:
        raise EngineMissingError(
            f"The engine {name} is not installed: install its package, or choose another engine"
        )
    found = _look(factory)
    if found.fault:
        raise EngineMissingError(found.fault)
    if found.probe.lacks:
        raise EngineMissingError(f"The engine {name} is not installed: {found.probe.lacks}")
    return factory


def _reads(factory: EngineFactory, settings: PageSettings) -> bool:
    try:
        factory.require_languages(settings.languages, settings.tessdata_dir)
    except (LanguageMissingError, EngineMissingError):
        return False
    return True


def _languages(factory: EngineFactory, data_dir: str | None) -> set[str]:
    try:
        return set(factory.languages(data_dir))
    except OcrError:
        return set()


def _look(factory: EngineFactory) -> Found:
    try:
        return Found(factory.name, factory.probe())
    except OcrError as error:
        return Found(factory.name, Probe(""), error.message)


def _named(name: str, settings: PageSettings | None = None) -> EngineFactory | None:
    """Asks for entry points only where the engine is none of ours: that takes a while."""
    return next((factory for factory in _factories(settings) if factory.name == name), None)


def _preferred(settings: PageSettings) -> Iterator[EngineFactory]:
    """In the order of `auto`: lines first where they are read as well, which is faster."""
    if LINES.reads_as_well(settings.languages):
        yield LINES.looking_into(settings.tessdata_dirs)
    yield from filter(_goes_by_itself, _factories(settings))


def _factories(settings: PageSettings | None = None) -> Iterator[EngineFactory]:
    folders = settings.tessdata_dirs if settings else ()
    for factory in BUILT_IN:
        yield factory.looking_into(folders) if folders else factory
    yield from BY_NAME_ALONE
    yield from _added()


def _goes_by_itself(factory: EngineFactory) -> bool:
    return factory not in BY_NAME_ALONE


@lru_cache(maxsize=1)
def _added() -> tuple[EngineFactory, ...]:
    """Those of other packages, by name; nothing of them is imported yet."""
    ours = {factory.name for factory in (*BUILT_IN, *BY_NAME_ALONE)} | {AUTO}
    if not has_entry_points(GROUP, ours):
        return ()
    # Late: who has engines of ours alone does without.
    from importlib.metadata import entry_points

    points = {point.name: point for point in entry_points(group=GROUP) if point.name not in ours}
    return tuple(_Added(name, _maker(points[name])) for name in sorted(points))


def _maker(point: EntryPoint) -> Callable[[], EngineFactory]:
    @lru_cache(maxsize=1)
    def make() -> EngineFactory:
        factory: EngineFactory = point.load()()
        return factory

    return make


@dataclass(frozen=True, slots=True)
class _Added:
    """The factory of another package, imported when first asked: whatever it raises, an OcrError comes of it."""

    name: str
    make: Callable[[], EngineFactory]

    @property
    def hints(self) -> Hints:
        with self._blamed():
            return self.make().hints

    def probe(self) -> Probe:
        with self._blamed():
            return self.make().probe()

    def languages(self, data_dir: str | None) -> Sequence[str]:
        with self._blamed():
            return self.make().languages(data_dir)

    def require_languages(self, languages: Sequence[str], data_dir: str | None) -> None:
        with self._blamed():
            self.make().require_languages(languages, data_dir)

    def fingerprint(self, languages: Sequence[str], data_dir: str | None) -> Sequence[ModelFile]:
        with self._blamed():
            return self.make().fingerprint(languages, data_dir)

    def load(self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path) -> Engine:
        with self._blamed():
            return self.make().load(languages, data_dir, cache_dir)

    def load_finder(self, data_dir: str | None) -> OrientationFinder | None:
        with self._blamed():
            return self.make().load_finder(data_dir)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        try:
            yield
        except OcrError:
            raise
        # An import may end in sys.exit().
        except (Exception, SystemExit) as error:
            _log.warning("The engine %s fails", self.name, exc_info=True)
            raise EngineMissingError(
                f"The engine {self.name} fails ({type(error).__name__}: {error}): upgrade or remove its package"
            ) from error
