"""Options that several commands share."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from ocr_protocol.paths import path_to_wire
from ocr_worker.cli.config import Configuration, read_configuration
from ocr_worker.cli.display import Loudness, answer
from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.cli.hooks import require_target
from ocr_worker.settings import Settings, settings_from_environment

PASSWORD_VARIABLE = "OCR_WORKER_PASSWORD"  # noqa: S105  # its name, not the word

JobIdArgument = Annotated[str, Argument(metavar="ID", help="The job's id, as `ocr-worker jobs` lists it.")]
PasswordFile = Annotated[
    Path | None,
    Option(help=f"A file whose first line is the password of protected inputs; or set {PASSWORD_VARIABLE}."),
]
ConfigFile = Annotated[Path | None, Option(help="A YAML file with settings; see docs/cli.md.")]
AsJson = Annotated[bool, Option("--json", help="Print JSON on stdout.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonOption:
    as_json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OneJob(JsonOption):
    job_id: JobIdArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(JsonOption):
    """Options of all commands that run a job."""

    config: ConfigFile = None
    password_file: PasswordFile = None
    on_finish: Annotated[
        str | None,
        Option(metavar="URL|COMMAND", help="Post the result to a URL, or run a command with it on stdin."),
    ] = None
    verbose: Annotated[bool, Option("--verbose", "-v", help="Report every file.")] = False
    quiet: Annotated[bool, Option("--quiet", "-q", help="Report failures only.")] = False

    @property
    def loudness(self) -> Loudness:
        return "quiet" if self.quiet else "verbose" if self.verbose else "normal"

    def check(self) -> Configuration:
        """Refuse now what could only fail later; return the configuration. Raises UsageError."""
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose exclude each other.")
        if self.on_finish is not None:
            require_target(self.on_finish)
        return read_configuration(self.config)


def worker_settings() -> Settings:
    """Read folders and limits from the environment. Raises UsageError."""
    try:
        return settings_from_environment()
    except ValueError as error:
        raise UsageError(str(error)) from error


def read_password(file: Path | None) -> str | None:
    """The password for protected inputs. It is removed from the environment, so that no child inherits it."""
    word = os.environ.pop(PASSWORD_VARIABLE, None)
    if file is None:
        return word or None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The password file {file} can't be read: {error}.") from error
    if not lines or not lines[0]:
        raise UsageError(f"The password file {file} has no first line.")
    return lines[0]


def answer_json(value: Any) -> None:
    """One JSON value on stdout, for scripts."""
    answer(json_text(value))


def json_text(value: Any) -> str:
    """JSON in ASCII; a path that is not UTF-8 is a file URI, as it is on the wire."""
    return json.dumps(_writable(value), indent=2)


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return path_to_wire(value)
    if isinstance(value, dict):
        return {name: _writable(part) for name, part in value.items()}
    return [_writable(part) for part in value] if isinstance(value, (list, tuple)) else value
