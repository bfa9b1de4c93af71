"""Whether a second reader takes part in reading pages of given settings, and the reader itself, loaded for a page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ocr_worker.engines.ocr.engine import ModelFile
from ocr_worker.engines.ocr.loading import loading
from ocr_worker.engines.ocr.ppocr import models, one_at_a_time
from ocr_worker.errors import EngineMissingError
from ocr_worker.model.options import PageSettings

if TYPE_CHECKING:
    from ocr_worker.engines.images.grey_image import GreyImage
    from ocr_worker.engines.ocr.ppocr.reader import PpocrReader
    from ocr_worker.model.page import Box, Line, Word

NAME = "ppocr"
AUTO, OFF = BY_ITSELF = "auto", "off"
"""Whether there is one is no fault of settings that say so."""
_log = logging.getLogger(__name__)


class SecondReader(Protocol):
    """Reads all of a page, or a stretch of one of its lines; boxes are in the image's pixels."""

    def read_page(self, image: GreyImage, most_line_px: float) -> tuple[Line, ...]:
        """None where lines, brought to the height that its network takes, would be longer than that together."""
        ...

    def read_stretch(self, image: GreyImage, box: Box) -> list[Word]: ...

    def knows(self, text: str) -> bool:
        """Whether it could read all of these characters."""
        ...


def takes_part(settings: PageSettings) -> bool:
    """Whether it is installed, wanted, reads all the languages, and is not the first reader itself."""
    wanted = settings.second_reader != OFF and settings.engine != NAME
    return wanted and models.reads(settings.languages) and not models.lacks()


def require() -> None:
    """Raises EngineMissingError where it is not installed."""
    if way := models.lacks():
        raise EngineMissingError(f"The second reader is not installed: {way}")


def fingerprint(settings: PageSettings) -> list[ModelFile]:
    """The models that pages may be read with besides."""
    return models.fingerprint() if takes_part(settings) else []


@contextmanager
def opened(settings: PageSettings) -> Iterator[SecondReader | None]:
    """Loaded as long as the page needs it, by one process at a time; None where it can't be loaded.

    Raises EngineMissingError where it was asked for by name and can't be loaded.
    """
    with one_at_a_time.turn(models.place(models.RECOGNISER)):
        reader = _load(settings)
        try:
            yield reader
        finally:
            if reader is not None:
                reader.close()


def _load(settings: PageSettings) -> PpocrReader | None:
    try:
        with loading():
            from ocr_worker.engines.ocr.ppocr.reader import PpocrReader

        return PpocrReader()
    except (ImportError, EngineMissingError) as error:
        if settings.second_reader != AUTO:
            raise EngineMissingError(f"The second reader can't be loaded: {error}") from error
        _log.warning("pages are read once: the second reader can't be loaded (%s)", error)
        return None
