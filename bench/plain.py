"""Plain Tesseract, the yardstick of accuracy: the image straight in, at its nominal resolution, page segmentation 3."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import tesserocr
from PIL import Image, ImageSequence

from ocr_worker.engines.ocr.tessdata import gather_tessdata
from samples import Sample

PDF_DPI = 300


def recognise_all(samples: list[Sample], cache_dir: Path, processes: int) -> list[str]:
    """The text of each sample, form feeds between pages, by the traineddata that the product uses."""
    folders = [str(gather_tessdata(sample.language.split("+"), None, cache_dir)) for sample in samples]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(_recognise, samples, folders))


def _recognise(sample: Sample, tessdata: str) -> str:
    api = _api(sample.language, tessdata)
    pages = []
    for image, dpi in _images(sample.path):
        api.SetImage(image)
        if dpi:
            api.SetSourceResolution(dpi)
        pages.append(api.GetUTF8Text())
    return "\f".join(pages)


@cache
def _api(language: str, tessdata: str) -> Any:
    return tesserocr.PyTessBaseAPI(path=tessdata, lang=language, psm=tesserocr.PSM.AUTO)


def _images(path: Path) -> Iterator[tuple[Image.Image, int]]:
    if path.suffix == ".pdf":
        document = pypdfium2.PdfDocument(path)
        for page in document:
            yield page.render(scale=PDF_DPI / 72, grayscale=True).to_pil(), PDF_DPI
        return
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            # convert() drops the format, which tesserocr would otherwise encode the pixels in again, lossily for JPEG.
            yield frame.convert("L"), round(float(frame.info.get("dpi", (0, 0))[0]))
