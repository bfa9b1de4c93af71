"""Options that several commands share."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from ocr_protocol.paths import path_to_wire
from ocr_worker.cli.config import Configuration, read_configuration
from ocr_worker.cli.display import Loudness, answer
from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.cli.hooks import require_target
from ocr_worker.settings import ClusterSettings, Settings, TlsFiles, settings_from_environment, tls_files

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
class TlsOptions(JsonOption):
    """How a scheduler is reached."""

    tls_ca: Annotated[Path | None, Option(metavar="FILE", help="Cluster: the authority's certificate.")] = (
        None
    )
    tls_cert: Annotated[Path | None, Option(metavar="FILE", help="Cluster: this side's certificate.")] = None
    tls_key: Annotated[Path | None, Option(metavar="FILE", help="Cluster: its key.")] = None
    insecure: Annotated[
        bool, Option("--insecure", help="Cluster: do without TLS though the way leaves this machine.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(TlsOptions):
    """Options of all commands that run a job."""

    cluster: Annotated[
        str | None,
        Option(metavar="ADDRESS", help="A Dask scheduler, to whose nodes pages go; docs/cluster.md."),
    ] = None
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


def job_settings(options: RunOptions, configuration: Configuration) -> Settings:
    """Those of the environment, with the cluster that flags, files or variables name. Raises UsageError."""
    said = dict(configuration.cluster)
    address = options.cluster or said.get("cluster")
    settings = replace(worker_settings(), cluster=None)
    if not address:
        return settings
    tls = chosen_tls(options) or _tls(*(said.get(f"cluster_tls_{name}") for name in ("ca", "cert", "key")))
    cluster = ClusterSettings(
        address,
        tls,
        insecure=options.insecure or bool(said.get("cluster_insecure")),
        inline=bool(said.get("cluster_inline")),
        on_no_nodes=said.get("cluster_on_no_nodes", "local"),
    )
    return replace(settings, cluster=cluster)


def chosen_tls(options: TlsOptions) -> TlsFiles | None:
    """Those of the flags. Raises UsageError for some without the others, and for a file that is not there."""
    return _tls(options.tls_ca, options.tls_cert, options.tls_key)


def _tls(*files: Path | str | None) -> TlsFiles | None:
    ca, cert, key = (Path(file) if file else None for file in files)
    for file in filter(None, (ca, cert, key)):
        if not file.is_file():
            raise UsageError(f"There is no file {file} for the cluster's TLS.")
    try:
        return tls_files(ca, cert, key)
    except ValueError as error:
        raise UsageError(str(error)) from error


def read_password(file: Path | None) -> str | None:
    """The password for protected inputs. It is removed from the environment, so that no child inherits it."""
    word = os.environ.pop(PASSWORD_VARIABLE, None)
    if file is None:
        return word or None
    return first_line(file, "password")


def first_line(file: Path, secret: str) -> str:
    """Of a file that holds a secret. Raises UsageError."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"The {secret} file {file} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The {secret} file {file} can't be read: it is no text in UTF-8.") from error
    if not lines or not lines[0].strip():
        raise UsageError(f"The {secret} file {file} has no first line.")
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
