"""Settings from YAML files and OCR_WORKER_… variables. Options of the command line override them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.cli.terminal_text import flat
from ocr_worker.errors import InvalidParamsError
from ocr_worker.model.option_kinds import Choice, Flag, FolderPath, Number, Option
from ocr_worker.model.option_table import accepted, options

PREFIX = "OCR_WORKER_"
RETENTION, INTERVAL = "manifest_retention_days", "progress_update_interval"
CLUSTER = "cluster"
_FILE = FolderPath("the path of a file")
_OWN = {
    RETENTION: Option(
        Number(0, 1_000_000, "days"), "age from which `cleanup` removes finished jobs", default=30.0
    ),
    INTERVAL: Option(
        Number(0.1, 3600, "seconds"), "least time between two updates of the display", default=0.1
    ),
    **{
        f"{CLUSTER}{name}": option
        for name, option in {
            "": Option(
                FolderPath("the address of a Dask scheduler"), "Dask scheduler to whose nodes pages go"
            ),
            "_tls_ca": Option(_FILE, "certificate of the authority that both sides trust"),
            "_tls_cert": Option(_FILE, "certificate of this side"),
            "_tls_key": Option(_FILE, "key of that certificate"),
            "_insecure": Option(Flag(), "do without TLS though the way leaves this machine", default=False),
            "_inline": Option(
                Flag(), "send small files of one page along, for nodes without them", default=False
            ),
            "_on_no_nodes": Option(
                Choice(("local", "wait")), "who reads while there is no node", default="local"
            ),
        }.items()
    },
}
"""Keys that only the command line has."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings from files and variables."""

    options: Mapping[str, object] = field(default_factory=dict)
    """Options of a batch by name, only those that are set."""
    manifest_retention_days: float = _OWN[RETENTION].default
    progress_update_interval: float = _OWN[INTERVAL].default
    cluster: Mapping[str, Any] = field(default_factory=dict)
    """What is said of a cluster, by its keys."""


def keys() -> dict[str, Option]:
    """The keys of a configuration file; each has a variable OCR_WORKER_<KEY>."""
    return {option.config_key: option for option in options().values() if option.config_key} | _OWN


def read_configuration(given: Path | None) -> Configuration:
    """Read the configuration: environment, then `given`, then the user's file, then defaults.

    Raises:
        UsageError: a file is not there, is no YAML, or holds a key or value that is none; the message names it.
    """
    if given is not None and not given.is_file():
        raise UsageError(f"There is no configuration file {given}.")
    found = dict[str, Any]()
    for file in (user_file(), given):
        if file is not None and file.is_file():
            found |= _checked(_in_file(file), f"{file}: {{}}".format)
    found |= _checked(_in_environment(), _variable)
    own = {key: found.pop(key) for key in _OWN if key in found}
    cluster = {key: own.pop(key) for key in list(own) if key.startswith(CLUSTER)}
    return Configuration({keys()[key].name: value for key, value in found.items()}, **own, cluster=cluster)


def user_file() -> Path:
    """The path of the user's configuration file."""
    return Path(platformdirs.user_config_dir("ocr-sidecar", appauthor=False)) / "config.yaml"


def _in_file(file: Path) -> dict[Any, Any]:
    import yaml  # takes a while, and most have no file

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, ValueError) as error:
        raise UsageError(f"{file} can't be read as YAML keys and values: {flat(error)}.") from error
    if not isinstance(content, dict | None):
        raise UsageError(f"{file} can't be read as YAML keys and values: it holds none.")
    if unknown := [key for key in content or {} if key not in keys()]:
        raise UsageError(f"{file}: there is no key {unknown[0]!r}. The keys are {', '.join(keys())}.")
    return content or {}


def _in_environment() -> dict[str, Any]:
    """Read a variable; an empty value counts as unset."""
    said = {key: os.environ.get(_variable(key)) for key in keys()}
    return {key: _scalar(text) for key, text in said.items() if text}


def _variable(key: str) -> str:
    return f"{PREFIX}{key.upper()}"


def _scalar(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _checked(values: Mapping[str, object], spelled: Callable[[str], str]) -> dict[str, object]:
    try:
        return {key: accepted(keys()[key], value, spelled(key)) for key, value in values.items()}
    except InvalidParamsError as error:
        # It names the key or variable that was written, not a flag.
        raise UsageError(error.message) from error
