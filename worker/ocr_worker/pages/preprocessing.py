"""What is done to a bitmap, and to what was read from it, for better reading. Nothing that costs much without a gain."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.folds import find_folds, without_folds
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.images.ink import Place
from ocr_worker.engines.images.tones import Tones, look
from ocr_worker.engines.ocr.engine import Hints, ResolutionGate
from ocr_worker.engines.ocr.layout import OVERLOOKED, Layout
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.model.page import Affine, Box, Line, mean_confidence
from ocr_worker.model.tasks import Switch

UNIFORM_RANGE = 8
"""Grey levels between the darkest and the lightest pixel of a page that holds nothing at all."""
NOISE_CONFIDENCE = 50
"""Words that are no sense have less: scribbles, read in eight ways, 32 to 40."""
CLEARLY_MORE = 1.005
"""Two readings of one page differ by 0.2 % of their sense; two words among three hundred are 0.6 %."""
MOSTLY_LIGHT = 0.8
"""Of the ink of a page: as much of it lighter than its ground makes the page white on black."""
RATHER_LIGHT = 0.5
"""Of the ink that was not read: the edges of a bar count as dark."""
MOSTLY_DARK = 0.3
"""Of the ink: grain on dim paper looks light in places."""
SOME_LIGHT = 0.05
"""Of the ink: as much makes a page one of both kinds, which was not measured at other sizes than its own."""
FEWEST_TILES = 8
"""That hold ink which was not read: a few words."""
LOST = 0.1
"""Of the ink: as much that one threshold for the whole page would lose makes its light uneven, if its paper varies too."""
UNEVEN_LEVELS = 45
"""Grey levels by which the paper varies over a page that is flattened. Scans of good light vary by 10 to 40."""
MUCH_LOST = 0.3
"""Of the ink: a page that would lose as much is flattened, however even its light: it is faded. Typed letters have 0.2 at most."""
SPARSE_CHARACTERS = 400
"""A page of fewer is read again in other ways at little cost: too few to tell how it lies by their look."""
LONG_LINE = 20
"""Characters: some of them stand out above and below."""
LOW_LINE = 0.75
"""Of the usual line: one without descenders is no lower."""
LONG_WORD = 4
FEWEST_WORDS = 10
PITCH_SLACK = 0.06
TYPED_WORDS = 0.75
"""Share of the words whose width by their letters is the usual one, as in typewriting."""
UNSEEN_INK = 0.05
"""Of a page's ink: as much of it outside of all words that a smaller bitmap's layout found makes that too small."""
GLANCE = ResolutionGate(1 / 2, 1 / 2, 0)
"""What tells whether a page is read once more: of nine pages with bars, banners and photographs it told the same as the whole."""
SEEN_NOW = 0.25
"""Of the ink that was not read: as much under words of a stronger picture's layout makes that worth reading. Of photographs 0 to 0.16."""
MUCH_UNSEEN = 0.3
MOSTLY_UNSEEN = 0.5
FAR_TOO_MUCH_UNSEEN = 0.15
"""Of a page's ink, outside of what a smaller bitmap's layout found: the next larger one finds too little as well."""
RATHER_CAPITALS = 0.4
"""Of the letters: of prose 0.06 at most, of lists 0.2, of small capitals 0.7 and more, however many were taken for small letters."""
FAR_MORE = 1.05
"""Times the sense: of capitals a smaller bitmap made two to four times as many slips as the whole where it made 0.94 to 1.03 of its sense."""


def resolution_gates(
    image: GreyImage, languages: tuple[str, ...], hints: Hints
) -> tuple[ResolutionGate, ...]:
    """The ways to read a page smaller, the smallest first: as far as that was measured to read as well in its languages."""
    if image.size[0] * image.size[1] < hints.shrink_from_pixels:
        return ()
    gates = next((one.gates for one in hints.gate_sets if _holds(one.languages, languages)), ())
    if not any(gate.least_ink_px for gate in gates):
        return gates
    ink_px = row_height(image.picture)
    return tuple(gate for gate in gates if ink_px >= gate.least_ink_px)


