"""Make an event as short as the host asked for: lists give way to what stands for them elsewhere."""

from __future__ import annotations

from ocr_protocol.codec import encode
from ocr_protocol.events import (
    BatchData,
    ClusterNews,
    Event,
    FileDone,
    InspectData,
    JobData,
    JobsData,
    ProgressData,
)
from ocr_protocol.jobs import Counts, JobFile

_LISTS = ("successful", "failed", "skipped")
_MAY_BE_SHORT: dict[type, tuple[str, int]] = {
    JobsData: ("jobs", 1),
    JobData: ("files", 1),
    ProgressData: ("working", 0),
    ClusterNews: ("refused", 0),
}
"""The list, and how many entries it keeps."""
_OF_A_FILE: dict[str, object] = {"failed_pages": None, "warnings": None}


def encode_within(event: Event, seq: int, most_bytes: int) -> bytes:
    """The event as a line of so many bytes at most, where leaving out lists can do that."""
    line = encode(event, seq)
    while len(line) > most_bytes and (shorter := _shorter(event)) is not None:
        event = shorter
        line = encode(event, seq)
    return line


def _shorter(event: Event) -> Event | None:
    """The event without a list, or with half of one; None if it has none that may go."""
    fields = _halved(event.data) or _without_lists(event.data)
    return event.model_copy(update={"data": event.data.model_copy(update=fields)}) if fields else None


def _halved(data: object) -> dict[str, object]:
    """The first half of a list that need not be whole."""
    name, least = _MAY_BE_SHORT.get(type(data), ("", 0))
    entries: tuple[object, ...] = getattr(data, name, ())
    return {name: entries[: len(entries) // 2]} if len(entries) > least else {}


def _without_lists(data: object) -> dict[str, object]:
    match data:
        case BatchData(counts=None) as batch:
            return {**dict.fromkeys(_LISTS), "counts": _counts(batch)}
        case JobData(files=(JobFile() as only,)) if only.failed_pages or only.warnings:
            return {"files": (only.model_copy(update=_OF_A_FILE),)}
        case InspectData(page_list=pages) if pages:
            return {"page_list": None}
        case FileDone() as done if done.failed_pages or done.warnings:
            return dict(_OF_A_FILE)
    return {}


def _counts(data: BatchData) -> Counts:
    successful = data.successful or ()
    return Counts(
        successful=len(successful),
        completed_with_errors=sum(file.status == "completed_with_errors" for file in successful),
        failed=len(data.failed or ()),
        skipped=len(data.skipped or ()),
    )
