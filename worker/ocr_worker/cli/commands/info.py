"""Commands about the program itself: schema, version, completion."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import typer
from typer import Argument
from typer._completion_shared import get_completion_script

from ocr_protocol import PROTOCOL
from ocr_worker import __version__
from ocr_worker.cli.display import answer
from ocr_worker.cli.exit_codes import GOOD
from ocr_worker.cli.options import JsonOption, answer_json
from ocr_worker.cli.typer_options import options_from
from ocr_worker.engines.ocr.registry import all_engines
from ocr_worker.jobs.capabilities import library_versions

COMPLETE_VARIABLE = "_OCR_WORKER_COMPLETE"
"""By this the shell asks for completions."""
# With no argument we are the stdio worker, so the shells are to ask `ocr-worker complete`.
_ASKS = re.compile(r"(complete_bash \$1|complete_zsh ocr-worker|-cp\) ocr-worker|ocr-worker(?= \|))")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (schema, version, completion):
        app.command(command.__name__)(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaOptions(JsonOption):
    part: Annotated[Literal["commands", "events"] | None, Argument(help="Default: both.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionOptions(JsonOption):
    shell: Annotated[Literal["bash", "zsh", "fish", "powershell"], Argument()]


@options_from(SchemaOptions)
def schema(options: SchemaOptions) -> int:
    """Print the JSON Schema of commands and events."""
    from ocr_protocol.schema import documents  # brings pydantic, which no other command needs

    schemas = documents()
    answer_json(schemas[options.part] if options.part else schemas)
    return GOOD


@options_from(JsonOption)
def version(options: JsonOption) -> int:
    """Show the versions of ocr-worker and its libraries."""
    versions = {
        "ocr-sidecar": __version__,
        "python": sys.version.split()[0],
        **library_versions(all_engines()),
    }
    if options.as_json:
        answer_json({"protocol": PROTOCOL, "versions": versions})
    else:
        answer("\n".join(f"{name} {value}" for name, value in versions.items()))
    return GOOD


@options_from(CompletionOptions)
def completion(options: CompletionOptions) -> int:
    """Print a completion script for a shell: eval "$(ocr-worker completion bash)"."""
    shell = "pwsh" if options.shell == "powershell" else options.shell
    script = get_completion_script(prog_name="ocr-worker", complete_var=COMPLETE_VARIABLE, shell=shell)
    script = _ASKS.sub(r"\1 complete", script)
    if options.as_json:
        answer_json({"shell": options.shell, "script": script})
    else:
        answer(script)
    return GOOD
