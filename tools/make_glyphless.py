"""Generate glyphless.ttf, the font of the invisible text layer: one empty glyph, half as wide as high. A development tool.

python tools/make_glyphless.py [TARGET]
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables._g_l_y_f import Glyph

UNITS_PER_EM = 1000
ADVANCE = 500


def make_font() -> bytes:
    """The font's bytes: the same on every run."""
    glyphs = [".notdef", "blank"]
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({0x20: "blank"})
    builder.setupGlyf({".notdef": Glyph(), "blank": _box()})
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (ADVANCE, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "OcrGlyphless", "styleName": "Regular", "psName": "OcrGlyphless"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost(keepGlyphNames=False)
    builder.updateHead(created=0, modified=0)
    builder.font.recalcTimestamp = False
    target = io.BytesIO()
    builder.save(target)
    return target.getvalue()


def _box() -> Glyph:
    """A glyph that is never painted, but has an extent: PDFium loses a lone character without one."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (ADVANCE, 700), (ADVANCE, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "worker/ocr_worker/outputs/glyphless.ttf").write_bytes(
        make_font()
    )
