"""The recognition limit: warm processes that only recognise, on the very bitmaps that ours shows to Tesseract.

The bitmaps are prepared by ours' own page work before the clock starts: drawn, cleaned, and shrunk where the resolution
gate opens. Then the clock runs while plain Tesseract reads each of them once. What ours does beside that, a second
reading of the same page included, keeps it below the limit. Leaves the text, and its own clock, in the output folder.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.meter import write_clock
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr.engine import Engine
from ocr_worker.engines.ocr.loaded import Engines
from ocr_worker.model.page import Line, Word
from ocr_worker.model.tasks import OpenTask, PageSettings, PageTask, Source
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.opening import open_source
from ocr_worker.pages.page import PageWork

SETTINGS = PageSettings(outputs=("pdf", "txt"))


def _sure(image: GreyImage) -> Line:
    """A word that leaves nothing else to be read."""
    width, height = image.size
    box = 0, 0, width, height
    return Line((Word("read", box, 100.0, space_before=True),), box, (0.0, height, width, height), 0, 0)


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A page as the engine gets it, in a file of raw grey pixels; or the text of a page that the engine never sees."""

    path: Path
    width: int = 0
    height: int = 0
    dpi: int = 0
    text: str = ""
    is_shrunk: bool = False


class Recorder:
    """An engine that finds the layout, on which the preparations depend, and takes down what it is to recognise."""

    def __init__(self, engine: Engine) -> None:
        self.seen: list[GreyImage] = []
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def recognise(self, image: GreyImage, *_: object) -> tuple[Line, ...]:
        """Whatever parts it might be read in: the limit reads it in one."""
        self.seen.append(image)
        return (_sure(image),)


class RecordingEngines(Engines):
    def engine(self, settings: PageSettings) -> Any:
        if not hasattr(self, "recorder"):
            self.recorder = Recorder(super().engine(settings))
        return self.recorder


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    folder = output_dir / ".bitmaps"
    folder.mkdir()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        counts = pool.map(_count, files)
        tasks = [(file, n, folder) for file, count in zip(files, counts, strict=True) for n in range(count)]
        bitmaps = pool.starmap(prepare, tasks, chunksize=1)
        pool.map(_warm, range(4 * jobs), chunksize=1)
        start = time.monotonic()
        read = pool.map(recognise, bitmaps, chunksize=1)
        seconds = time.monotonic() - start
    shrunk = sum(bitmap.is_shrunk for bitmap in bitmaps)
    write_clock(output_dir / "clock.json", seconds, sum(cpu for _, cpu in read), shrunk)
    pages = iter(read)
    for file, count in zip(files, counts, strict=True):
        text = "\f".join(next(pages)[0] for _ in range(count))
        (output_dir / f"{file.stem}.txt").write_text(text, encoding="utf-8")


def prepare(file: Path, index: int, folder: Path) -> Bitmap:
    """Let ours work on a page up to its recognition, and save what it would recognise."""
    documents, engines = _tools(folder)
    recorder = engines.engine(SETTINGS)
    recorder.seen.clear()
    page = PageWork(documents, engines).process(PageTask(_source(file), SETTINGS, index + 1, ""))
    path = folder / f"{file.name}-{index}"
    if not recorder.seen:
        return Bitmap(path, text=page.text)
    image = recorder.seen[-1]
    path.write_bytes(image.picture.tobytes())
    (width, height), is_shrunk = image.size, max(image.size) < max(page.width_px, page.height_px)
    return Bitmap(path, width, height, image.engine_dpi, is_shrunk=is_shrunk)


def recognise(bitmap: Bitmap) -> tuple[str, float]:
    """The text, and the CPU seconds that it took."""
    if not bitmap.width:
        return bitmap.text, 0.0
    start = time.process_time()
    api = _api()
    api.SetImageBytes(bitmap.path.read_bytes(), bitmap.width, bitmap.height, 1, bitmap.width)
    api.SetSourceResolution(bitmap.dpi)
    return str(api.GetUTF8Text()), time.process_time() - start


def _count(file: Path) -> int:
    return open_source(OpenTask(Source(str(file)), SETTINGS), Documents(), Engines(Path()), Path()).pages


def _source(file: Path) -> Source:
    status = file.stat()
    return Source(str(file), stamp=(status.st_size, status.st_mtime_ns, status.st_ino))


def _warm(_: int) -> None:
    _api().SetImageBytes(b"\xff" * 10_000, 100, 100, 1, 100)
    _api().GetUTF8Text()


@cache
def _tools(folder: Path) -> tuple[Documents, RecordingEngines]:
    return Documents(), RecordingEngines(folder)


@cache
def _api() -> Any:
    import tesserocr

    from ocr_worker.engines.ocr.tessdata import find_tessdata

    data = find_tessdata(["eng"])["eng"].parent
    return tesserocr.PyTessBaseAPI(
        path=str(data), lang="eng", psm=tesserocr.PSM.AUTO, oem=tesserocr.OEM.LSTM_ONLY
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
