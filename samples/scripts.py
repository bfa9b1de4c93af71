"""Sheets in scripts that the 14 fonts of every PDF reader lack: drawn with the system's fonts, where there are any."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from samples.sheets import Sheet

_FOLDER = Path("/usr/share/fonts")
_RIGHT_TO_LEFT = ("NotoSansHebrew", "NotoNaskhArabic")
_FACES = {
    "NotoSansHebrew": "truetype/noto/NotoSansHebrew-Regular.ttf",
    "NotoNaskhArabic": "truetype/noto/NotoNaskhArabic-Regular.ttf",
    "NotoSansDevanagari": "truetype/noto/NotoSansDevanagari-Regular.ttf",
    "NotoSansCJK": "opentype/noto/NotoSansCJK-Regular.ttc",
    "DejaVuSansMono": "truetype/dejavu/DejaVuSansMono.ttf",
}


def is_script(font: str) -> bool:
    """Whether the font is one of the system's."""
    return font in _FACES


def is_drawable(font: str) -> bool:
    """Whether this machine has the font."""
    return not is_script(font) or (_FOLDER / _FACES[font]).exists()


def render(sheet: Sheet, dpi: int) -> Image.Image:
    """Render a sheet of such text as an 8-bit grey image."""
    scale = dpi / 72
    image = Image.new("L", (round(sheet.width * scale), round(sheet.height * scale)), 255)
    draw = ImageDraw.Draw(image)
    for line in sheet.lines:
        face = ImageFont.truetype(
            str(_FOLDER / _FACES[line.type.font]), line.type.size * scale, layout_engine=ImageFont.Layout.RAQM
        )
        right = line.type.font in _RIGHT_TO_LEFT
        x = (sheet.width - line.x if right else line.x) * scale
        draw.text((x, line.y * scale), line.text, fill=line.ink, font=face, anchor="rs" if right else "ls")
    return image
