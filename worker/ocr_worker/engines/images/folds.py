"""Shadows of folds: one threshold for the whole page takes them for bars, at which engines part its lines.

A fold runs across the page from edge to edge, and its paper is dark all along: so even what is lightest there, which is
never ink, is no lighter than the threshold. Its shadow fades on one side at least. A rule, a panel or a heading's bar ends
somewhere, or does not fade.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops

from ocr_worker.engines.images.filters import PAPER_SHARE, grey_level, relit
from ocr_worker.engines.images.ink import cell_px

BANDS = 12
"""In which a fold is looked for one after the other, as it may run aslant."""
DRIFT = 3
"""Cells, from one band to the next."""
FADES = 3
"""Cells over which a shadow goes from half its depth to a fifth of it, on both sides together."""
WIDEST = 0.2
"""Of the page's side."""
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fold:
    """A shadow from edge to edge."""

    is_upright: bool
    spans: tuple[_Span, ...]
    """In cells across it, of each band from the top or the left."""


def find_folds(cells: Image.Image, threshold: int) -> list[Fold]:
    """Of a page with dark ink, in cells (`Ink.cells`): those whose paper is no lighter than the threshold."""
    return [
        Fold(is_upright, spans)
        for is_upright, turned in ((True, cells), (False, cells.transpose(Image.Transpose.TRANSPOSE)))
        for spans in _upright(turned, threshold)
    ]


def without_folds(picture: Image.Image, folds: Sequence[Fold]) -> Image.Image:
    """The picture with the paper of these as light as the page's."""
    for is_upright in (True, False):
        spans = [fold.spans for fold in folds if fold.is_upright is is_upright]
        if not spans:
            continue
        turned = picture if is_upright else picture.transpose(Image.Transpose.TRANSPOSE)
        turned = _evened(turned, spans)
        picture = turned if is_upright else turned.transpose(Image.Transpose.TRANSPOSE)
    return picture


def _upright(cells: Image.Image, threshold: int) -> Iterator[tuple[_Span, ...]]:
    begun: list[tuple[_Span, ...]] = []
    for band in _bands(cells):
        found = list(_shadows(_lightest(band).tobytes(), threshold))
        begun = list(_followed(begun, found)) if begun else [(span,) for span in found]
        if not begun:
            return
    yield from begun


def _followed(begun: Iterable[tuple[_Span, ...]], found: Sequence[_Span]) -> Iterator[tuple[_Span, ...]]:
    """Those that go on in the next band."""
    for spans in begun:
        begin, end = spans[-1][0] - DRIFT, spans[-1][1] + DRIFT
        if near := next((span for span in found if span[0] < end and begin < span[1]), None):
            yield (*spans, near)


def _bands(cells: Image.Image) -> Iterator[Image.Image]:
    for number in range(BANDS):
        top, bottom = (cells.height * edge // BANDS for edge in (number, number + 1))
        yield cells.crop((0, top, cells.width, max(top + 1, bottom)))


def _lightest(band: Image.Image) -> Image.Image:
    """Of each column one pixel."""
    while band.height > 1:
        half = (band.height + 1) // 2
        upper, lower = (band.crop((0, top, band.width, top + half)) for top in (0, band.height - half))
        band = ImageChops.lighter(upper, lower)
    return band


def _shadows(lightest: bytes, threshold: int) -> Iterator[_Span]:
    """Where paper is no lighter than the threshold, lighter on both sides, and fades."""
    at = 0
    while at < len(lightest):
        if lightest[at] > threshold:
            at += 1
            continue
        begin = at
        while at < len(lightest) and lightest[at] <= threshold:
            at += 1
        darkest, paper = min(lightest[begin:at]), max(lightest)
        outer = _widened(lightest, (begin, at), paper - 0.2 * (paper - darkest))
        half = paper - 0.5 * (paper - darkest)
        inner = sum(level <= half for level in lightest[slice(*outer)])
        fades = outer[1] - outer[0] - inner
        at = max(at, outer[1])
        if outer[0] > 0 and outer[1] < len(lightest) and fades >= FADES and inner <= WIDEST * len(lightest):
            yield outer


def _widened(lightest: bytes, span: _Span, level: float) -> _Span:
    begin, end = span
    while begin > 0 and lightest[begin - 1] < level:
        begin -= 1
    while end < len(lightest) and lightest[end] < level:
        end += 1
    return begin, end


def _evened(picture: Image.Image, folds: Iterable[tuple[_Span, ...]]) -> Image.Image:
    """With shadows from top to bottom taken out, each band's by what is lightest in its columns."""
    cells = picture.reduce(cell_px(picture))
    paper = grey_level(cells, PAPER_SHARE)
    light = Image.new("L", (cells.width, BANDS), paper)
    for number, band in enumerate(_bands(cells)):
        found = _lightest(band)
        # What an edge runs through counts as its darker side.
        beside = ImageChops.darker(ImageChops.offset(found, 1, 0), ImageChops.offset(found, -1, 0))
        found = ImageChops.darker(found, beside)
        for spans in folds:
            begin, end = spans[number]
            begin, end = max(0, begin - (end - begin)), min(cells.width, 2 * end - begin)
            light.paste(found.crop((begin, 0, end, 1)), (begin, number))
    return relit(picture, light, paper)
