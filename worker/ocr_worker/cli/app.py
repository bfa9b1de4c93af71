"""All commands together, and the one place that turns their errors into a sentence and an exit code."""

from __future__ import annotations

import errno
import logging
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

import typer
from typer._completion_classes import completion_init

from ocr_worker import __version__
from ocr_worker.cli.commands import (
    batch,
    cluster,
    doctor,
    files,
    info,
    jobs,
    languages,
    licenses,
    maintenance,
    serve,
)
from ocr_worker.cli.commands.serve import StartService
from ocr_worker.cli.display import answer, say, stdout_is_deaf
from ocr_worker.cli.exit_codes import CANCELLED, GOOD, INTERNAL, USAGE, UsageError
from ocr_worker.cli.options import answer_json
from ocr_worker.cli.own_words import told
from ocr_worker.cli.streams import let_go_of_stdout, prepare_streams
from ocr_worker.cli.terminal_text import shown
from ocr_worker.errors import OcrError
from ocr_worker.logs import Stderr, log_to
from ocr_worker.settings import log_level

if TYPE_CHECKING:
    from ocr_worker.model.sharding import OpenShards

# Whichever click typer brings: its error for all that a command line can't mean.
MistypedError = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])
log = logging.getLogger(__name__)

FULL = {errno.ENOSPC, errno.EIO}
HELP = """Searchable PDFs, text and word boxes from scans.

Without any argument this is the worker that apps talk to over stdin and stdout (docs/protocol.md)."""


@dataclass(frozen=True, slots=True)
class OtherFaces:
    """What commands hand over to, as faces don't import each other."""

    start_service: StartService
    """Serves over HTTP until it is told to end."""
    open_shards: OpenShards


def run(arguments: list[str], faces: OtherFaces) -> int:
    """Run a command line; return the exit code. One of the places that catch everything.

    Args:
        arguments: without the program's name.
        faces: what some commands hand over to.
    """
    prepare_streams()
    completion_init()
    try:
        # Until here the entry point took it; from here on what is begun is let go in order.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _start_log()
        return _do(arguments, faces)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else INTERNAL
    except MistypedError as error:
        # A word of the library that checks values, and of nobody's language.
        error.message = error.message.replace("Value error, ", "", 1)
        error.show()
        return _refused(arguments, "invalid_params", error.format_message(), USAGE)
    except OcrError as error:
        log.debug("%s", error.message, exc_info=True)
        # A UsageError is already in the words of the command line.
        sentence = shown(error.message) if isinstance(error, UsageError) else told(error.message)
        say(f"ocr-worker: {sentence}")
        return _refused(arguments, error.code, sentence, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        say("ocr-worker: ended by Ctrl-C.")
        return _refused(arguments, "cancelled", "ended by Ctrl-C.", CANCELLED)
    except Exception as error:
        log.debug("the command failed", exc_info=True)
        sentence = (
            f"internal error ({type(error).__name__}: {shown(error)}). OCR_WORKER_LOG=DEBUG shows more."
        )
        say(f"ocr-worker: {sentence}")
        return _refused(arguments, "internal", sentence, INTERNAL)
    finally:
        # The code stands: a Ctrl-C that comes now must not make a traceback of the interpreter's end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        let_go_of_stdout()


def _start_log() -> None:
    try:
        log_to(Stderr(2), log_level("CRITICAL"))
    except ValueError as error:
        raise UsageError(str(error)) from error


def _do(arguments: list[str], faces: OtherFaces) -> int:
    command = typer.main.get_command(_make_app(faces, arguments[0]))
    _tell_whole(command)
    try:
        return int(command.main(arguments, prog_name="ocr-worker", standalone_mode=False) or GOOD)
    except OSError as error:
        # A help text goes to stdout past `answer`.
        if error.errno in FULL and error.filename is None:
            raise stdout_is_deaf(error) from error
        raise


def _tell_whole(command: object) -> None:
    """Have a list of commands say all of what each does, where click would cut it to a line."""
    for one in getattr(command, "commands", {}).values():
        one.short_help = one.help.partition("\n\n")[0]
        _tell_whole(one)


def _refused(arguments: list[str], code: str, message: str, exit_code: int) -> int:
    """Report an error in JSON if --json was given; return the exit code."""
    words = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in words:
        # A stdout that takes nothing may be what was wrong.
        with suppress(OSError, OcrError):
            answer_json({"error": {"code": code, "message": message}})
    return exit_code


def _say_version(asked: bool) -> None:  # noqa: FBT001  # as typer calls it
    if asked:
        answer(f"ocr-worker {__version__}")
        raise typer.Exit


def _make_app(faces: OtherFaces, first: str) -> typer.Typer:
    """All commands; but for shards, where the first argument names another."""
    app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
    app.callback()(_ocr_worker)
    app.command("batch")(batch.batch)
    jobs.add_to(app)
    maintenance.add_to(app)
    files.add_to(app)
    app.command("doctor")(doctor.doctor)
    languages.add_to(app)
    cluster.add_to(app)
    info.add_to(app)
    app.command("licenses")(licenses.licenses)
    serve.add_to(app, faces.start_service)
    if first not in {command.name for command in app.registered_commands}:
        # To make all its options would hold up every other command.
        from ocr_worker.cli.commands import shards

        shards.add_to(app, faces.open_shards)
    return app


def _ocr_worker(
    *,
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Show the version.")
    ] = False,
) -> None:
    pass
