"""The table of kinds: which sheet, worn how, saved as what. One row a kind."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

from PIL import Image

from samples import drawing, layouts, saving, wear
from samples.hard_kinds import HARD_KINDS
from samples.recipe import Recipe
from samples.sheets import Sheet

PAGES_OF_A_SCAN = 3
"""In the kinds that have several pages a file."""


@dataclass(frozen=True, slots=True)
class Sample:
    path: Path
    truth: str
    """As printed; a form feed parts the pages."""
    group: str
    pages: int = 1
    language: str = "eng"


KINDS = {
    "clean": Recipe(layouts.prose, suffixes=(".png", ".jpg", ".tif", ".pdf")),
    "noisy": Recipe(layouts.prose, wear.salt_and_pepper),
    "speckled": Recipe(layouts.prose, wear.speckle),
    "grainy": Recipe(layouts.prose, wear.grain, (".jpg",)),
    "skewed": Recipe(layouts.prose, wear.skew, (".png", ".pdf")),
    "low_contrast": Recipe(layouts.prose, wear.fade, (".png", ".jpg")),
    "inverted": Recipe(layouts.prose, wear.invert),
    "rotated": Recipe(layouts.prose, wear.turn, (".png", ".pdf")),
    "two_columns": Recipe(layouts.two_columns, suffixes=(".png", ".jpg")),
    "letters": Recipe(layouts.letter, suffixes=(".jpg",), dpi=200),
    "invoice": Recipe(layouts.invoice),
    "form": Recipe(layouts.form),
    "small_print": Recipe(layouts.small_print),
    "tilted": Recipe(layouts.small_print, wear.tilt),
    "large_print": Recipe(layouts.large_print, wear.grain, (".jpg", ".pdf")),
    "german": Recipe(layouts.german, language="deu"),
    "cards": Recipe(layouts.card),
    "blank": Recipe(layouts.empty, wear.dust, (".png", ".pdf")),
    "scanned_pdf": Recipe(layouts.prose, suffixes=(".pdf",), pages=PAGES_OF_A_SCAN),
    "fax": Recipe(layouts.letter, suffixes=(".tif",), dpi=200, pages=PAGES_OF_A_SCAN),
    "born_digital": Recipe(layouts.prose, pages=PAGES_OF_A_SCAN),
    "mixed": Recipe(layouts.prose),
}


def build(kind: str, folder: Path, *, seed: int = 1, count: int = 1) -> list[Sample]:
    """Save so many files of a kind into the folder, which is made; the same call gives the same files."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_build_one(kind, folder, number, seed) for number in range(1, count + 1)]


def _build_one(kind: str, folder: Path, number: int, seed: int) -> Sample:
    recipe = KINDS.get(kind) or HARD_KINDS[kind]
    random = Random(f"{kind}-{seed}-{number}")
    sheets = [recipe.layout(random) for _ in range(recipe.pages)]
    stem = folder / f"{kind}-{number:03}"
    if kind == "born_digital":
        return _born_digital(stem, sheets)
    images = [recipe.wear(drawing.render(sheet, recipe.dpi), random) for sheet in sheets]
    if kind == "mixed":
        return _mixed(stem, sheets[0], images[0])
    path = stem.with_suffix(recipe.suffixes[(number - 1) % len(recipe.suffixes)])
    _save(images, path, recipe.dpi)
    return Sample(path, _truth(sheets), kind, recipe.pages, recipe.language)


def _save(images: list[Image.Image], path: Path, dpi: int) -> None:
    if path.suffix == ".pdf":
        saving.save_scan_pdf(images, path, dpi)
    elif path.suffix == ".tif":
        saving.save_tiff([image.convert("1", dither=Image.Dither.NONE) for image in images], path, dpi)
    else:
        saving.save_image(images[0], path, dpi)


def _born_digital(stem: Path, sheets: list[Sheet]) -> Sample:
    path = stem.with_suffix(".pdf")
    path.write_bytes(drawing.bytes_of(drawing.pdf_of(sheets)))
    return Sample(path, _truth(sheets), "born_digital", len(sheets))


def _mixed(stem: Path, text: Sheet, scan: Image.Image) -> Sample:
    path = stem.with_suffix(".pdf")
    saving.save_mixed(text, scan, path, 300)
    return Sample(path, f"{text.truth}\f{text.truth}\f", "mixed", 3)


def _truth(sheets: list[Sheet]) -> str:
    return "\f".join(sheet.truth for sheet in sheets)


def save_slow_page(folder: Path) -> Path:
    """Eight pages of small print on one sheet: about 7 s for the engine on one core."""
    with Image.open(build("small_print", folder)[0].path) as page:
        sheet = Image.new("L", (page.width * 2, page.height * 4), 255)
        for column, row in product(range(2), range(4)):
            sheet.paste(page, (column * page.width, row * page.height))
    sheet.save(folder / "slow.png", dpi=(300, 300))
    return folder / "slow.png"
