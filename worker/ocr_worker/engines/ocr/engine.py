"""What an OCR engine must offer: a factory that finds and loads it, and the engine, which reads grey bitmaps.

docs/engines.md shows how a package adds one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

# The main process asks factories, and says hello before an image library could be imported.
if TYPE_CHECKING:
    from ocr_worker.engines.images.grey_image import GreyImage
    from ocr_worker.engines.ocr.layout import Layout
    from ocr_worker.model.page import Line


class Engine(Protocol):
    """Loaded with its languages and kept from page to page."""

    @property
    def name(self) -> str:
        """The factory's."""
        ...

    @property
    def version(self) -> str:
        """Part of what makes a result what it is: outputs of another version are not up to date."""
        ...

    def find_layout(self, image: GreyImage) -> Layout | None:
        """The lines of the bitmap; None when that takes a whole recognition."""
        ...

    def recognise(self, image: GreyImage) -> tuple[Line, ...]:
        """All text of the bitmap in reading order, in the bitmap's pixels. Raises EngineError."""
        ...


class OrientationFinder(Protocol):
    """Tells how a page lies."""

    def find_turn(self, image: GreyImage) -> tuple[int, float]:
        """Degrees clockwise by which the page is turned (0, 90, 180, 270), and how sure that is."""
        ...


@runtime_checkable
class ScriptFinder(Protocol):
    """Tells what a page is written in; an orientation finder may be one, too."""

    def find_script(self, image: GreyImage) -> str:
        """Its name as Tesseract's data has it, such as Latin, Cyrillic or Han; empty where it can't be told."""
        ...


@dataclass(frozen=True, slots=True)
class ResolutionGate:
    """A large page is read from a bitmap that is smaller by these factors where lines are still so high in it.

    Small print stays as it is. See docs/performance.md.
    """

    across: float
    down: float
    least_row_px: float
    joined: tuple[int, int] = (1, 1)
    """So many columns and rows become one before the rest is done bilinearly."""
    least_ink_px: float = 0
    """Tried only where lines are so high by the ink of the whole bitmap: a layout takes too long to be searched for in vain."""


@dataclass(frozen=True, slots=True)
class GateSet:
    """The ways to read a page smaller, the smallest first, as far as they were measured in these languages."""

    languages: frozenset[str] | None
    """A page of these alone; None: of any."""
    gates: tuple[ResolutionGate, ...]


@dataclass(frozen=True, slots=True)
class Hints:
    """What pages need to suit an engine. The defaults show it each page once, as it is."""

    gate_sets: tuple[GateSet, ...] = ()
    """The first that holds all languages of a page counts."""
    shrink_from_pixels: int = 2_400_000
    """A bitmap with fewer is never shrunk."""
    longest_side_px: int = 32_767
    """The most that the engine takes, at most 32,767; a longer bitmap is scaled down."""
    doubtful_confidence: float = 0.0
    """Below this mean confidence of its words a page may lie on its side; 0 doubts no page that has level lines."""
    doubtful_confidence_of_few: float = 0.0
    """The same of a page of few words, which is read in every way then: too few to tell how it lies by their look."""
    sure_confidence: float = 100.0
    """From this mean confidence on, a page whose shadows were taken out need not be read with them too."""
    sure_of_small: float = 0.0
    """Below this mean confidence a page that was read from a smaller bitmap is read whole as well; 0: never."""
    sure_turn: float = 0.0
    """From this confidence of the orientation finder on, a page is turned."""
    deskew_auto_degrees: float | None = 1.0
    """From this tilt on, `deskew: auto` levels a page for the engine; None: never."""
    deskew_on_degrees: float = 0.1
    """From this tilt on, `deskew: on` does."""
    is_quick_to_load: bool = False
    """Within what any page takes: it is loaded when the first page is to be read, and not ahead of all work."""
    more_languages: str = ""
    """How a user gets more languages: the end of a sentence that begins "for more, "."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look at this machine tells of an engine."""

    package: str
    """The distribution that it comes through; `hello` gives its version."""
    lacks: str = ""
    """How to install what the engine lacks here; empty where it can be loaded."""
    place: str = ""
    """Where its command lies, if it has one."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A data file that recognition hangs on."""

    language: str
    file: str
    """Its name, without folders."""
    bytes: int
    sha256: str
    """In hexadecimal."""


class EngineFactory(Protocol):
    """Finds an engine on this machine and loads it. Made without arguments, in the worker and in page processes.

    Its module must be light: `hello` waits for it. Only `load` and `load_finder` import the engine.
    On Linux engines read in a process that opens no connections and writes nowhere but among its temporary files; a page
    that starts a command is begun again in one that may start those of Tesseract and poppler.
    `data_dir` is the option `tessdata_dir`: a folder of language data to look into and no other, or None.
    """

    @property
    def name(self) -> str:
        """What the option `engine` says; that of the entry point."""
        ...

    @property
    def hints(self) -> Hints: ...

    def probe(self) -> Probe:
        """Look for the engine, quickly, and without importing it."""
        ...

    def languages(self, data_dir: str | None) -> Sequence[str]:
        """The codes that it can read here, quickly."""
        ...

    def require_languages(self, languages: Sequence[str], data_dir: str | None) -> None:
        """Raises LanguageMissingError, whose message says how to get what is missing."""
        ...

    def fingerprint(self, languages: Sequence[str], data_dir: str | None) -> Sequence[ModelFile]:
        """The data that these languages are read with: with other data, outputs are not up to date.

        Raises LanguageMissingError.
        """
        ...

    def load(self, languages: tuple[str, ...], data_dir: str | None, cache_dir: Path) -> Engine:
        """The engine, ready to read. `cache_dir` is a folder for what it may derive from its data.

        Raises EngineMissingError, LanguageMissingError.
        """
        ...

    def load_finder(self, data_dir: str | None) -> OrientationFinder | None:
        """What finds how a page is turned; None where the engine has none."""
        ...
