"""A picture of a page, with its words outlined or without, from a file and its JSON results."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from ocr_worker.engines.images.word_boxes import draw_boxes, page_picture
from ocr_worker.errors import CorruptError, NotFoundError
from ocr_worker.files.atomic import write_whole
from ocr_worker.files.regular import read_regular
from ocr_worker.model.tasks import Drawn, OverlayTask, PictureTask

PICTURE_QUALITY = 85


def draw_overlay(task: OverlayTask) -> Drawn:
    """Write a PNG. Raises OcrError: no such file, no results of ours, no such page."""
    record, kind = _page_record(Path(task.results), task.page)
    picture = page_picture(task.source, kind, task.page, record["rotation"])
    words = [(tuple(w["box_px"]), w["confidence"]) for line in record["lines"] for w in line["words"]]
    drawn = draw_boxes(picture, words, (record["width_px"], record["height_px"]))
    content = io.BytesIO()
    drawn.save(content, "PNG")
    write_whole(Path(task.picture), content.getvalue())
    return Drawn(len(words))


def draw_picture(task: PictureTask) -> Drawn:
    """Write a JPEG. Raises OcrError: no such file, no results of ours, no such page."""
    record, kind = _page_record(Path(task.results), task.page)
    picture = page_picture(task.source, kind, task.page, record["rotation"])
    picture.thumbnail((task.longest_px, task.longest_px))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=PICTURE_QUALITY)
    write_whole(Path(task.picture), content.getvalue())
    return Drawn(0)


def _page_record(results: Path, page: int) -> tuple[dict[str, Any], str]:
    try:
        record = json.loads(read_regular(results))
        kind = str(record["source"]["type"])
        found: list[dict[str, Any]] = [one for one in record["pages"] if one["page"] == page]
    except OSError as error:
        raise NotFoundError(
            f"No results at {results}: process the file first, with json among its outputs"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError(f"{results} holds no OCR results of this program") from error
    if not found:
        raise NotFoundError(f"{results.name} knows no page {page}")
    return found[0], kind
