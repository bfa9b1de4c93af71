"""A picture of a page, with its words outlined or without, from a file and its JSON results."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocr_worker.engines.images.word_boxes import Shape, draw_boxes, page_picture
from ocr_worker.errors import CorruptError, NotFoundError
from ocr_worker.files.atomic import write_whole
from ocr_worker.files.regular import read_regular
from ocr_worker.model.tasks import Drawn, OverlayTask, PictureTask

PICTURE_QUALITY = 85


@dataclass(frozen=True, slots=True)
class _Record:
    """What the results say of a page."""

    kind: str
    """The type of its file."""
    turned: int
    size: tuple[int, int]
    words: list[Shape]


def draw_overlay(task: OverlayTask) -> Drawn:
    """Write a PNG. Raises OcrError: no such file, no results of ours, no such page."""
    record = _page_record(Path(task.results), task.page)
    picture = page_picture(task.source, record.kind, task.page, record.turned)
    drawn = draw_boxes(picture, record.words, record.size)
    content = io.BytesIO()
    drawn.save(content, "PNG")
    write_whole(Path(task.picture), content.getvalue())
    return Drawn(len(record.words))


def draw_picture(task: PictureTask) -> Drawn:
    """Write a JPEG. Raises OcrError: no such file, no results of ours, no such page."""
    record = _page_record(Path(task.results), task.page)
    picture = page_picture(task.source, record.kind, task.page, record.turned)
    picture.thumbnail((task.longest_px, task.longest_px))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=PICTURE_QUALITY)
    write_whole(Path(task.picture), content.getvalue())
    return Drawn(0)


def _page_record(results: Path, page: int) -> _Record:
    try:
        record = json.loads(read_regular(results))
        kind = str(record["source"]["type"])
        found = [_record(kind, one) for one in record["pages"] if one["page"] == page]
    except OSError as error:
        raise NotFoundError(
            f"No results at {results}: process the file first, with json among its outputs"
        ) from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CorruptError(f"{results} holds no OCR results of this program") from error
    if not found:
        raise NotFoundError(f"{results.name} knows no page {page}")
    return found[0]


def _record(kind: str, page: dict[str, Any]) -> _Record:
    """Raises ValueError, KeyError, TypeError: somebody has changed it."""
    words = [word for line in page["lines"] for word in line["words"]]
    return _Record(
        kind,
        int(page["rotation"]),
        (int(page["width_px"]), int(page["height_px"])),
        [(_box(*word["box_px"]), _confidence(word["confidence"])) for word in words],
    )


def _box(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
    return int(left), int(top), int(right), int(bottom)


def _confidence(told: float | None) -> float | None:
    return None if told is None else float(told)
