"""PP-OCRv6 as an engine of its own, for photos: chosen by name. No heavy imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ocr_worker.engines.ocr.engine import Engine, Hints, ModelFile, OrientationFinder, Probe
from ocr_worker.engines.ocr.loading import loading
from ocr_worker.engines.ocr.ppocr import models
from ocr_worker.errors import EngineMissingError, LanguageMissingError

HINTS = Hints(
    doubtful_confidence=60.0,
    doubtful_confidence_of_few=75.0,
    sure_confidence=88.0,
    # It reads lines as they lie, and puts them in order by where they are.
    deskew_auto_degrees=5.0,
    deskew_on_degrees=0.5,
    more_languages="choose another engine: this one has all of its languages in one model",
)


class PpocrFactory:
    __slots__ = ()

    @property
    def name(self) -> str:
        return "ppocr"

    @property
    def hints(self) -> Hints:
        return HINTS

    def probe(self) -> Probe:
        return Probe(models.PACKAGE, models.lacks())

    def languages(self, data_dir: str | None) -> Sequence[str]:
        """One model reads them all, so a folder of data has no say."""
        del data_dir
        return models.LANGUAGES

    def require_languages(self, languages: Sequence[str], data_dir: str | None) -> None:
        del data_dir
        if missing := [code for code in languages if code not in models.LANGUAGES]:
            raise LanguageMissingError(
                f"The engine ppocr does not read {', '.join(missing)}: choose another engine", missing=missing
            )

    def fingerprint(self, languages: Sequence[str], data_dir: str | None) -> Sequence[ModelFile]:
        self.require_languages(languages, data_dir)
        return models.fingerprint()

    def load(self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path) -> Engine:
        del languages, data_dir, cache_dir
        try:
            with loading():
                from ocr_worker.engines.ocr.ppocr.engine import PpocrEngine
        except ImportError as error:
            raise EngineMissingError(f"ONNX Runtime can't be loaded ({error}): {models.lacks()}") from error
        return PpocrEngine()

    def load_finder(self, data_dir: str | None) -> OrientationFinder | None:
        del data_dir
        return None
