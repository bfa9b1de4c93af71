"""What poor light, dark scanner beds and the angle of a phone do to a clean page. Each takes a grey image and a seeded generator."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageChops, ImageFilter

from samples.wear import Wear, noise


def dim(brightness: float, vignette: float = 0.0, grain: float = 0.0) -> Wear:
    """Photographed in poor light: so much of it, less by a share toward the corners, under so much grain."""

    def wear(image: Image.Image, random: Random) -> Image.Image:
        table = [round(brightness * (12 + value * 243 / 255)) for value in range(256)]
        dark = image.filter(ImageFilter.GaussianBlur(0.7)).point(table)
        if vignette:
            fall = Image.radial_gradient("L").resize(image.size)
            dark = ImageChops.multiply(
                dark, fall.point([255 - round(vignette * value) for value in range(256)])
            )
        return Image.blend(dark, noise(image.size, random), grain) if grain else dark

    return wear


def half_shadow(image: Image.Image, random: Random) -> Image.Image:
    """A hand's or a lamp's shadow over one side, with a soft edge."""
    width, height = image.size
    across = random.uniform(0.35, 0.65)
    edge = Image.new("L", image.size, 255)
    edge.paste(90, (0, 0, round(width * across), height))
    soft = edge.reduce(16).filter(ImageFilter.GaussianBlur(5)).resize(image.size)
    return ImageChops.multiply(image, soft)


def folded(image: Image.Image, random: Random) -> Image.Image:
    """Laid flat again after it was folded both ways: each fold's shadow is sharp on one side and fades on the other."""
    for across in (True, False):
        turned = image if across else image.transpose(Image.Transpose.TRANSPOSE)
        at, fade, depth = random.uniform(0.3, 0.7), random.uniform(0.01, 0.03), random.uniform(0.55, 0.75)
        away = [x / turned.width - at for x in range(turned.width)]
        light = bytes(round(255 * (1 - (depth * 2 ** (-x / fade) if x >= 0 else 0))) for x in away)
        turned = ImageChops.multiply(
            turned, Image.frombytes("L", (turned.width, 1), light).resize(turned.size)
        )
        image = turned if across else turned.transpose(Image.Transpose.TRANSPOSE)
    return image


def on_bed(grey: int, grain: float = 0.0, angle: float = 0.0) -> Wear:
    """A small original on a dark scanner bed of A4."""

    def wear(image: Image.Image, random: Random) -> Image.Image:
        size = max(2480, image.width + 400), max(3508, image.height + 400)
        bed = Image.new("L", size, grey)
        paper, mask = image.point([min(250, value) for value in range(256)]), Image.new("L", image.size, 255)
        if angle:
            paper = paper.rotate(angle, Image.Resampling.BICUBIC, expand=True)
            mask = mask.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        bed.paste(
            paper,
            (random.randint(150, size[0] - paper.width), random.randint(150, size[1] - paper.height)),
            mask,
        )
        return Image.blend(bed, noise(bed.size, random), grain) if grain else bed

    return wear


def light_on_dark(ground: int) -> Wear:
    """White print on a ground of this grey."""

    def wear(image: Image.Image, _: Random) -> Image.Image:
        return image.point([255 - round(value * (255 - ground) / 255) for value in range(256)])

    return wear


def pale(ink: int, paper: int = 255) -> Wear:
    """Ink so many levels darker than the paper."""

    def wear(image: Image.Image, _: Random) -> Image.Image:
        return image.point([paper - round((255 - value) * ink / 255) for value in range(256)])

    return wear


def tilted(degrees: float) -> Wear:
    """Turned counterclockwise by so much, all corners kept."""

    def wear(image: Image.Image, _: Random) -> Image.Image:
        return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)

    return wear


def black_and_white(image: Image.Image, _: Random) -> Image.Image:
    return image.point([0] * 150 + [255] * 106)


def both(first: Wear, second: Wear) -> Wear:
    def wear(image: Image.Image, random: Random) -> Image.Image:
        return second(first(image, random), random)

    return wear
