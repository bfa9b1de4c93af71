"""Tesseract, in the process or as a command: how it is found, its data, and the pages that suit it."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocr_worker import settings
from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.engine import (
    Engine,
    GateSet,
    Hints,
    ModelFile,
    OrientationFinder,
    Probe,
    ResolutionGate,
)
from ocr_worker.engines.ocr.loading import loading
from ocr_worker.errors import EngineMissingError, LanguageMissingError
from ocr_worker.files.installation import is_frozen, to_have

if TYPE_CHECKING:
    from typing_extensions import Self

# The LSTM's time goes with the length of lines, and it reads narrow letters as well: so `across` is smaller.
# Where letters become narrow, to join pixels first makes fewer slips, in less time.
TALL = ResolutionGate(0.33, 0.38, 20, (2, 2), least_ink_px=48)
NARROW = ResolutionGate(0.42, 1 / 2, 20, (1, 2))
HALF = ResolutionGate(1 / 2, 1 / 2, 17)

HINTS = Hints(
    # Others are read at their own size: German and Fraktur lost by a smaller one on scans that were not measured before.
    gate_sets=(GateSet(frozenset({"eng"}), (TALL, NARROW, HALF)),),
    # A card, a receipt or a small page has fewer.
    shrink_from_pixels=2_400_000,
    longest_side_px=32_767,
    doubtful_confidence=65.0,
    # Few words that stand upright have 78 to 97, upside down 0 to 73.
    doubtful_confidence_of_few=75.0,
    sure_confidence=88.0,
    # Of 40 pages of print that are read small one has less, which is in French: a third of its slips are gone when whole.
    sure_of_small=91.0,
    sure_turn=2.0,
    # It reads a tilted page anyway, but in a wrong order.
    deskew_auto_degrees=1.0,
    deskew_on_degrees=0.1,
    is_quick_to_load=True,
    more_languages="`ocr-worker languages LANGUAGE` says how, such as `ocr-worker languages de`",
)


AS_GOOD_BY_LINES = frozenset({"ara", "ces", "deu", "eng", "fra", "heb", "ita", "pol", "por", "rus", "spa"})
"""What `lines` was measured to read no worse than Tesseract (docs/performance.md): `auto` takes it for one of these alone."""
AS_GOOD_TOGETHER = frozenset(frozenset({"eng", other}) for other in ("deu", "fra", "pol"))
"""And for these two at once, whichever comes first."""


@dataclass(frozen=True, slots=True)
class _Tesseract:
    """What both ways to Tesseract share: the data."""

    folders: tuple[str, ...] = ()
    """The option `tessdata_dirs`: where to look for data, too."""

    @property
    def hints(self) -> Hints:
        return HINTS

    def looking_into(self, folders: tuple[str, ...]) -> Self:
        """The same, with these folders to look into, too."""
        return replace(self, folders=folders)

    def languages(self, data_dir: str | None) -> Sequence[str]:
        return tessdata.installed_languages(data_dir, self.folders)

    def require_languages(self, languages: Sequence[str], data_dir: str | None) -> None:
        tessdata.find_tessdata(languages, data_dir, self.folders)

    def fingerprint(self, languages: Sequence[str], data_dir: str | None) -> Sequence[ModelFile]:
        return tessdata.models(languages, data_dir, self.folders)

    def load_finder(self, data_dir: str | None) -> OrientationFinder | None:
        """Inside the process where that can be, whichever of the two reads: a command takes a process a page."""
        folder = tessdata.gather_orientation_data(data_dir, Path(tempfile.gettempdir()), self.folders)
        if folder is None:
            return None
        if _has("tesserocr"):
            from ocr_worker.engines.ocr.tesserocr_engine import OrientationFinder

            return OrientationFinder(folder)
        from ocr_worker.engines.ocr.tesseract_orientation import CommandOrientationFinder

        return CommandOrientationFinder(folder)


class TesserocrFactory(_Tesseract):
    __slots__ = ()

    @property
    def name(self) -> str:
        return "tesserocr"

    def probe(self) -> Probe:
        return Probe("tesserocr", "" if _has("tesserocr") else to_have("tesserocr"))

    def load(
        self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path, stands_in: str = ""
    ) -> Engine:
        from ocr_worker.engines.ocr.tesserocr_engine import TesserocrEngine

        folder = tessdata.gather_tessdata(languages, data_dir, cache_dir, self.folders)
        try:
            return TesserocrEngine(languages, folder, stands_in)
        except EngineMissingError as error:
            # It may have read copies.
            files = tessdata.find_tessdata(languages, data_dir, self.folders).values()
            again = f"install {', '.join(languages)} again"
            raise EngineMissingError(f"Tesseract can't load {', '.join(map(str, files))}: {again}") from error


class LinesFactory(_Tesseract):
    """Reads a language or two, as far as it can; for all else it loads tesserocr, which then is the page's engine."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return "lines"

    def probe(self) -> Probe:
        if not _has("tesserocr"):
            return Probe("onnxruntime", to_have("tesserocr"))
        if _has("onnxruntime") and _has("numpy"):
            return Probe("onnxruntime")
        way = "this app has no ONNX Runtime" if is_frozen() else to_have("onnxruntime")
        return Probe("onnxruntime", way)

    def reads_as_well(self, languages: Sequence[str]) -> bool:
        if len(languages) == 1:
            return AS_GOOD_BY_LINES.issuperset(languages)
        return frozenset(languages) in AS_GOOD_TOGETHER

    def load(self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path) -> Engine:
        def tesseract(stands_in: str = "") -> Engine:
            return TesserocrFactory(self.folders).load(languages, data_dir, cache_dir, stands_in)

        try:
            return self._load(languages, data_dir, cache_dir, tesseract)
        except _UnsuitedError as error:
            return tesseract(f"{'+'.join(languages)} is read by tesserocr: {error}")

    def _load(
        self,
        languages: tuple[str, ...],
        data_dir: str | None,
        cache_dir: Path,
        tesseract: Callable[[], Engine],
    ) -> Engine:
        """Raises LanguageMissingError, _UnsuitedError."""
        files = tessdata.find_tessdata(languages, data_dir, self.folders)
        try:
            with loading():
                from ocr_worker.engines.ocr.lines.engine import LinesEngine
                from ocr_worker.engines.ocr.lines.model import UnsuitedDataError, read_models
        except ImportError as error:
            raise _UnsuitedError(f"ONNX Runtime can't be loaded ({error})") from error
        try:
            models = read_models(files.values())
            api = self._api(languages, data_dir, cache_dir) if models[0].is_right_to_left else None
            return LinesEngine(models, tesseract, settings.provider(), api)
        except (UnsuitedDataError, EngineMissingError, LanguageMissingError) as error:
            raise _UnsuitedError(str(error)) from error

    def _api(self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path) -> Any:
        """What finds a layout from right to left, which hangs on the language."""
        from tesserocr import PSM

        from ocr_worker.engines.ocr.tesserocr_engine import load_api

        folder = tessdata.gather_tessdata(languages, data_dir, cache_dir, self.folders)
        return load_api("+".join(languages), folder, PSM.AUTO)


class _UnsuitedError(Exception):
    """Another engine has to read; the message says why."""


class TesseractFactory(_Tesseract):
    __slots__ = ()

    @property
    def name(self) -> str:
        return "tesseract"

    def probe(self) -> Probe:
        command = tessdata.tesseract_command()
        usable = command and _has("pytesseract")
        lacks = "" if usable else "install Tesseract and put it on PATH"
        return Probe("pytesseract", lacks, str(command or ""))

    def load(self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path) -> Engine:
        from ocr_worker.engines.ocr.tesseract_command import TesseractEngine

        return TesseractEngine(
            languages, tessdata.gather_tessdata(languages, data_dir, cache_dir, self.folders)
        )


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


LINES = LinesFactory()
BUILT_IN = (TesserocrFactory(), TesseractFactory(), LINES)
"""The one inside the process first: it reads the same data and starts once. `auto` takes `lines` before them where it reads as well."""