def _holds(measured: frozenset[str] | None, languages: tuple[str, ...]) -> bool:
    return measured is None or measured.issuperset(languages)


def least_tilt(switch: Switch, hints: Hints) -> float | None:
    """Degrees from which on a page is levelled; None: never."""
    return {"auto": hints.deskew_auto_degrees, "on": hints.deskew_on_degrees, "off": None}[switch]


def is_large_enough(image: GreyImage, small: GreyImage, layout: Layout, gate: ResolutionGate) -> bool:
    """Whether all print of the page is still high enough in the smaller bitmap, and all of it was found. Typewriting was read worse from one.

    A turned page is read from one to tell that it is turned.
    """
    if layout.is_turned:
        return True
    if layout.smallest_px < gate.least_row_px or layout.is_typed:
        return False
    return not hides_print(image, small, layout.word_boxes)


def is_far_from_it(small: GreyImage, layout: Layout) -> bool:
    """Whether a bitmap that is a little larger would not do either: the page is typed, or so much was not found."""
    return layout.is_typed or small.ink.share_outside(layout.word_boxes) > FAR_TOO_MUCH_UNSEEN


def was_large_enough(lines: tuple[Line, ...], gate: ResolutionGate) -> bool:
    """The same, told by what was read, where the engine tells no layout before."""
    long = [(line.box[3] - line.box[1], len(line.text)) for line in lines if len(line.text) >= LONG_LINE]
    if not long:
        return True
    least = min(gate.least_row_px, LOW_LINE * statistics.median(height for height, _ in long))
    small = sum(letters for height, letters in long if height < least)
    return small <= OVERLOOKED * sum(letters for _, letters in long)


def is_typed(lines: tuple[Line, ...]) -> bool:
    """Whether words are as wide as they have letters."""
    words = (word for line in lines for word in line.words if len(word.text) >= LONG_WORD)
    widths = [(word.box[2] - word.box[0]) / len(word.text) for word in words]
    if len(widths) < FEWEST_WORDS:
        return False
    pitch = statistics.median(widths)
    return sum(abs(width - pitch) <= PITCH_SLACK * pitch for width in widths) >= TYPED_WORDS * len(widths)


def is_uniform(image: GreyImage) -> bool:
    """Whether there is nothing to see, not even something faint: anything else is left to the engine to judge."""
    return filters.is_flat(image.picture, UNIFORM_RANGE)


def dark_on_light(image: GreyImage, tones: Tones) -> GreyImage:
    """Invert a page whose ink is lighter than its ground. One of both kinds stays: engines invert lines by themselves."""
    return replace(image, picture=filters.invert(image.picture)) if tones.light >= MOSTLY_LIGHT else image


def is_of_one_kind(tones: Tones) -> bool:
    """Whether all ink is dark on light, or was the other way round."""
    return not SOME_LIGHT <= tones.light < MOSTLY_LIGHT


def evened_out(image: GreyImage, tones: Tones) -> GreyImage | None:
    """Without shadows, where one threshold for the whole page, as engines take, would lose ink; None where it would not."""
    if tones.lost < LOST:
        return None
    bright = filters.brightened(image.picture)
    thumbnail = filters.thumbnail(bright)
    backdrop = filters.backdrop(thumbnail)
    if tones.lost < MUCH_LOST and filters.unevenness(backdrop) < UNEVEN_LEVELS:
        return None
    if is_of_one_kind(tones):
        return replace(image, picture=filters.flatten(bright, backdrop))
    return replace(image, picture=filters.flatten_both(bright, thumbnail))


def unfolded(image: GreyImage, tones: Tones) -> GreyImage | None:
    """Without the shadows of folds that one threshold would take for bars across the page; None where there are none."""
    if tones.light >= SOME_LIGHT:
        return None
    folds = find_folds(image.ink.cells, tones.threshold)
    return replace(image, picture=without_folds(image.picture, folds)) if folds else None


def closely_evened_out(image: GreyImage) -> GreyImage | None:
    """Without shadows that have hard edges, None where there are none. Print that is larger than usual is lost with them."""
    if not filters.has_hard_edges(filters.brightened(filters.thumbnail(image.picture))):
        return None
    return replace(image, picture=filters.flatten_closely(image.picture))


