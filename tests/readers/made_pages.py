"""Pages as if they had been recognised, of every kind that readers of PDFs take apart differently, and PDFs with nothing but their layer."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pikepdf

from ocr_worker.model.page import Line, Page, Word, map_lines
from ocr_worker.outputs.searchable_pdf import LayerGrafter
from samples.sheets import paragraphs_of

WIDTH, HEIGHT, DPI = 2480, 3508, 300
GAP = 0.3
"""Between words, in font sizes."""

WORDS = {
    "Hebrew": "בראשית ברא אלהים את השמים ואת הארץ והארץ היתה תהו ובהו וחשך על פני תהום ורוח מרחפת",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا وعليهم أن يعامل",
    "Persian": "تمام افراد بشر آزاد به دنیا می\u200cآیند و از لحاظ حیثیت و حقوق با هم برابرند همه دارای عقل",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα είναι",  # noqa: RUF001
    "Russian": "Все люди рождаются свободными и равными в своём достоинстве и правах они наделены разумом",  # noqa: RUF001
    "Thai": "มนุษย์ทั้งหลาย เกิดมา มีอิสระ และ เสมอภาค กัน ใน เกียรติศักดิ์ และ สิทธิ ต่าง มี เหตุผล",
    "Bengali": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে তাঁদের বিবেক এবং বুদ্ধি আছে",
    "Vietnamese, marks apart": unicodedata.normalize(
        "NFD", "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi"
    ),
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다 인간은 이성과 양심을",
    "Chinese": "人人 生 而 自由 在 尊严 和 权利 上 一律 平等 他们 赋有 理性 和 良心 并 应 以 兄弟",
    "Japanese": "すべて の 人間 は 生まれ ながら に して 自由 で あり かつ 尊厳 と 権利 と に ついて",
}
_UNSPACED = {"Chinese", "Japanese"}
_RIGHT_TO_LEFT = {"Hebrew", "Arabic", "Persian"}
_ASCENDERS, _DESCENDERS = frozenset("bdfhklt"), frozenset("gjpqy")
_NARROW, _BROAD = frozenset("fijlrtI.,;:'"), frozenset("mwMW")


@dataclass(slots=True)
class Setter:
    """Sets words in lines; the baseline of each is at `y`, the first at `x`."""

    lines: list[Line] = field(default_factory=list)
    block: int = 0
    leading: float = 1.3
    """From line to line, in font sizes."""

    def paragraph(self, texts: Iterable[str], x: float, y: float, wide: float, size: float) -> float:
        """Return where the next paragraph goes."""
        for row in _broken(texts, wide, size):
            self.row(row, x, y, size)
            y += self.leading * size
        self.block += 1
        return y + size / 2

    def row(self, texts: list[str], x: float, y: float, size: float) -> None:
        words, at = [], x
        for text in texts:
            words.append(Word(text, _box(text, at, y, size), 90.0))
            at += _width(text, size) + GAP * size
        self._add(words, y, size)

    def row_from_right(self, texts: list[str], x: float, y: float, size: float) -> None:
        words, at = [], x
        for text in texts:
            at -= _width(text, size)
            words.append(Word(text, _box(text, at, y, size), 90.0))
            at -= GAP * size
        self._add(words, y, size)

    def unspaced_row(self, texts: list[str], x: float, y: float, size: float) -> None:
        words, at = [], x
        for text in texts:
            words.append(Word(text, _box(text, at, y, size), 90.0, space_before=False))
            at += _width(text, size)
        self._add(words, y, size)

    def _add(self, words: list[Word], y: float, size: float) -> None:
        left, right = min(word.box[0] for word in words), max(word.box[2] for word in words)
        box = left, round(y - 0.72 * size), right, round(y + 0.21 * size)
        self.lines.append(Line(tuple(words), box, (left, y, right, y), self.block, self.block))


def one_column(degrees: float = 0.0) -> Page:
    setter, y = Setter(), 320.0
    for text in paragraphs_of("prose")[:4]:
        y = setter.paragraph(text.split(), 290, y, 1900, 46)
    return turned(setter.lines, degrees)


def two_columns(degrees: float = 0.0, leading: float = 1.3) -> Page:
    setter, texts = Setter(leading=leading), paragraphs_of("prose")
    for x, column in ((220, texts[:3]), (1320, texts[3:6])):
        y = 320.0
        for text in column:
            y = setter.paragraph(text.split(), x, y, 940, 40)
    return turned(setter.lines, degrees)


def mixed_sizes(degrees: float = 0.0) -> Page:
    setter, y = Setter(), 420.0
    for number, size in enumerate((110, 60, 46, 30, 24, 90, 36)):
        text = paragraphs_of("prose")[number][: 9000 // size]
        y = setter.paragraph(text.split()[:-1], 250, y, 1900, size)
    return turned(setter.lines, degrees)


def language(name: str, degrees: float = 0.0) -> Page:
    setter, texts = Setter(), WORDS[name].split()
    for number in range(12):
        start = number * 5 % len(texts)
        row, y = [*texts[start:], *texts[:start]][:9], 400 + 75.0 * number
        if name in _RIGHT_TO_LEFT:
            setter.row_from_right(row, 2200, y, 46)
        elif name in _UNSPACED:
            setter.unspaced_row(row, 250, y, 46)
        else:
            setter.row(row, 250, y, 46)
        setter.block += number % 4 == 3
    return turned(setter.lines, degrees)


def sideways() -> Page:
    """Lines that run up an upright page, as beside a wide table."""
    up = map_lines(one_column().lines, (0, -1, 1, 0, 0, WIDTH))
    return Page(1, "ok", HEIGHT, WIDTH, dpi=DPI, lines=up)


def save_layer(page: Page, path: Path, turn: int = 0) -> Path:
    """A blank PDF page with the layer on it, displayed turned."""
    size = page.width_px * 72 / DPI, page.height_px * 72 / DPI
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=size[::-1] if turn % 180 else size).obj.Rotate = turn
        grafter = LayerGrafter(pdf)
        grafter.graft(page)
        grafter.finish()
        pdf.save(path)
    return path


def turned(lines: Iterable[Line], degrees: float) -> Page:
    """The page laid askew about its middle, clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = WIDTH / 2, HEIGHT / 2
    around = cos, sin, -sin, cos, x - x * cos + y * sin, y - x * sin - y * cos
    return Page(1, "ok", WIDTH, HEIGHT, dpi=DPI, lines=map_lines(lines, around))


def _broken(texts: Iterable[str], wide: float, size: float) -> Iterator[list[str]]:
    row: list[str] = []
    used = 0.0
    for text in texts:
        width = _width(text, size) + GAP * size
        if row and used + width > wide:
            yield row
            row, used = [], 0.0
        row.append(text)
        used += width
    yield row


def _box(text: str, left: float, y: float, size: float) -> tuple[int, int, int, int]:
    tall = any(c in _ASCENDERS or not c.islower() for c in text)
    deep = any(c in _DESCENDERS for c in text)
    top, bottom = y - (0.72 if tall else 0.5) * size, y + 0.21 * size * deep
    return round(left), round(top), round(left + _width(text, size)), round(bottom)


def _width(text: str, size: float) -> float:
    return sum(_advance(character) for character in text) * size


def _advance(character: str) -> float:
    """Roughly as in Helvetica, in font sizes."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return 0.25 if character in _NARROW else 0.8 if character in _BROAD else 0.55
