"""The kinds that preparation may harm: each was, or could be, read worse by us than by plain Tesseract. One row a kind."""

from __future__ import annotations

from samples import hard_layouts as hard
from samples import layouts, light, scripts
from samples.hard_layouts import language, typed
from samples.recipe import Recipe
from samples.sheets import Type

LATIN = Type("Times-Roman", 11, 14.5)

_EVERYWHERE = {
    "big_and_small": Recipe(hard.big_and_small),
    "big_and_small_200": Recipe(hard.big_and_small, suffixes=(".jpg",), dpi=200),
    "footnotes": Recipe(hard.footnotes),
    "notice": Recipe(hard.notice),
    "mixed_words": Recipe(hard.mixed_words),
    "labels": Recipe(hard.labels),
    "small_capitals": Recipe(hard.small_capitals),
    "side_bar": Recipe(hard.side_bar),
    "banner": Recipe(hard.banner),
    "barred": Recipe(hard.barred),
    "tinted": Recipe(hard.tinted),
    "striped": Recipe(hard.striped),
    "side_bar_dim": Recipe(hard.side_bar, light.dim(0.5, 0.4)),
    "dim": Recipe(layouts.prose, light.dim(0.3)),
    "dim_vignette": Recipe(layouts.prose, light.dim(0.3, 0.6), (".jpg",)),
    "dim_small": Recipe(layouts.small_print, light.dim(0.35, 0.5)),
    "dim_grainy": Recipe(layouts.prose, light.dim(0.4, 0.3, 0.03)),
    "night": Recipe(layouts.prose, light.dim(0.18, 0.2)),
    "half_shadow": Recipe(layouts.prose, light.half_shadow),
    "half_shadow_bar": Recipe(hard.side_bar, light.half_shadow),
    "folded": Recipe(layouts.prose, light.folded),
    "receipt": Recipe(hard.receipt),
    "receipt_on_black": Recipe(hard.receipt, light.on_bed(8)),
    "receipt_on_grain": Recipe(hard.receipt, light.on_bed(25, 0.05), (".jpg",)),
    "receipt_on_grey": Recipe(hard.receipt, light.on_bed(90)),
    "receipt_askew": Recipe(hard.receipt, light.on_bed(15, angle=4)),
    "card_on_black": Recipe(layouts.card, light.on_bed(10)),
    "white_on_black": Recipe(layouts.small_print, light.light_on_dark(0)),
    "white_on_grey": Recipe(layouts.prose, light.light_on_dark(80)),
    "white_askew": Recipe(layouts.prose, light.both(light.tilted(3), light.light_on_dark(20))),
    "typed_10": Recipe(typed("Courier", 10)),
    "typed_12": Recipe(typed("Courier", 12)),
    "typed_bold": Recipe(typed("Courier-Bold", 11)),
    "typed_200": Recipe(typed("Courier", 12), light.pale(120, 220), (".jpg",), dpi=200),
    "typed_400": Recipe(typed("Courier", 11), light.dim(0.9, 0.2, 0.06), (".jpg",), dpi=400),
    "pale": Recipe(layouts.prose, light.pale(50)),
    "pale_on_grey": Recipe(layouts.prose, light.pale(60, 170)),
    "black_and_white": Recipe(layouts.letter, light.black_and_white),
    "dpi_100": Recipe(layouts.large_print, dpi=100),
    "dpi_150": Recipe(layouts.prose, dpi=150),
    "dpi_400": Recipe(layouts.prose, dpi=400),
    "dpi_600": Recipe(layouts.small_print, dpi=600),
    "tilted_9": Recipe(layouts.prose, light.tilted(-9)),
    "tilted_14": Recipe(layouts.letter, light.tilted(14)),
    "tilted_20": Recipe(layouts.prose, light.tilted(20)),
    "german_small": Recipe(hard.large_and_foot("german"), language="deu"),
    "german_large": Recipe(language("german", Type("Times-Roman", 15, 20), 64), language="deu"),
    "french": Recipe(language("french", LATIN, 88), language="fra"),
    "spanish": Recipe(language("spanish", LATIN, 88), language="spa"),
}
_BY_FONT = {
    "typed_mono": ("DejaVuSansMono", Recipe(typed("DejaVuSansMono", 10))),
    "hebrew": (
        "NotoSansHebrew",
        Recipe(language("hebrew", Type("NotoSansHebrew", 12, 18), 70), language="heb"),
    ),
    "arabic": (
        "NotoNaskhArabic",
        Recipe(language("arabic", Type("NotoNaskhArabic", 14, 22), 70), language="ara"),
    ),
    "hindi": (
        "NotoSansDevanagari",
        Recipe(language("hindi", Type("NotoSansDevanagari", 12, 19), 70), language="hin"),
    ),
    "chinese": (
        "NotoSansCJK",
        Recipe(language("chinese", Type("NotoSansCJK", 12, 20), 36), language="chi_sim"),
    ),
    "japanese": (
        "NotoSansCJK",
        Recipe(language("japanese", Type("NotoSansCJK", 12, 20), 36), language="jpn"),
    ),
    "korean": ("NotoSansCJK", Recipe(language("korean", Type("NotoSansCJK", 12, 20), 44), language="kor")),
}
HARD_KINDS = _EVERYWHERE | {
    kind: recipe for kind, (font, recipe) in _BY_FONT.items() if scripts.is_drawable(font)
}
