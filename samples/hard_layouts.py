"""Sheets that preparation may harm: small print beside large, white on bars, receipts, typewritten, in other scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from samples.layouts import LARGE, SANS, SANS_BOLD, SERIF, SMALL
from samples.sheets import A4, Line, Panel, Sheet, Type, above, block, paragraphs_of

HUGE = Type("Helvetica-Bold", 40, 48)
BIG = Type("Times-Roman", 18, 23)
TINY = Type("Times-Roman", 6, 7.4)
LABEL = Type("Times-Bold", 24, 40, has_small_capitals=True)
FOOT = Type("Times-Roman", 6.5, 8)
RECEIPT = (226.0, 560.0)
"""A roll of 80 mm."""
WHITE = 255


def big_and_small(random: Random) -> Sheet:
    large = above(block(_shuffled(random), (70, 80), BIG, 44), 520)
    return Sheet(*A4, (*large, *above(block(_shuffled(random), (70, 560), TINY, 120), 780)))


def footnotes(random: Random) -> Sheet:
    body = above(block(_shuffled(random), (70, 90), SERIF, 88), 690)
    notes = above(block(paragraphs_of("small_print"), (70, 720), FOOT, 130), 720 + 8 * random.randint(2, 8))
    return Sheet(*A4, (*body, *notes), ((70, 705, 200, 705),))


def notice(random: Random) -> Sheet:
    words = " ".join(_shuffled(random)).split()
    head = [Line(60, 110 + 50 * row, " ".join(words[3 * row : 3 * row + 3]), HUGE) for row in range(8)]
    return Sheet(*A4, (*head, *above(block(paragraphs_of("small_print") * 2, (60, 560), SMALL, 120), 760)))


def mixed_words(random: Random) -> Sheet:
    """Large lines that end in small words."""
    words = " ".join(_shuffled(random)).split()
    lines = []
    for row in range(26):
        some = words[7 * row : 7 * row + 7]
        y = 90.0 + 27 * row
        lines += [Line(60, y, " ".join(some[:3]), BIG), Line(330, y, " ".join(some[3:]), TINY)]
    return Sheet(*A4, tuple(lines))


def labels(random: Random) -> Sheet:
    """Large figures over small labels, as on forms and bills."""
    words = [word.strip(".,:;") for word in " ".join(_shuffled(random)).split()]
    lines: list[Line] = []
    for row in range(14):
        for column in range(4):
            label, x, y = " ".join(words[row * 8 + column * 2 :][:2]), 60 + 125.0 * column, 90 + 50.0 * row
            lines.append(Line(x, y, label, SMALL))
        figures = [str(random.randint(10_000, 999_999)) for _ in range(4)]
        y = 108 + 50.0 * row
        lines += [Line(60 + 125.0 * column, y, figure, BIG) for column, figure in enumerate(figures)]
    return Sheet(*A4, tuple(lines))


def small_capitals(random: Random) -> Sheet:
    """Bold labels as large as headings."""
    texts = [text.upper() for text in _shuffled(random)]
    return Sheet(*A4, tuple(above(block(texts, (50, 90), LABEL, 28), 790)))


def side_bar(random: Random) -> Sheet:
    text = above(block(_shuffled(random), (180, 90), SERIF, 62), 780)
    bar = above(_inked(block(_shuffled(random), (14, 90), SANS, 26), 245), 760)
    return Sheet(*A4, (*bar, *text), panels=(Panel((0, 0, 160, A4[1]), 60),))


def banner(random: Random) -> Sheet:
    head = _inked(above(block(_shuffled(random), (60, 50), SANS_BOLD, 70), 230), WHITE)
    text = above(block(_shuffled(random), (60, 290), SERIF, 88), 780)
    return Sheet(*A4, (*head, *text), panels=(Panel((0, 0, A4[0], 250), 110),))


def barred(random: Random) -> Sheet:
    """Black bars with white headings between paragraphs."""
    texts, lines, bars, y = _shuffled(random), [], [], 70.0
    for text in texts[:7]:
        title = " ".join(text.split()[:6]).strip(",.")
        bars.append(Panel((50, y, 545, y + 18), 0))
        lines.append(Line(58, y + 13, title, SANS_BOLD, WHITE))
        body = above(block([text], (58, y + 36), SANS, 100), 790)
        lines += body
        y = (body[-1].y if body else y + 36) + 14
        if y > 740:
            break
    return Sheet(*A4, tuple(lines), panels=tuple(bars))


def tinted(random: Random) -> Sheet:
    """Black print in light grey boxes beside print on white."""
    first = above(block(_shuffled(random), (60, 90), SERIF, 88), 380)
    second = above(block(_shuffled(random), (60, 430), SERIF, 88), 780)
    return Sheet(*A4, (*first, *second), panels=(Panel((45, 405, 550, 795), 190),))


def striped(random: Random) -> Sheet:
    """A table: a dark head with white words, and every second row on grey."""
    words = [word.strip(".,:;") for word in " ".join(_shuffled(random)).split()]
    columns = (60.0, 190.0, 320.0, 450.0)
    lines = [Line(x, 94, words[at].title(), SANS_BOLD, WHITE) for at, x in enumerate(columns)]
    panels = [Panel((50, 78, 545, 102), 50)]
    for row in range(28):
        y = 120.0 + 22 * row
        if row % 2:
            panels.append(Panel((50, y - 15, 545, y + 7), 215))
        cells = (
            words[4 + 2 * row],
            words[5 + 2 * row],
            str(random.randint(1, 999)),
            f"{random.randint(1, 99)}.50",
        )
        lines += [Line(x, y, cell, SANS) for x, cell in zip(columns, cells, strict=True)]
    return Sheet(*A4, tuple(lines), panels=tuple(panels))


def receipt(random: Random) -> Sheet:
    hand = Type("Courier", 9, 12)
    goods = [word.strip(".,:;") for word in " ".join(_shuffled(random)).split() if len(word) > 4]
    lines = [Line(50, 40, "WEIR STREET STORES", hand), Line(66, 54, "Port Ellery PE4", hand)]
    for row in range(random.randint(16, 30)):
        y = 84.0 + 12 * row
        lines += [
            Line(16, y, goods[row].title(), hand),
            Line(160, y, f"{random.randint(1, 99)}.{random.randint(10, 99)}", hand),
        ]
    y = lines[-1].y + 24
    lines += [
        Line(16, y, "TOTAL", hand),
        Line(160, y, f"{random.randint(100, 999)}.40", hand),
        Line(40, y + 30, "Thank you, call again", hand),
    ]
    return Sheet(*RECEIPT, tuple(lines))


def typed(font: str, size: float) -> Callable[[Random], Sheet]:
    """A page from a typewriter."""
    hand = Type(font, size, size * 1.5)

    def layout(random: Random) -> Sheet:
        return Sheet(
            *A4, tuple(above(block(_shuffled(random), (70, 80), hand, round(455 / (0.602 * size))), 780))
        )

    return layout


def language(name: str, type_: Type, characters: int) -> Callable[[Random], Sheet]:
    """A page of a text in another language."""

    def layout(random: Random) -> Sheet:
        texts = paragraphs_of(name) * 3
        random.shuffle(texts)
        return Sheet(*A4, tuple(above(_wrapped(texts, type_, characters), 780)))

    return layout


def large_and_foot(name: str) -> Callable[[Random], Sheet]:
    """Large print of a language over its small print."""

    def layout(random: Random) -> Sheet:
        texts = paragraphs_of(name) * 3
        random.shuffle(texts)
        return Sheet(
            *A4,
            (
                *above(block(texts, (70, 90), LARGE, 68), 600),
                *above(block(texts, (70, 640), SMALL, 120), 780),
            ),
        )

    return layout


def _wrapped(texts: Sequence[str], type_: Type, characters: int) -> list[Line]:
    """By words, and by characters where the script has no spaces."""
    if " " in texts[0]:
        return block(texts, (70, 90), type_, characters)
    pieces = [text[at : at + characters] for text in texts for at in range(0, len(text), characters)]
    return [Line(70, 90 + type_.leading * row, piece, type_) for row, piece in enumerate(pieces)]


def _inked(lines: Sequence[Line], ink: int) -> list[Line]:
    return [replace(line, ink=ink) for line in lines]


def _shuffled(random: Random) -> list[str]:
    texts = paragraphs_of("prose")
    random.shuffle(texts)
    return texts
