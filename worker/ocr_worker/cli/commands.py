"""All commands together, and the one place where an error of theirs becomes a sentence and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO

import typer
from typer._completion_classes import completion_init

from ocr_worker.cli import about_commands, batch, doctor, files_commands, jobs_commands, upkeep_commands
from ocr_worker.cli.common import answer_json
from ocr_worker.cli.exits import CANCELLED, GOOD, INTERNAL, of_error
from ocr_worker.cli.views import say
from ocr_worker.cli.wording import shown
from ocr_worker.errors import JobNotFoundError, OcrError
from ocr_worker.logs import Stderr, log_to

log = logging.getLogger(__name__)

HELP = """Searchable PDFs, text and word boxes from scans.

Without any argument this is the worker that apps talk to over stdin and stdout (docs/protocol.md)."""


def run(arguments: list[str]) -> int:
    """Do what the arguments ask for; the exit code. One of the places that catch everything."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail(stream)
    completion_init()
    log_to(Stderr(2), os.environ.get("OCR_WORKER_LOG", "CRITICAL").upper())
    try:
        typer.main.get_command(_make_app()).main(arguments, prog_name="ocr-worker")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else INTERNAL
    except KeyboardInterrupt:
        return CANCELLED
    except OcrError as error:
        log.debug("%s", error.message, exc_info=True)
        say(f"ocr-worker: {shown(_advised(error))}")
        if "--json" in arguments:
            answer_json({"error": {"code": error.code, "message": _advised(error)}})
        return of_error(error)
    except Exception as error:
        log.debug("the command failed", exc_info=True)
        say(
            f"ocr-worker: this should not have happened ({type(error).__name__}: {shown(error)}). OCR_WORKER_LOG=DEBUG says more."
        )
        return INTERNAL
    return GOOD


def _make_app() -> typer.Typer:
    app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
    app.command("batch")(batch.batch)
    jobs_commands.add_to(app)
    upkeep_commands.add_to(app)
    files_commands.add_to(app)
    app.command("doctor")(doctor.doctor)
    about_commands.add_to(app)
    return app


def _advised(error: OcrError) -> str:
    if isinstance(error, JobNotFoundError):
        return error.message.replace("list_jobs names", "`ocr-worker jobs` lists")
    return error.message


def _never_fail(stream: TextIO) -> None:
    """A name that the terminal's encoding lacks is shown escaped."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