def strengthened(image: GreyImage, tones: Tones, lines: tuple[Line, ...], hints: Hints) -> GreyImage | None:
    """A page of even light with all its ink black, where so much of it was not read as that may help; otherwise None."""
    senseless = is_doubtful(lines, hints)
    if not senseless and not leaves_print(image, lines):
        return None
    bright = filters.brightened(image.picture)
    thumbnail = filters.thumbnail(bright)
    is_uneven = not senseless and filters.unevenness(filters.backdrop(thumbnail)) >= UNEVEN_LEVELS
    if is_uneven and (closer := closely_evened_out(image)):
        return closer
    if not (senseless or tones.lost >= LOST or _is_unread_ink_light(image, lines)):
        return None
    if senseless and tones.light < MOSTLY_DARK:
        return replace(image, picture=filters.flatten(bright, filters.backdrop(thumbnail)))
    return replace(image, picture=filters.flatten_both(bright, thumbnail))


def glance(image: GreyImage, hints: Hints) -> GreyImage:
    """A smaller bitmap of a large page: it shows where words are, in half the time."""
    width, height = image.size
    return shrunk(image, GLANCE) if width * height >= hints.shrink_from_pixels else image


def holds_more(image: GreyImage, lines: tuple[Line, ...], glance: GreyImage, layout: Layout) -> bool:
    """Whether the layout of a page whose words make sense has words where there is ink that was not read, and not a picture alone."""
    unread = _unread_ink(image, lines)
    seen = unread - image.ink.share_outside(
        [*word_boxes(lines), *_enlarged(layout.word_boxes, glance, image)]
    )
    return seen > min(UNSEEN_INK, SEEN_NOW * unread)


def _is_unread_ink_light(image: GreyImage, lines: tuple[Line, ...]) -> bool:
    """Whether what was not read is lighter than its ground."""
    rest = look(filters.blanked(image.picture, word_boxes(lines)))
    return rest.tiles >= FEWEST_TILES and rest.light >= RATHER_LIGHT


def squared(image: GreyImage) -> GreyImage:
    """Letters as they are on paper: engines read those of a fax's oblong pixels badly. See docs/decisions/0203."""
    if image.dpi_down is None:
        return image
    picture = filters.squared(image.picture, image.dpi, image.dpi_down)
    dpi = image.dpi * picture.width / image.picture.width
    return replace(image, picture=picture, dpi=dpi, dpi_down=None)


def shrunk(image: GreyImage, gate: ResolutionGate) -> GreyImage:
    small = filters.shrink(image.picture, gate.across, gate.down, gate.joined)
    return replace(image, picture=small, dpi=image.dpi * gate.down)


def confidence(lines: tuple[Line, ...]) -> float:
    """Mean of the words: 0 without any, 100 where the engine tells none."""
    mean = mean_confidence(word for line in lines for word in line.words)
    return mean if mean is not None else 100.0 * bool(lines)


def is_sparse(lines: Iterable[Line]) -> bool:
    return sum(len(word.text) for line in lines for word in line.words) < SPARSE_CHARACTERS


def is_doubtful(lines: tuple[Line, ...], hints: Hints) -> bool:
    """Whether the page may lie otherwise: nothing read, little sense in the words, or most lines not level."""
    least = hints.doubtful_confidence_of_few if is_sparse(lines) else hints.doubtful_confidence
    return not lines or confidence(lines) < least or not is_level(lines)


def is_unsure(lines: tuple[Line, ...], hints: Hints) -> bool:
    """Whether a page that was read from a smaller bitmap may read better whole: old print, and other languages."""
    return confidence(lines) < hints.sure_of_small


def is_in_capitals(lines: tuple[Line, ...]) -> bool:
    """Whether most of its letters are: small ones are told from those of a line by their height alone, which a smaller bitmap blurs."""
    letters = [letter for line in lines for letter in line.text if letter.isalpha()]
    return sum(map(str.isupper, letters)) > RATHER_CAPITALS * len(letters)


