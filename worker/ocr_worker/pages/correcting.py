"""Words that somebody corrected: the pages of a file as its JSON results have them, and all outputs anew from these."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ocr_worker.errors import CorruptError, InvalidParamsError, NotFoundError
from ocr_worker.files.regular import read_regular
from ocr_worker.model.page import Line, Page, Word
from ocr_worker.model.tasks import Composed, ComposeTask, CorrectTask
from ocr_worker.outputs.results_file import SCHEMA, SCHEMA_VERSION
from ocr_worker.pages.compose import compose
from ocr_worker.pages.open_documents import Documents
from ocr_worker.pages.page_results import write_page

SURE = 100.0
"""The confidence of a word that somebody has looked at."""


def correct(task: CorrectTask, documents: Documents) -> Composed:
    """Raises OcrError: no results of ours, no such word, or what kept the outputs from being written."""
    results = _read(Path(task.outputs["json"]))
    if results["source"]["type"] == "pdf" and task.settings.existing_text == "force":
        raise InvalidParamsError(
            "The pages of this PDF were painted anew: read the file again.", field="words"
        )
    pages, folder = _corrected(results, task), Path(task.result_dir)
    for page in pages:
        write_page(folder / f"{page.number}.page", page)
    order = ComposeTask(
        task.source, task.settings, len(pages), task.sha256, task.result_dir, task.outputs,
        warnings=tuple(results["warnings"]), on_existing="overwrite",
    )  # fmt: skip
    return compose(order, documents)


def _read(place: Path) -> dict[str, Any]:
    try:
        results: dict[str, Any] = json.loads(read_regular(place))
        is_ours = (results["schema"], results["schema_version"]) == (SCHEMA, SCHEMA_VERSION)
    except OSError as error:
        raise NotFoundError("The results of the file are not there any more") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptError("These are no OCR results of this program") from error
    if not is_ours:
        raise CorruptError("These are no OCR results of this version of the program")
    return results


def _corrected(results: dict[str, Any], task: CorrectTask) -> list[Page]:
    try:
        pages = [_page(record, results) for record in results["pages"]]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptError("These are no OCR results of this program") from error
    if all(page.number != task.page for page in pages):
        raise NotFoundError(f"The results have no page {task.page}")
    return [_with_words(page, dict(task.words)) if page.number == task.page else page for page in pages]


def _page(record: dict[str, Any], results: dict[str, Any]) -> Page:
    same = ("width_px", "height_px", "dpi", "dpi_estimated", "width_points", "height_points", "seconds")
    lines = tuple(map(_line, record["lines"]))
    was_read = any(word.confidence is not None for line in lines for word in line.words)
    error = record.get("error") or {"code": "", "message": ""}
    return Page(
        record["page"],
        record["status"],
        **{name: record[name] for name in same},
        turned=record["rotation"],
        lines=lines,
        engine=(results["engine"] or "") if was_read else "",
        engine_version=(results["engine_version"] or "") if was_read else "",
        warnings=tuple(record["warnings"]),
        # A page that was read keeps no older layer; where there was none, there is nothing to take away.
        hidden_text=was_read,
        error_code=error["code"],
        error=error["message"],
    )


def _line(record: dict[str, Any]) -> Line:
    words, at = list[Word](), 0
    for word in record["words"]:
        # The line's text tells which words have a space before them.
        has_space = record["text"].startswith(" ", at)
        at += has_space + len(word["text"])
        box, reader = tuple(word["box_px"]), word.get("reader", "")
        words.append(Word(word["text"], box, word["confidence"], has_space or not words, reader))
    box, baseline = tuple(record["box_px"]), tuple(record["baseline_px"])
    return Line(tuple(words), box, baseline, record["block"], record["paragraph"])


def _with_words(page: Page, words: dict[int, str]) -> Page:
    lines, first = [], 0
    for line in page.lines:
        changed = tuple(_with_text(word, words.pop(at, None)) for at, word in enumerate(line.words, first))
        lines.append(replace(line, words=changed))
        first += len(line.words)
    if words:
        raise NotFoundError(f"The page has no word {min(words)}: it has {first}")
    return replace(page, lines=tuple(lines))


def _with_text(word: Word, text: str | None) -> Word:
    if text is None:
        return word
    if word.confidence is None:
        raise InvalidParamsError(
            f"“{word.text}” is the file's own text, which stays as it is.", field="words"
        )
    return replace(word, text=text, confidence=SURE)
