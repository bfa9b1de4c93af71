"""Commands over one file: inspect, overlay."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ocr_worker.cli.commands.overlay import Wanted, make_overlay
from ocr_worker.cli.display import answer
from ocr_worker.cli.exit_codes import GOOD
from ocr_worker.cli.options import JsonOption, PasswordFile, answer_json, read_password, worker_settings
from ocr_worker.cli.terminal_text import count, shown
from ocr_worker.cli.typer_options import as_flag, options_from
from ocr_worker.jobs.one_off import inspection
from ocr_worker.jobs.runtime import Runtime
from ocr_worker.model.fields import inspection_fields
from ocr_worker.model.option_table import check
from ocr_worker.model.tasks import InspectTask, Source


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("inspect")(inspect)
    app.command("overlay")(overlay)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions(JsonOption):
    file: Annotated[Path, Argument(help="A PDF or an image.")]
    password_file: PasswordFile = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayOptions(JsonOption):
    file: Annotated[Path, Argument(help="A PDF, an image, or its _ocr_results.json.")]
    page: Annotated[int, Option(min=1)] = 1
    output: Annotated[Path | None, Option(help="The PNG; default: NAME_overlay_PAGE.png in this folder.")] = (
        None
    )
    results: Annotated[
        Path | None, Option(help="The _ocr_results.json of the file, if it is not beside it.")
    ] = None
    languages: Annotated[
        list[str] | None,
        Option(
            "--languages", "-l", metavar="CODES", help="Languages, if the page has to be recognised first."
        ),
    ] = None
    password_file: PasswordFile = None


@options_from(FileOptions)
def inspect(options: FileOptions) -> int:
    """Show type, pages and protection of a file, without OCR."""
    source = Source(os.path.abspath(options.file), read_password(options.password_file))  # noqa: PTH100  # links stay
    with Runtime(worker_settings()) as runtime:
        outcome = runtime.ask(InspectTask(source)).result()
    found = inspection(str(options.file), source, outcome)
    if options.as_json:
        answer_json(inspection_fields(found))
        return GOOD
    traits = [trait for trait in ("encrypted", "signed") if getattr(found, trait)]
    form = [] if found.form == "none" else [f"{found.form} form"]
    facts = [found.type, count(found.pages, "page"), count(found.bytes, "byte"), *traits, *form]
    answer(f"{shown(options.file)}: {', '.join(facts)}")
    for number, page in enumerate(found.page_list, 1):
        text = "has text" if page.has_text else "no text"
        answer(f"  page {number}: {page.width_points:g} x {page.height_points:g} points, {text}")
    return GOOD


@options_from(OverlayOptions)
def overlay(options: OverlayOptions) -> int:
    """Draw the word boxes over a page; recognise the page first if there are no results."""
    languages = check("languages", options.languages or ["eng"], as_flag)
    word = read_password(options.password_file)
    wanted = Wanted(options.file, options.page, options.results, languages, word)
    drawn = make_overlay(worker_settings(), wanted, options.output)
    if options.as_json:
        answer_json(drawn)
    else:
        answer(f"{shown(drawn['picture'])}: page {drawn['page']}, {count(drawn['words'], 'word')}")
    return GOOD
