"""The loaded engines of a page process: each once, and none, nor what looks for them, before a page is to be read."""

from __future__ import annotations

import logging
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from ocr_worker.files.bounded import Look
from ocr_worker.model.options import PageSettings

if TYPE_CHECKING:
    from ocr_worker.engines.ocr.engine import Engine, Hints, OrientationFinder

KEPT_ENGINES = 3
"""Sets of languages held in memory at a time: a model takes 20 to 60 MB."""
MOST_SAID = 8
_Key = tuple[object, ...]


class _Said(logging.Handler):
    """What engines say for the log, which a page process has none of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines = deque[str](maxlen=MOST_SAID)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(" ".join(record.getMessage().split()))


_said = _Said()


class Engines:
    """The loaded engines of a page process."""

    def __init__(self, cache_dir: Path) -> None:
        logging.getLogger(__name__.rpartition(".")[0]).addHandler(_said)
        self._cache_dir = cache_dir
        self._engines: dict[_Key, tuple[Engine, Hints]] = {}
        self._begun: dict[_Key, Look[tuple[Engine, Hints]]] = {}
        self._finders: dict[tuple[object, ...], OrientationFinder | None] = {}
        self._stand_in, self._loading_seconds = "", 0.0

    def begin(self, settings: PageSettings) -> None:
        """Load the engine beside what else its first page takes; what is wrong with it is told by `engine`."""
        key = _key(settings)
        if key not in self._engines and key not in self._begun:
            # What a page that failed has begun is not kept.
            self._begun = {key: Look(lambda: self._loaded(settings), daemon=False)}

    def engine(self, settings: PageSettings) -> Engine:
        """Raises EngineMissingError, LanguageMissingError."""
        return self._load(settings)[0]

    def hints(self, settings: PageSettings) -> Hints:
        """What pages need to suit that engine. Raises EngineMissingError, LanguageMissingError."""
        return self._load(settings)[1]

    def news(self) -> str:
        """Why another engine was loaded than the one that suits its pages best, and what else engines said, a line each.

        Said once.
        """
        lines = [*filter(None, [self._stand_in]), *_said.lines]
        self._stand_in = ""
        _said.lines.clear()
        return "\n".join(lines)

    def loading_seconds(self) -> float:
        """How long pages have waited for engines since this was asked last."""
        seconds, self._loading_seconds = self._loading_seconds, 0.0
        return seconds

    def finder(self, settings: PageSettings) -> OrientationFinder | None:
        """What finds a page's orientation; None without an engine, its data, or an engine that can."""
        from ocr_worker.engines.ocr import registry

        factory = registry.chosen_or_none(settings)
        if factory is None:
            return None
        key = (factory.name, settings.tessdata_dir, settings.tessdata_dirs)
        if key not in self._finders:
            self._finders[key] = factory.load_finder(settings.tessdata_dir)
        return self._finders[key]

    def _load(self, settings: PageSettings) -> tuple[Engine, Hints]:
        key = _key(settings)
        if key not in self._engines:
            while len(self._engines) >= KEPT_ENGINES:
                del self._engines[next(iter(self._engines))]
            begun, since = self._begun.pop(key, None), time.monotonic()
            engine, _ = self._engines[key] = (
                self._waited_for(begun, settings) if begun else self._loaded(settings)
            )
            self._loading_seconds += time.monotonic() - since
            from ocr_worker.engines.ocr import registry

            self._stand_in = str(getattr(engine, "stands_in", "")) or registry.slower(engine, settings)
        return self._engines[key]

    def _waited_for(self, begun: Look[tuple[Engine, Hints]], settings: PageSettings) -> tuple[Engine, Hints]:
        begun.wait(None)
        try:
            return begun.answer("The engine")
        except MemoryError:
            # The page was drawn meanwhile; alone it may do.
            return self._loaded(settings)

    def _loaded(self, settings: PageSettings) -> tuple[Engine, Hints]:
        from ocr_worker.engines.ocr import registry

        factory = registry.require(settings)
        return factory.load(settings.languages, settings.tessdata_dir, self._cache_dir), factory.hints


def _key(settings: PageSettings) -> _Key:
    return settings.engine, settings.languages, settings.tessdata_dir, settings.tessdata_dirs
