"""`serve`: check what the service was asked for, and start it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from ocr_worker.cli.display import say
from ocr_worker.cli.options import JsonOption, answer_json, first_line, worker_settings
from ocr_worker.cli.typer_options import options_from
from ocr_worker.model.serving import DAY_SECONDS, GIB, MIB, ServiceLimits, ServiceOptions
from ocr_worker.settings import Settings

TOKEN_VARIABLE = "OCR_WORKER_TOKEN"  # noqa: S105  # its name, not the word
StartService = Callable[[ServiceOptions, Settings, Callable[[str], None]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions(JsonOption):
    host: Annotated[str, Option(help="Address to listen on; any but this machine's own needs a token.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765
    token: Annotated[
        str | None,
        Option(help=f"Token of clients. Others see it here; better in a file, or in {TOKEN_VARIABLE}."),
    ] = None
    token_file: Annotated[Path | None, Option(help="A file whose first line is the token.")] = None
    root: Annotated[
        list[Path] | None,
        Option(help="A folder whose files clients may name by path, and write outputs to. Can be repeated."),
    ] = None
    allow_host: Annotated[
        list[str] | None, Option(help="A host name under which a proxy serves it. Can be repeated.")
    ] = None
    max_upload_mib: Annotated[int, Option(min=1, max=2**20, help="Largest file that is taken.")] = 512
    keep_days: Annotated[float, Option(min=0, help="How long uploads and results are kept.")] = 7
    keep_gib: Annotated[
        float, Option(min=0.001, help="Room for uploads and results; the oldest go first.")
    ] = 20
    resume: Annotated[bool, Option("--resume", help="Go on with jobs that were interrupted.")] = False


def add_to(app: typer.Typer, start: StartService) -> None:
    """Register the command."""

    @options_from(ServeOptions)
    def serve(options: ServeOptions) -> int:
        """Serve a page and an HTTP interface, for this machine alone unless there is a token."""

        def ready(address: str) -> None:
            if options.as_json:
                answer_json({"address": address})
            else:
                say(f"Listening on {address} (Ctrl-C ends it)")

        # A service runs for long, and nobody sits before it: what goes wrong is to be found in its log.
        logging.getLogger().setLevel(os.environ.get("OCR_WORKER_LOG", "WARNING").upper())
        return start(_asked(options), worker_settings(), ready)

    app.command("serve")(serve)


def _asked(options: ServeOptions) -> ServiceOptions:
    limits = ServiceLimits(
        upload_bytes=options.max_upload_mib * MIB,
        kept_seconds=options.keep_days * DAY_SECONDS,
        kept_bytes=round(options.keep_gib * GIB),
    )
    return ServiceOptions(
        host=options.host,
        port=options.port,
        token=_token(options),
        roots=tuple(root.absolute() for root in options.root or ()),
        allowed_hosts=tuple(options.allow_host or ()),
        resume=options.resume,
        limits=limits,
    )


def _token(options: ServeOptions) -> str | None:
    """It is removed from the environment, so that no child inherits it."""
    word = os.environ.pop(TOKEN_VARIABLE, None) or options.token
    if options.token_file is None:
        return word
    return first_line(options.token_file, "token").strip()
