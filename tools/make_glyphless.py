"""Generate glyphless.ttf, the font of the invisible text layer: a blank half as wide as high, and a space half as wide as that. A development tool.

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
SPACE_ADVANCE = 250


def make_font() -> bytes:
    """The font's bytes: the same on every run."""
    advances = {".notdef": ADVANCE, "blank": ADVANCE, "space": SPACE_ADVANCE}
    builder = FontBuilder(UNITS_PER_EM, isTTF=True)
    builder.setupGlyphOrder(list(advances))
    builder.setupCharacterMap({0x20: "space"})
    builder.setupGlyf({".notdef": Glyph(), "blank": _box(ADVANCE), "space": _box(SPACE_ADVANCE)})
    builder.setupHorizontalMetrics({name: (advance, 0) for name, advance in advances.items()})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "OcrGlyphless", "styleName": "Regular", "psName": "OcrGlyphless"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    builder.setupPost(keepGlyphNames=False)
    builder.updateHead(created=0, modified=0)
    builder.font.recalcTimestamp = False
    target = io.BytesIO()
    builder.save(target)
    return target.getvalue()


def _box(advance: int) -> Glyph:
    """A glyph that is never painted, but has an extent: PDFium loses a lone character without one."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (advance, 700), (advance, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "worker/ocr_worker/outputs/glyphless.ttf").write_bytes(
        make_font()
    )
