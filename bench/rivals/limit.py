"""The recognition limit: warm processes that only recognise, on grey bitmaps made ready before the clock starts.

Leaves the text, and the seconds from the first recognition to the last, in the output folder.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image

from ocr_worker.engines.catalogue import find_tessdata

Bitmap = tuple[bytes, int, int]


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    bitmaps = [bitmap for file in files for bitmap in _bitmaps(file)]
    with multiprocessing.get_context("spawn").Pool(jobs, _api) as pool:
        pool.map(_recognise, [(b"\xff" * 10_000, 100, 100)] * jobs * 4, chunksize=1)
        start = time.monotonic()
        texts = pool.map(_recognise, bitmaps, chunksize=1)
        seconds = time.monotonic() - start
    (output_dir / "seconds").write_text(f"{seconds}", encoding="utf-8")
    (output_dir / "limit.txt").write_text("\f".join(texts), encoding="utf-8")


def _bitmaps(file: Path) -> Iterator[Bitmap]:
    if file.suffix == ".pdf":
        images = [
            page.render(scale=300 / 72, grayscale=True).to_pil() for page in pypdfium2.PdfDocument(file)
        ]
    else:
        images = [Image.open(file)]
    for image in images:
        grey = image.convert("L")
        yield grey.tobytes(), grey.width, grey.height


@cache
def _api() -> Any:
    import tesserocr

    data = find_tessdata(["eng"])["eng"].parent
    return tesserocr.PyTessBaseAPI(path=str(data), lang="eng", psm=tesserocr.PSM.AUTO)


def _recognise(bitmap: Bitmap) -> str:
    content, width, height = bitmap
    _api().SetImageBytes(content, width, height, 1, width)
    _api().SetSourceResolution(300)
    return str(_api().GetUTF8Text())


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
