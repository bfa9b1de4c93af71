"""What copiers, scanners, coffee and time do to a clean page. Each takes a grey image and a seeded generator."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageFilter

Wear = Callable[[Image.Image, Random], Image.Image]


def untouched(image: Image.Image, _: Random) -> Image.Image:
    return image


def salt_and_pepper(image: Image.Image, random: Random) -> Image.Image:
    """One pixel in 64 turns black or white."""
    noise = _noise(image.size, random)
    peppered = ImageChops.darker(image, noise.point([0] * 2 + [255] * 254))
    return ImageChops.lighter(peppered, noise.point([0] * 254 + [255] * 2))


def speckle(image: Image.Image, random: Random) -> Image.Image:
    """Specks of dirt, some pixels wide, all over the page."""
    width, height = image.size
    dirt = _noise((width // 2, height // 2), random).point([0] + [255] * 255)
    return ImageChops.darker(image, dirt.resize(image.size))


def grain(image: Image.Image, random: Random) -> Image.Image:
    """A soft focus and the grain of a cheap sensor."""
    return Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), _noise(image.size, random), 0.3)


def noise(image: Image.Image, random: Random) -> Image.Image:
    """One of the three kinds of noise."""
    return random.choice((salt_and_pepper, speckle, grain))(image, random)


def skew(image: Image.Image, random: Random) -> Image.Image:
    """Turned by 1 to 4 degrees, as a page laid askew on the glass."""
    angle = random.choice((-1, 1)) * random.uniform(1, 4)
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)


def fade(image: Image.Image, random: Random) -> Image.Image:
    """A faint carbon copy: dark grey on grey, under a little grain."""
    ink = random.randint(125, 140)
    faint = image.point([ink + value * (180 - ink) // 255 for value in range(256)])
    return Image.blend(faint, _noise(image.size, random), 0.06)


def invert(image: Image.Image, _: Random) -> Image.Image:
    return ImageChops.invert(image)


def turn(image: Image.Image, random: Random) -> Image.Image:
    """Turned by 90, 180 or 270 degrees."""
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(random.choice(turns))


def dust(image: Image.Image, random: Random) -> Image.Image:
    """Nearly nothing: what an empty page shows under a real scanner."""
    return Image.blend(image, _noise(image.size, random), 0.02)


def _noise(size: tuple[int, int], random: Random) -> Image.Image:
    return Image.frombytes("L", size, random.randbytes(size[0] * size[1]))
