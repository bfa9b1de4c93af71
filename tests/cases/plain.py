"""Plain Tesseract, against which a page's reading is held: the same bitmap straight in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import tesserocr
from PIL import Image

from ocr_worker.engines.ocr.tessdata import gather_tessdata


def plain_text(path: Path, cache: Path) -> str:
    folder = gather_tessdata(["eng"], None, cache)
    with Image.open(path) as image, tesserocr.PyTessBaseAPI(path=str(folder), lang="eng") as api:
        api.SetImage(image.convert("L"))
        api.SetSourceResolution(round(float(image.info["dpi"][0])))
        return str(api.GetUTF8Text())


def words_found(truth: str, text: str) -> int:
    return (Counter(truth.split()) & Counter(text.split())).total()
