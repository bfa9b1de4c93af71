"""What a user sets once: YAML files and OCR_WORKER_… variables. A command's own options go before all of it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import yaml
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)

from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.cli.terminal_text import flat


class Configuration(BaseSettings):
    """The keys of a configuration file; each has a variable OCR_WORKER_<KEY>."""

    model_config = SettingsConfigDict(
        env_prefix="OCR_WORKER_", env_ignore_empty=True, extra="forbid", frozen=True
    )

    default_max_workers: int | None = Field(None, ge=1, le=256)
    """Page processes of a batch; one for each core where nothing is said."""
    max_lock_wait_seconds: float = Field(30.0, ge=0, le=86_400)
    """How long a locked input is waited for."""
    manifest_retention_days: float = Field(30.0, ge=0)
    """The age from which `cleanup` removes finished jobs."""
    progress_update_interval: float = Field(0.1, ge=0.1, le=3600)
    """Seconds between two updates of the display, at least."""
    stop_on_error_threshold: float = Field(0.5, gt=0, le=1)
    """The share of failed files that stops a batch."""


def read_configuration(given: Path | None) -> Configuration:
    """Environment before `given` before the user's own file before defaults.

    Raises:
        UsageError: a file is not there, is no YAML, or holds a key or value that is none; the message names it.
    """
    if given is not None and not given.is_file():
        raise UsageError(f"There is no configuration file {given}.")
    files = [file for file in (user_file(), given) if file is not None and file.is_file()]

    class Layered(Configuration):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic passes it by name
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            # The last source goes after the first; of several files the first one given goes before.
            yamls = [YamlConfigSettingsSource(settings_cls, yaml_file=file) for file in reversed(files)]
            return (init_settings, env_settings, *yamls)

    try:
        return Layered()
    except ValidationError as error:
        raise UsageError(_sentence(error, files)) from error
    except (yaml.YAMLError, SettingsError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise UsageError(f"{_names(files)} can't be read as YAML keys and values: {flat(error)}.") from error


def user_file() -> Path:
    """Where the user's own configuration is looked for."""
    return Path(platformdirs.user_config_dir("ocr-sidecar", appauthor=False)) / "config.yaml"


def _sentence(error: ValidationError, files: list[Path]) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        keys = ", ".join(Configuration.model_fields)
        return f"{_names(files)}: there is no key {key!r}. The keys are {keys}."
    variable = f"OCR_WORKER_{key.upper()}"
    where = variable if variable in os.environ else _names(files)
    return f"{where}: {key} can't be {first['input']!r}: {first['msg']}."


def _names(files: list[Path]) -> str:
    return " or ".join(str(file) for file in files)
