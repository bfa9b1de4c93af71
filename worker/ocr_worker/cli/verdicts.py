"""What a dry run found out: a line for each good file, and what all of them need together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ocr_worker.cli.terminal_text import clock, count, shown
from ocr_worker.settings import MIB


def verdicts(result: Mapping[str, Any]) -> Iterator[str]:
    """Lines for people."""
    good = result.get("successful") or ()
    for done in good:
        yield f"  {shown(done['file'])}: {_facts(done)} → {shown(done['output'])}"
        yield from (f"    note: {shown(text)}" for text in done.get("warnings") or ())
    if good:
        yield _needs(good)
    for sentence in dict.fromkeys(done["survey"]["refused"]["message"] for done in good if refused(done)):
        yield f"It would be refused: {sentence}"


def refused(done: Mapping[str, Any]) -> bool:
    """Whether a language or engine that the file would be read with is not there."""
    return bool(done.get("survey") and done["survey"]["refused"])


def _facts(done: Mapping[str, Any]) -> str:
    survey = done["survey"]
    with_text = survey["pages_with_text"]
    traits = [trait for trait in ("encrypted", "signed") if survey[trait]]
    form = [] if survey["form"] == "none" else [f"{survey['form']} form"]
    text = [f"{with_text} with text already"] if with_text else []
    pixels = survey["largest_page_pixels"]
    size = [f"up to {pixels[0]} x {pixels[1]} pixels"] if pixels else []
    missing = [f"no data for {code}" for code, there in survey["languages"].items() if not there]
    return ", ".join([survey["type"], count(done["pages"], "page"), *size, *text, *traits, *form, *missing])


def _needs(good: list[Mapping[str, Any]]) -> str:
    space = sum(done["needed_bytes"] for done in good) / MIB
    free = good[0]["free_bytes"] / MIB
    estimates = [done["estimated_seconds"] for done in good]
    if None in estimates:
        time = "how long it takes is known after the first batch on this machine"
    else:
        time = f"about {clock(sum(estimates))} by this machine's rate so far"
    return f"Needs about {space:,.1f} of {free:,.0f} MiB that are free; {time}."
