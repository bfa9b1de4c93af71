"""What is done to a decoded picture and measured on it, whatever file it came from."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

STROKE_PX = 56
"""Wider ones are taken for shadows."""
FAINTEST_INK = 40
"""Grey levels: less contrast than this is not stretched to black, as it may be noise."""
LIGHT_SHARE = 0.45
"""Of the range of greys about a place: where the mean is so little above the darkest, the ink is what is light."""
LONGEST_SIDE_PX = 32_767
"""The longest bitmap that is drawn at all."""
HARD_STEP, HARD_SHARE = 24, 0.005
"""Grey levels between neighbours of a thumbnail's paper, and of its pixels: soft shadows have none."""
DARK_LEVEL = 64
"""No paper is as dark."""
DIM_PAPER = 160
BRIGHT_PAPER = 240
PAPER_SHARE = 0.75
"""Of a page is no lighter than this grey, which is its paper's."""
FAINT_LEVELS = 48
"""Between paper and ink: 69 on the faintest page of the corpora, 30 on photos in the dark."""
GRAINY_LEVELS = 1.5
GRAINY_SHARE = 0.065
"""Of what is between them, from one pixel to the next: 0.04 on the grainiest page of the corpora, 0.09 in the dark."""
MOST_STRETCHED_PIXELS = 64_000_000
SQUARE_ENOUGH = 1.02
_GOOD_QUALITY = 90
_COARSE, _COARSE_LEVELS = 4, 64
"""Reduced so far, print that is there or not makes such a difference, and print that is moved by a hair does not."""
_GLANCE_SIDE, _MORE_LEVELS = 800, 40
"""Pixels of a glance at a page; by so much more than its grey one of its colours tells print from its ground."""
_AS_MUCH = 0.98
_BAND_PX = 256


def grey_range(picture: Image.Image) -> tuple[float, float]:
    low, high = picture.getextrema()
    return float(low), float(high)  # type: ignore[arg-type]


def is_flat(picture: Image.Image, levels: int) -> bool:
    """Whether its greys differ by no more than so many levels."""
    low, high = grey_range(picture)
    return high - low <= levels


def is_dark(picture: Image.Image) -> bool:
    """Whether a picture that shows nothing is ink from edge to edge."""
    low, _ = grey_range(picture)
    return low < DARK_LEVEL


