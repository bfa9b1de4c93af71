"""What is said of a page on which something was read, and that may be wrong, or not all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.engine import Hints
from ocr_worker.pages import preprocessing
from ocr_worker.pages.recognition import Reading

GRAINY = "The page is faint and grainy, and has ink that was not read: compare the text with it"

FEW_CHARACTERS = 60
"""Of fewer, three or four words, the mean tells less: print in a mirror comes to 70, and what is right to 75 and more."""

LEFT_OUT = "Some of the print could not be read, as a stamp or drawing runs through it: compare the text with the page"


def remarks(image: GreyImage, reading: Reading, hints: Hints) -> Iterator[str]:
    """About a page as it came, before it was turned."""
    if not reading.lines:
        return
    if reading.leaves_print:
        yield LEFT_OUT
    confidence = preprocessing.confidence(reading.lines)
    characters = sum(len(word.text) for line in reading.lines for word in line.words)
    is_short = characters < FEW_CHARACTERS
    if confidence < (hints.doubtful_confidence_of_few if is_short else hints.doubtful_confidence):
        yield (
            f"What was read makes little sense (a confidence of {confidence:.0f} of 100): "
            "compare it with the page, and see whether its language is the one that was asked for"
        )
    elif filters.is_faint_and_grainy(image.picture):
        upright = replace(image, picture=filters.turn(image.picture, reading.turned))
        if preprocessing.is_mostly_unread(upright, reading.lines):
            yield GRAINY
