"""Which engine reads which languages, each loaded once and kept."""

from __future__ import annotations

from pathlib import Path

from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.engine import Engine, OrientationFinder
from ocr_worker.errors import EngineMissingError
from ocr_worker.model.tasks import PageSettings

KEPT_ENGINES = 3
"""Sets of languages held in memory at a time: a model takes 20 to 60 MB."""


class Engines:
    def __init__(self, scratch: Path) -> None:
        """Language data is gathered in `scratch` where it lies in several folders, or is not to be trusted."""
        self._scratch = scratch
        self._engines: dict[tuple[object, ...], Engine] = {}
        self._finders: dict[str | None, OrientationFinder | None] = {}

    def engine(self, settings: PageSettings) -> Engine:
        """Raises EngineMissingError, LanguageMissingError."""
        key = (settings.engine, settings.languages, settings.tessdata_dir)
        if key not in self._engines:
            name = choose_engine(settings)
            tessdata.require_languages(settings.languages, name, settings.tessdata_dir)
            while len(self._engines) >= KEPT_ENGINES:
                del self._engines[next(iter(self._engines))]
            self._engines[key] = self._load(name, settings)
        return self._engines[key]

    def finder(self, settings: PageSettings) -> OrientationFinder | None:
        """What finds a page's orientation; None without an engine or its data."""
        place = settings.tessdata_dir
        if place not in self._finders:
            self._finders[place] = self._load_finder(place)
        return self._finders[place]

    def _load(self, name: str, settings: PageSettings) -> Engine:
        folder = tessdata.gather_tessdata(settings.languages, settings.tessdata_dir, self._scratch)
        if name == "tesseract":
            from ocr_worker.engines.ocr.tesseract_command import TesseractEngine

            return TesseractEngine(settings.languages, folder)
        from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine

        return TesserocrEngine(settings.languages, folder)

    def _load_finder(self, tessdata_dir: str | None) -> OrientationFinder | None:
        installed = tessdata.installed_engines()
        folder = tessdata.gather_orientation_data(tessdata_dir, self._scratch) if installed else None
        if folder is None:
            return None
        if "tesserocr" not in installed:
            from ocr_worker.engines.ocr.tesseract_orientation import CommandOrientationFinder

            return CommandOrientationFinder(folder)
        from ocr_worker.engines.ocr.tesserocr_engine import OrientationFinder

        return OrientationFinder(folder)


def choose_engine(settings: PageSettings) -> str:
    """auto: the engine in the process where it is installed, for it reads the same data and starts once."""
    if settings.engine != "auto":
        return settings.engine
    installed = tessdata.installed_engines()
    if not installed:
        raise EngineMissingError("This machine lacks an OCR engine: pip install tesserocr")
    return installed[0]
