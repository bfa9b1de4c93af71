"""What copiers, scanners, coffee and time do to a clean page. Each takes a grey image and a seeded generator."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageFilter

Wear = Callable[[Image.Image, Random], Image.Image]


def untouched(image: Image.Image, _: Random) -> Image.Image:
    return image


def salt_and_pepper(image: Image.Image, random: Random) -> Image.Image:
    """One pixel in 32 turns black or white."""
    dots = noise(image.size, random)
    peppered = ImageChops.darker(image, dots.point([0] * 4 + [255] * 252))
    return ImageChops.lighter(peppered, dots.point([0] * 252 + [255] * 4))


def speckle(image: Image.Image, random: Random) -> Image.Image:
    """Specks of dirt, two pixels wide, on a 256th of the page."""
    width, height = image.size
    dirt = noise((width // 2, height // 2), random).point([0] + [255] * 255)
    return ImageChops.darker(image, dirt.resize(image.size))


def grain(image: Image.Image, random: Random) -> Image.Image:
    """A soft focus and the grain of a cheap sensor."""
    return Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), noise(image.size, random), 0.32)


def tilt(image: Image.Image, random: Random) -> Image.Image:
    """Turned by less than a degree, as most pages are that were laid on the glass with care."""
    return _askew(image, random, 0.6, 0.95)


def skew(image: Image.Image, random: Random) -> Image.Image:
    """Turned by 3 to 7 degrees, as a page laid askew on the glass."""
    return _askew(image, random, 3, 7)


def fade(image: Image.Image, random: Random) -> Image.Image:
    """Faint ink on paper that lies in shadow on one side, under a little grain."""
    dark = random.randint(130, 180)
    light = Image.linear_gradient("L").rotate(90 * random.randrange(4)).resize(image.size)
    paper = light.point([dark + value * (225 - dark) // 255 for value in range(256)])
    ink = image.point([60 * (255 - value) // 255 for value in range(256)])
    return Image.blend(ImageChops.subtract(paper, ink), noise(image.size, random), 0.05)


def invert(image: Image.Image, _: Random) -> Image.Image:
    return ImageChops.invert(image)


def turn(image: Image.Image, random: Random) -> Image.Image:
    """Turned by 90, 180 or 270 degrees."""
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(random.choice(turns))


def dust(image: Image.Image, random: Random) -> Image.Image:
    """Nearly nothing: what an empty page shows under a real scanner."""
    return Image.blend(image, noise(image.size, random), 0.02)


def _askew(image: Image.Image, random: Random, least: float, most: float) -> Image.Image:
    angle = random.choice((-1, 1)) * random.uniform(least, most)
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)


def noise(size: tuple[int, int], random: Random) -> Image.Image:
    """Every pixel any grey."""
    return Image.frombytes("L", size, random.randbytes(size[0] * size[1]))
