"""From a bitmap to lines of words: prepared where it helps, turned upright, and carried back into the page's own pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ocr_worker.engines.images import filters
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.images.leaders import Leader, find_leaders, without
from ocr_worker.engines.images.tilt import ink_tilt
from ocr_worker.engines.images.tones import Tones, look
from ocr_worker.engines.ocr.engine import Engine, Hints, OrientationFinder, ResolutionGate
from ocr_worker.engines.ocr.layout import Layout
from ocr_worker.engines.ocr.row_height import row_height
from ocr_worker.engines.ocr.skew import skew_degrees
from ocr_worker.model.page import Line, map_lines
from ocr_worker.model.tasks import PageSettings
from ocr_worker.pages import preprocessing
from ocr_worker.pages.denoising import denoised
from ocr_worker.pages.led import joined
from ocr_worker.pages.left_out import with_what_was_left_out
from ocr_worker.pages.second_reading import Doubts

TURNS = (180, 90, 270)
STEEP_DEGREES = 2.0
"""A tilt that is told by the ink alone is believed from here on."""


@dataclass(frozen=True, slots=True)
class Reading:
    lines: tuple[Line, ...]
    """In pixels of the upright page."""
    turned: int
    """Degrees clockwise from the bitmap as it came to the upright page."""
    has_ink: bool = True
    """Whether there was something to read: where no line was read all the same, that is to be told."""
    leaves_print: bool = False
    """Whether lines were found late, as under a stamp, and others there could not be read."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """A bitmap as it is shown to the engine, and what that sees before it reads, if it tells."""

    image: GreyImage
    layout: Layout | None
    size: tuple[int, int]
    """Before it was levelled."""
    skew_degrees: float | None
    """Clockwise, as it was found; None where too few lines told."""
    is_levelled: bool = False


@dataclass(frozen=True, slots=True)
class _Attempt:
    lines: tuple[Line, ...]
    is_whole: bool
    """Or read from a smaller bitmap."""
    skew_degrees: float | None
    """That was found, and undone if it was much; None where too few lines told."""


@dataclass(frozen=True, slots=True)
class _Lying:
    """A page that was read as it lies."""

    image: GreyImage
    attempt: _Attempt
    """The first one."""
    found: int
    """Degrees clockwise from the bitmap, if the settings have them looked for at first."""
    best: Reading


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads pages as the settings say."""

    engine: Engine
    finder: Callable[[], OrientationFinder | None]
    settings: PageSettings
    hints: Hints
    doubts: Doubts | None = None
    """None where nobody reads a second time."""

    def read(self, image: GreyImage) -> Reading:
        """Recognise a page's bitmap."""
        if preprocessing.is_uniform(image):
            return Reading((), 0, has_ink=filters.is_dark(image.picture))
        fitted = _fitted(image, self.hints)
        tones = look(fitted.picture)
        upright = denoised(preprocessing.dark_on_light(fitted, tones), self.settings.denoise)
        reading = self._read_again(fitted, self._read_led(upright, tones))
        before, after = fitted.size, image.size
        if reading.turned in (90, 270):
            before, after = before[::-1], after[::-1]
        return replace(reading, lines=_scaled(reading.lines, before, after))

    def _read_led(self, image: GreyImage, tones: Tones) -> Reading:
        """Without the dots of leaders, in which engines see letters."""
        leaders = find_leaders(image)
        reading = self._read_whole(_without(image, leaders), tones)
        upright = _turn(image, reading.turned)
        if reading.turned:
            leaders = find_leaders(upright)
        if leaders and reading.turned in (90, 270):
            reading = replace(self._read_whole(_without(upright, leaders), tones), turned=reading.turned)
        return replace(reading, lines=joined(reading.lines, leaders))

    def _read_whole(self, image: GreyImage, tones: Tones) -> Reading:
        reading = self._read_smooth(image, tones)
        if not reading.lines and reading.has_ink:
            reading = self._read_upright(_inverted(image), may_shrink=False)
        return self._with_the_rest(image, reading)

    def _with_the_rest(self, image: GreyImage, reading: Reading) -> Reading:
        """And what a layout left out, where the page reads well otherwise."""
        if self._is_doubtful(reading):
            return reading
        upright = _turn(image, reading.turned)
        lines, leaves_print = with_what_was_left_out(upright, reading.lines, self.engine.recognise)
        return replace(reading, lines=lines, leaves_print=leaves_print)

    def _read_again(self, image: GreyImage, reading: Reading) -> Reading:
        """As it came, neither inverted nor without shadows and specks: so the second reader was trained."""
        if self.doubts is None or not reading.has_ink:
            return reading
        upright = _turn(image, reading.turned)
        return replace(reading, lines=self.doubts.resolve(upright, reading.lines))

    def _read_smooth(self, image: GreyImage, tones: Tones) -> Reading:
        """Without the shadows of folds, unless they hid print: a page that reads on across them is in order."""
        smooth = preprocessing.unfolded(image, tones)
        if smooth is None:
            return self._read_lit(image, tones)
        first = self._read_lit(smooth, look(smooth.picture))
        if not first.turned and preprocessing.is_read_through(image, first.lines, self.hints):
            return first
        second = self._read_lit(image, tones)
        return second if preprocessing.is_clearly_better(second.lines, first.lines) else first

    def _read_lit(self, image: GreyImage, tones: Tones) -> Reading:
        """Where light is uneven, what reads better with the shadows taken out or left in; those with hard edges, if print is left."""
        may_shrink = preprocessing.is_of_one_kind(tones)
        even = preprocessing.evened_out(image, tones)
        if even is None:
            return self._read_even(image, tones)
        closer = preprocessing.closely_evened_out(image)
        first = self._read_as_it_lies(even, may_shrink=may_shrink)
        if not first.best.turned and preprocessing.is_read_through(
            closer or image, first.best.lines, self.hints
        ):
            return first.best
        second = self._read_as_it_lies(image, may_shrink=may_shrink)
        best = self._better(first.best, second.best)
        if closer is not None and not best.turned and preprocessing.leaves_print(closer, best.lines):
            third = self._read_as_it_lies(closer, may_shrink=False).best
            best = third if preprocessing.is_clearly_better(third.lines, best.lines) else best
        if not self._is_doubtful(best):
            return best
        # Only what makes sense in no light is turned.
        for lying in (first, second):
            best = self._better(best, self._read_turned(lying))
        return best

    @staticmethod
    def _better(first: Reading, second: Reading) -> Reading:
        return second if preprocessing.is_better(second.lines, first.lines) else first

    def _read_even(self, image: GreyImage, tones: Tones) -> Reading:
        """And where it is not, once more for what is too faint or lies light on dark, if there is such."""
        first = self._read_upright(image, may_shrink=preprocessing.is_of_one_kind(tones))
        # Lines that make no sense do not tell how the page lies.
        turned = 0 if self._is_doubtful(first) else first.turned
        stronger = preprocessing.strengthened(_turn(image, turned), tones, first.lines, self.hints)
        if stronger is None:
            return first
        if not self._may_hold_more(stronger, _turn(image, turned), first.lines):
            return first
        second = self._read_straight(self._look(stronger))
        is_better = preprocessing.is_clearly_better(second.lines, first.lines)
        return Reading(second.lines, turned) if is_better else first

    def _may_hold_more(self, stronger: GreyImage, image: GreyImage, lines: tuple[Line, ...]) -> bool:
        """Whether a page is worth a second reading, by the layout of a smaller bitmap, where that is told of the page as it lies."""
        if preprocessing.is_doubtful(lines, self.hints):
            return True
        glance = preprocessing.glance(stronger, self.hints)
        layout = self.engine.find_layout(glance)
        if layout is None or (layout.skew_degrees is not None and self._is_tilted(layout.skew_degrees)):
            return True
        return preprocessing.holds_more(image, lines, glance, layout)

    def _read_upright(self, image: GreyImage, *, may_shrink: bool) -> Reading:
        return self._read_turned(self._read_as_it_lies(image, may_shrink=may_shrink))

    def _read_as_it_lies(self, image: GreyImage, *, may_shrink: bool) -> _Lying:
        found = self._find_turn(image) if self.settings.rotate_pages == "on" else 0
        attempt = self._read_surely(_turn(image, found), may_shrink=may_shrink)
        lying = _Lying(image, attempt, found, Reading(attempt.lines, found))
        if not attempt.lines and not image.ink.is_there:
            return replace(lying, best=replace(lying.best, has_ink=False))
        return replace(lying, best=self._best(lying, self._level_ways(lying)))

    def _read_turned(self, lying: _Lying) -> Reading:
        """And turned, where it makes no sense as it lies."""
        if not lying.best.has_ink or not self._is_doubtful(lying.best):
            return lying.best
        return self._best(lying, self._turned_ways(lying))

    def _best(self, lying: _Lying, ways: Iterable[tuple[int, tuple[Line, ...]]]) -> Reading:
        """Of what was read so far and in these ways, none of which is gone once the page reads well."""
        best = lying.best
        for turned, lines in ways:
            if not lying.attempt.lines and preprocessing.is_noise(lines):
                continue
            # Of two that are as good the later one, which was read with more care.
            is_worse = preprocessing.is_better(best.lines, lines)
            if preprocessing.is_better(lines, best.lines) or (turned == best.turned and not is_worse):
                best = Reading(lines, turned)
            if not self._is_doubtful(best):
                break
        return best

    def _is_doubtful(self, reading: Reading) -> bool:
        return preprocessing.is_doubtful(reading.lines, self.hints)

    def _level_ways(self, lying: _Lying) -> Iterator[tuple[int, tuple[Line, ...]]]:
        """Level; or else, where it makes sense, whole: each as far as it was not tried."""
        lines, is_doubtful = lying.attempt.lines, self._is_doubtful(lying.best)
        if (is_doubtful or preprocessing.is_sparse(lines)) and self._may_be_tilted(lying):
            yield from self._tilted_ways(lying.image, lying.found, (0,))
        if not is_doubtful and not lying.attempt.is_whole and preprocessing.is_unsure(lines, self.hints):
            yield lying.found, self._read_level(_turn(lying.image, lying.found), may_shrink=False).lines

    def _tilted_ways(
        self, image: GreyImage, turn: int, further: tuple[int, ...]
    ) -> Iterator[tuple[int, tuple[Line, ...]]]:
        """Levelled by the ink, whose rows show only in a page that does not lie on its side; turned further by so much."""
        if abs(degrees := ink_tilt(_turn(image, turn).picture)) >= STEEP_DEGREES:
            for more in further:
                turned = (turn + more) % 360
                yield turned, self._read_levelled(_turn(image, turned), degrees)

    def _turned_ways(self, lying: _Lying) -> Iterator[tuple[int, tuple[Line, ...]]]:
        """Turned and levelled; as the finder says; as it lies, but whole; and, of few words, which the finder does not judge, every way."""
        image, found, rotate = lying.image, lying.found, self.settings.rotate_pages
        is_sparse = preprocessing.is_sparse(lying.attempt.lines)
        if rotate != "off" and self._may_be_tilted(lying):
            yield from self._tilted_ways(image, found, (180,))
            yield from self._tilted_ways(image, (found + 90) % 360, (0, 180))
        if rotate == "auto" and (turn := self._find_turn(image)):
            found = turn
            yield turn, self._read_level(_turn(image, turn), may_shrink=not is_sparse).lines
        if not lying.attempt.is_whole:
            yield 0, self._read_level(image, may_shrink=False).lines
        if rotate != "off" and is_sparse:
            for turn in TURNS:
                if turn != found:
                    yield turn, self._read_level(_turn(image, turn), may_shrink=False).lines

    def _may_be_tilted(self, lying: _Lying) -> bool:
        if self.settings.deskew == "off":
            return False
        attempt = lying.attempt
        return attempt.skew_degrees is None or preprocessing.is_hardly_read(lying.image, attempt.lines)

    def _find_turn(self, image: GreyImage) -> int:
        finder = self.finder()
        turn, confidence = finder.find_turn(image) if finder else (0, 0.0)
        return turn if confidence >= self.hints.sure_turn else 0

    def _read_surely(self, image: GreyImage, *, may_shrink: bool) -> _Attempt:
        """Whole, unless far less is read so, where a smaller bitmap showed a page in capitals."""
        small = self._read_level(image, may_shrink=may_shrink)
        is_doubtful = preprocessing.is_doubtful(small.lines, self.hints)
        if small.is_whole or is_doubtful or not preprocessing.is_in_capitals(small.lines):
            return small
        whole = self._read_level(image, may_shrink=False)
        return small if preprocessing.is_far_better(small.lines, whole.lines) else whole

    def _read_level(self, image: GreyImage, *, may_shrink: bool) -> _Attempt:
        """Read large print on a large page from a smaller bitmap: as well or better, and faster."""
        row_px = math.inf
        gates = (
            preprocessing.resolution_gates(image, self.settings.languages, self.hints) if may_shrink else ()
        )
        for gate in gates:
            if row_px * gate.down < gate.least_row_px:
                continue
            small = self._look(preprocessing.shrunk(image, gate))
            if self._is_large_enough(image, small, gate):
                attempt = self._read_straight(small)
                if not self._was_large_enough(image, small, attempt.lines, gate):
                    break
                lines = _scaled(attempt.lines, small.size, image.size)
                return replace(attempt, lines=lines, is_whole=False)
            if small.layout and preprocessing.is_far_from_it(small.image, small.layout):
                break
            row_px = (
                small.layout.smallest_px if small.layout else row_height(small.image.picture)
            ) / gate.down
        return self._read_straight(self._look(image))

    def _is_large_enough(self, image: GreyImage, sight: _Sight, gate: ResolutionGate) -> bool:
        if sight.layout is None:
            return row_height(sight.image.picture) >= gate.least_row_px
        # Words of a bitmap that was levelled do not lie where its ink does.
        whole = sight.image if sight.is_levelled else image
        return preprocessing.is_large_enough(whole, sight.image, sight.layout, gate)

    def _was_large_enough(
        self, image: GreyImage, sight: _Sight, lines: tuple[Line, ...], gate: ResolutionGate
    ) -> bool:
        told_before = sight.layout is not None or preprocessing.was_large_enough(lines, gate)
        if not told_before or preprocessing.is_typed(lines):
            return False
        # Words of a bitmap that was levelled do not lie where its ink does.
        return sight.is_levelled or not preprocessing.hides_print(
            image, sight.image, preprocessing.word_boxes(lines)
        )

    def _read_levelled(self, image: GreyImage, degrees: float) -> tuple[Line, ...]:
        level = replace(image, picture=filters.straighten(image.picture, degrees))
        lines = self._read_level(level, may_shrink=True).lines
        return map_lines(lines, preprocessing.turning_back(level.size, degrees, image.size))

    def _look(self, image: GreyImage) -> _Sight:
        """Level the page for reading if it is tilted too much for the engine."""
        layout = self.engine.find_layout(image)
        degrees = layout.skew_degrees if layout else None
        if degrees is None or not self._is_tilted(degrees):
            return _Sight(image, layout, image.size, degrees)
        return self._levelled(image, degrees)

    def _levelled(self, image: GreyImage, degrees: float) -> _Sight:
        level = replace(image, picture=filters.straighten(image.picture, degrees))
        return _Sight(level, self.engine.find_layout(level), image.size, degrees, is_levelled=True)

    def _read_straight(self, sight: _Sight) -> _Attempt:
        lines = self._recognise(sight)
        if sight.layout is None and not sight.is_levelled:
            degrees = skew_degrees(line.baseline for line in lines)
            if degrees is not None and self._is_tilted(degrees):
                lines = self._recognise(self._levelled(sight.image, degrees))
            return _Attempt(lines, is_whole=True, skew_degrees=degrees)
        return _Attempt(lines, is_whole=True, skew_degrees=sight.skew_degrees)

    def _recognise(self, sight: _Sight) -> tuple[Line, ...]:
        lines = self.engine.recognise(sight.image)
        if not sight.is_levelled:
            return lines
        back = preprocessing.turning_back(sight.image.size, sight.skew_degrees or 0.0, sight.size)
        return map_lines(lines, back)

    def _is_tilted(self, degrees: float) -> bool:
        least = preprocessing.least_tilt(self.settings.deskew, self.hints)
        return least is not None and abs(degrees) >= least


def _fitted(image: GreyImage, hints: Hints) -> GreyImage:
    square = preprocessing.squared(image)
    return replace(square, picture=filters.fit(square.picture, hints.longest_side_px))


def _inverted(image: GreyImage) -> GreyImage:
    return replace(image, picture=filters.invert(image.picture))


def _without(image: GreyImage, leaders: Sequence[Leader]) -> GreyImage:
    return replace(image, picture=without(image.picture, leaders)) if leaders else image


def _turn(image: GreyImage, clockwise: int) -> GreyImage:
    return replace(image, picture=filters.turn(image.picture, clockwise)) if clockwise else image


def _scaled(lines: tuple[Line, ...], old: tuple[int, int], new: tuple[int, int]) -> tuple[Line, ...]:
    return lines if old == new else map_lines(lines, (new[0] / old[0], 0, 0, new[1] / old[1], 0, 0))