def is_noise(lines: tuple[Line, ...]) -> bool:
    """Whether words may have been seen in strokes that are none: a page on which nothing is read as it lies is drawn, too."""
    return confidence(lines) < NOISE_CONFIDENCE


def is_hardly_read(image: GreyImage, lines: tuple[Line, ...]) -> bool:
    """Whether much of the ink lies outside of the words: rules that lie askew can pass for level lines."""
    return _unread_ink(image, lines) > MUCH_UNSEEN


def is_mostly_unread(image: GreyImage, lines: tuple[Line, ...]) -> bool:
    """Whether most of the ink lies outside of the words."""
    return _unread_ink(image, lines) > MOSTLY_UNSEEN


def is_read_through(image: GreyImage, lines: tuple[Line, ...], hints: Hints) -> bool:
    """Whether the words make sense, and lie wherever the page has ink."""
    return confidence(lines) >= hints.sure_confidence and not leaves_print(image, lines)


def leaves_print(image: GreyImage, lines: tuple[Line, ...]) -> bool:
    """Whether much of the ink lies outside of the words, or as little as a line of print."""
    return _unread_ink(image, lines) > UNSEEN_INK or image.ink.has_print_outside(word_boxes(lines))


def hides_print(image: GreyImage, small: GreyImage, boxes: list[Box]) -> bool:
    """The same of words in a smaller bitmap. A single line shows in both: grain looks like print in the smaller one alone, whose cells are pixels."""
    if small.ink.share_outside(boxes) > UNSEEN_INK:
        return True
    return small.ink.has_print_outside(boxes) and image.ink.has_print_outside(_enlarged(boxes, small, image))


def _enlarged(boxes: Iterable[Box], small: GreyImage, image: GreyImage) -> list[Place]:
    across, down = (large / less for large, less in zip(image.size, small.size, strict=True))
    return [(x0 * across, y0 * down, x1 * across, y1 * down) for x0, y0, x1, y1 in boxes]


def _unread_ink(image: GreyImage, lines: tuple[Line, ...]) -> float:
    """The share of the ink that lies outside of the words."""
    return image.ink.share_outside(word_boxes(lines))


def word_boxes(lines: tuple[Line, ...]) -> list[Box]:
    return [word.box for line in lines for word in line.words]


def is_level(lines: Iterable[Line]) -> bool:
    """Whether most characters stand in lines that run across the page."""
    level = steep = 0
    for line in lines:
        x0, y0, x1, y1 = line.baseline
        if abs(y1 - y0) > abs(x1 - x0):
            steep += len(line.text)
        else:
            level += len(line.text)
    return level >= steep


def is_better(new: tuple[Line, ...], old: tuple[Line, ...]) -> bool:
    """More sense in it, and not by having read next to nothing. Level lines beat steep ones of the same sense."""
    return _sense(new) > _sense(old)


def is_clearly_better(new: tuple[Line, ...], old: tuple[Line, ...]) -> bool:
    """More sense by a word or two: a little of it comes of reading another picture of the same words."""
    return _sense(new) > CLEARLY_MORE * _sense(old)


def is_far_better(new: tuple[Line, ...], old: tuple[Line, ...]) -> bool:
    """More sense by so much that confidence in letters of another size does not tell it alone."""
    return _sense(new) > FAR_MORE * _sense(old)


def _sense(lines: tuple[Line, ...]) -> float:
    words = [word for line in lines for word in line.words]
    sense = sum(len(w.text) * max(0.0, (w.confidence or 0.0) - 30) for w in words)
    return sense if is_level(lines) else sense * 0.9


def turning_back(level: tuple[int, int], degrees: float, size: tuple[int, int]) -> Affine:
    """From a bitmap that was levelled about its middle to the one before, of this size: clockwise (y down)."""
    angle = math.radians(degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    (x, y), (to_x, to_y) = ((side / 2 for side in sides) for sides in (level, size))
    return cos, sin, -sin, cos, to_x - cos * x + sin * y, to_y - sin * x - cos * y