def telling_colour(picture: Image.Image) -> Image.Image | None:
    """That of the three in which something shows that the picture's grey does not: red on green of one brightness."""
    if picture.mode != "RGB":
        return None
    glance = picture.reduce(max(1, max(picture.size) // _GLANCE_SIDE))
    ranges = [high - low for low, high in map(grey_range, glance.split())]
    low, high = grey_range(glance.convert("L"))
    best = max(ranges)
    return picture.getchannel(ranges.index(best)) if best >= high - low + _MORE_LEVELS else None


def shows_other_or_more(picture: Image.Image, than: Image.Image) -> bool:
    """Whether one can be told from the other at a glance, and has as much ink; a plain one has none, however black."""
    if picture.size != than.size:
        return True
    _, most = grey_range(ImageChops.difference(picture.reduce(_COARSE), than.reduce(_COARSE)))
    return most >= _COARSE_LEVELS and (is_flat(than, 0) or _ink(picture) >= _AS_MUCH * _ink(than))


def _ink(picture: Image.Image) -> int:
    return sum((255 - level) * count for level, count in enumerate(picture.histogram()))


def thumbnail(picture: Image.Image) -> Image.Image:
    """A sixteenth of the size: what `backdrop` is told by."""
    return picture.reduce(16)


def brightened(picture: Image.Image) -> Image.Image:
    """With its paper as light as a scan's, where it was photographed in poor light."""
    paper = grey_level(thumbnail(picture), 0.95)
    if paper >= DIM_PAPER or not paper:
        return picture
    return picture.point([min(255, round(level * BRIGHT_PAPER / paper)) for level in range(256)])


def is_faint_and_grainy(picture: Image.Image) -> bool:
    """Whether its ink hardly stands out from its grain, as on a photo that was taken in the dark."""
    cells = picture.reduce(8)
    if grey_level(cells, 0.95) - grey_level(cells, 0.01) > FAINT_LEVELS:
        return False
    near = picture.reduce(2)
    grain: float = ImageStat.Stat(ImageChops.difference(near, remove_speckles(near))).mean[0]
    return grain > max(GRAINY_LEVELS, GRAINY_SHARE * (grey_level(near, 0.95) - grey_level(near, 0.02)))


def invert(picture: Image.Image) -> Image.Image:
    return ImageOps.invert(picture)


def turn(picture: Image.Image, clockwise: int) -> Image.Image:
    steps = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
    return picture.transpose(steps[clockwise]) if clockwise in steps else picture


def turn_by_exif(picture: Image.Image, orientation: int) -> Image.Image:
    steps = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    return picture.transpose(steps[orientation]) if orientation in steps else picture


def squared(picture: Image.Image, across: float, down: float) -> Image.Image:
    """With pixels of the same size both ways: as fine as the finer of the two, if that costs no more than so many pixels."""
    if max(across, down) <= SQUARE_ENOUGH * min(across, down):
        return picture
    width, height = picture.width / across, picture.height / down
    finest = max(across, down)
    dpi = finest if width * height * finest**2 <= MOST_STRETCHED_PIXELS else min(across, down)
    size = max(1, round(width * dpi)), max(1, round(height * dpi))
    return picture.resize(size, Image.Resampling.BICUBIC)


def fit(picture: Image.Image, longest_px: int) -> Image.Image:
    """Scale down what is longer than an engine takes."""
    longest = max(picture.size)
    if longest <= longest_px:
        return picture
    width, height = (max(1, side * longest_px // longest) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def shrink(picture: Image.Image, across: float, down: float, joined: tuple[int, int]) -> Image.Image:
    """Smaller by factors below 1, after so many columns and rows were joined. Bilinear: measured to blur noise away and letters not."""
    size = max(1, round(picture.width * across)), max(1, round(picture.height * down))
    near = picture if joined == (1, 1) else picture.reduce(joined)
    return near.resize(size, Image.Resampling.BILINEAR)


def blanked(picture: Image.Image, boxes: Iterable[tuple[int, int, int, int]]) -> Image.Image:
    """With white in these places."""
    copy = picture.copy()
    for box in boxes:
        copy.paste(255, box)
    return copy


def straighten(picture: Image.Image, degrees: float) -> Image.Image:
    """Turn back a page that is skewed clockwise by so much, with all its corners, on more of its own paper."""
    paper = grey_level(picture.reduce(16), PAPER_SHARE)
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)


def remove_speckles(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.MedianFilter(3))


def backdrop(thumbnail: Image.Image) -> Image.Image:
    """The paper without the ink, no larger than the thumbnail."""
    return _lightest(thumbnail, 2).filter(ImageFilter.GaussianBlur(2))


def unevenness(backdrop: Image.Image) -> int:
    """Grey levels between the darker and the lighter parts of the paper, a twentieth at each end left out."""
    return grey_level(backdrop, 0.95) - grey_level(backdrop, 0.05)


def flatten(picture: Image.Image, backdrop: Image.Image) -> Image.Image:
    """Ink on even white: how much darker each pixel is than the paper about it, stretched to full black."""
    return _blackened(ImageChops.subtract(_as_large(backdrop, picture), picture))


def _as_large(thumbnail: Image.Image, picture: Image.Image) -> Image.Image:
    return thumbnail.resize(picture.size, Image.Resampling.BILINEAR)


def _blackened(ink: Image.Image) -> Image.Image:
    black = max(FAINTEST_INK, grey_level(ink, 0.995))
    return ink.point([255 - min(255, round(level * 255 / black)) for level in range(256)])


def flatten_both(picture: Image.Image, thumbnail: Image.Image) -> Image.Image:
    """Ink on even white, whether it is darker than what is about it or lighter, as strong in shadow as in light: told place by place."""
    paper, ground = backdrop(thumbnail), ImageOps.invert(backdrop(ImageOps.invert(thumbnail)))
    range_ = ImageChops.subtract(paper, ground)
    above = ImageChops.subtract(thumbnail.filter(ImageFilter.BoxBlur(2)), ground)
    least = range_.point([round(LIGHT_SHARE * level) for level in range(256)])
    is_light = ImageChops.subtract(least, above, 1, 128).filter(ImageFilter.BoxBlur(3))
    ink = _standing_out(picture, paper, ground, is_light)
    scale = _as_large(range_.point([max(FAINTEST_INK, level) for level in range(256)]), picture)
    return _relative(ink, scale)


def _standing_out(
    picture: Image.Image, paper: Image.Image, ground: Image.Image, is_light: Image.Image
) -> Image.Image:
    """By how much: from the ground where it is light, else from the paper."""
    where = _as_large(is_light, picture).point([0] * 129 + [255] * 127)
    ink, light = _as_large(paper, picture), _as_large(ground, picture)
    _change(ink, picture, ImageChops.subtract)
    _change(light, picture, lambda ground, here: ImageChops.subtract(here, ground))
    ink.paste(light, mask=where)
    return ink


def relit(picture: Image.Image, light: Image.Image, paper: int) -> Image.Image:
    """With paper of one grey, where a smaller picture tells how light that of each place is; lighter paper stays as it is."""
    from PIL import ImageMath

    def share(here: Image.Image, light: Image.Image) -> Image.Image:
        part: Image.Image = ImageMath.lambda_eval(
            lambda given: given["min"](given["here"] * paper / given["light"], 255), here=here, light=light
        )
        return part.convert("L")

    copy, darkest = picture.copy(), [max(1, min(level, paper)) for level in range(256)]
    _change(copy, _as_large(light.point(darkest), picture), share)
    return copy


def has_hard_edges(thumbnail: Image.Image) -> bool:
    """Whether the paper is much darker on one side of some line than on the other, as by a shadow's edge or a picture's."""
    paper = _darkest(_lightest(thumbnail, 2), 3)
    steps = ImageChops.subtract(_lightest(paper, 1), _darkest(paper, 1)).histogram()
    return sum(steps[HARD_STEP:]) >= HARD_SHARE * sum(steps)


def flatten_closely(picture: Image.Image) -> Image.Image:
    """Ink on even white, as strong in shadow or in a flash as elsewhere, up to their very edges: what is dark and wider than strokes is none."""
    cells = picture.reduce(_COARSE)
    reach = STROKE_PX // (2 * _COARSE)
    # Once more at the end, so that what an edge runs through is its darker side.
    paper = _darkest(_lightest(cells, reach), reach + 1)
    range_ = ImageChops.subtract(paper, _darkest(cells, 2 * reach))
    scale = _as_large(range_.point([max(FAINTEST_INK, level) for level in range(256)]), picture)
    ink = _as_large(paper, picture)
    _change(ink, picture, ImageChops.subtract)
    return _relative(ink, scale)


def _lightest(picture: Image.Image, reach: int) -> Image.Image:
    """Of each pixel the lightest that lies no further away, across and down."""
    return _outermost(picture, reach, ImageChops.lighter, 0)


def _darkest(picture: Image.Image, reach: int) -> Image.Image:
    return _outermost(picture, reach, ImageChops.darker, 255)


def _outermost(
    picture: Image.Image, reach: int, choose: Callable[[Image.Image, Image.Image], Image.Image], margin: int
) -> Image.Image:
    """As filters of ranks do, in a tenth of their time: each step doubles how far is looked."""
    wanted = 2 * reach + 1
    found = Image.new("L", (picture.width + 2 * reach, picture.height + 2 * reach), margin)
    found.paste(picture, (reach, reach))
    for across, down in ((1, 0), (0, 1)):
        covered = 1
        while covered < wanted:
            step = min(covered, wanted - covered)
            found = choose(found, ImageChops.offset(found, -step * across, -step * down))
            covered += step
    return found.crop((0, 0, *picture.size))


def _relative(ink: Image.Image, scale: Image.Image) -> Image.Image:
    """The ink itself, black where it is all of the scale."""
    from PIL import ImageMath

    def share(ink: Image.Image, scale: Image.Image) -> Image.Image:
        part: Image.Image = ImageMath.lambda_eval(
            lambda given: 255 - given["ink"] * 255 / given["scale"], ink=ink, scale=scale
        )
        return part.convert("L")

    _change(ink, scale, share)
    return ink


def _change(
    picture: Image.Image, other: Image.Image, make: Callable[[Image.Image, Image.Image], Image.Image]
) -> None:
    """In place, from it and another of its size: band by band, as sums of whole numbers take sixteen times the memory of greys."""
    for top in range(0, picture.height, _BAND_PX):
        box = 0, top, picture.width, min(top + _BAND_PX, picture.height)
        picture.paste(make(picture.crop(box), other.crop(box)), box)


def grey_level(picture: Image.Image, share: float) -> int:
    """The one that this share of the pixels does not exceed."""
    counts, wanted, seen = picture.histogram(), share * picture.width * picture.height, 0
    for level, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return level
    return 255


def packed(picture: Image.Image) -> bytes:
    """As PNG, or as a good JPEG where that takes less: pages of print lose nothing, and photos take no megabytes."""
    whole, close = io.BytesIO(), io.BytesIO()
    picture.save(whole, "PNG", compress_level=4)
    picture.save(close, "JPEG", quality=_GOOD_QUALITY, subsampling=0)
    return min(whole.getvalue(), close.getvalue(), key=len)
