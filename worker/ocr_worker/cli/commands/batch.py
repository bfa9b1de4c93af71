"""`batch`: from the options of a command line to jobs of the service; resumed, watched, or done once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from ocr_protocol.paths import path_to_wire
from ocr_worker.cli.commands.jobs import resume_job
from ocr_worker.cli.config import Configuration
from ocr_worker.cli.display import answer, say, view_for
from ocr_worker.cli.ending import breaks_told, end_run
from ocr_worker.cli.exit_codes import GOOD, SOME_FAILED, UsageError
from ocr_worker.cli.inputs import Search, gather
from ocr_worker.cli.lookups import ended_files, last_unfinished, opened_service
from ocr_worker.cli.options import RunOptions, answer_json, read_password, worker_settings
from ocr_worker.cli.runner import Desk, Signals
from ocr_worker.cli.terminal_text import in_terms_of_options, parts, shown
from ocr_worker.cli.typer_options import takes
from ocr_worker.cli.watch import watch
from ocr_worker.errors import InvalidParamsError
from ocr_worker.jobs.requests import make_request
from ocr_worker.model.jobs import JobRequest
from ocr_worker.store.records import StoredJob

Switch = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommand(RunOptions):
    """Each option's default is the wire's, unless configuration says otherwise."""

    paths: Annotated[
        list[Path] | None, Argument(metavar="PATHS", help="Files, and folders to be searched through.")
    ] = None
    input_dir: Annotated[
        list[Path] | None, Option(metavar="DIR", help="A folder to be searched through; may be repeated.")
    ] = None
    input_files: Annotated[list[Path] | None, Option(metavar="FILE", help="A file; more may follow it.")] = (
        None
    )
    include: Annotated[
        list[str] | None, Option(metavar="GLOB", help="Of folders only files like this; may be repeated.")
    ] = None
    exclude: Annotated[
        list[str] | None,
        Option(metavar="GLOB", help="Of folders no files or folders like this; may be repeated."),
    ] = None
    output_dir: Annotated[
        Path | None, Option("--output-dir", "-o", help="Where outputs go; made if missing.")
    ] = None
    dry_run: Annotated[bool, Option("--dry-run", help="Look at all files, write nothing.")] = False
    resume: Annotated[
        bool, Option("--resume", help="Go on with the last unfinished batch of the output folder.")
    ] = False
    batch_id: Annotated[str | None, Option(metavar="ID", help="With --resume: this batch.")] = None
    watch: Annotated[bool, Option("--watch", help="Keep the folders done until Ctrl-C.")] = False
    languages: Annotated[
        list[str] | None, Option("--languages", "-l", metavar="CODES", help="Such as eng or deu+eng.")
    ] = None
    engine: Annotated[
        str | None, Option(metavar="NAME", help="Which recognises, of those that doctor lists; default auto.")
    ] = None
    outputs: Annotated[
        list[str] | None,
        Option(
            metavar="KINDS",
            help="Of pdf,txt,json,hocr,alto; default pdf,txt,json; json is always among them.",
        ),
    ] = None
    dpi: Annotated[int | None, Option(help="Resolution to recognise at, instead of each page's own.")] = None
    on_existing: Annotated[
        Literal["skip", "overwrite", "suffix"] | None,
        Option(help="What to do where outputs exist; default skip."),
    ] = None
    existing_text: Annotated[
        Literal["skip", "redo", "force"] | None,
        Option(help="What to do with pages that have text; default skip."),
    ] = None
    rotate_pages: Annotated[Switch | None, Option(help="Turn pages upright; default auto.")] = None
    deskew: Annotated[Switch | None, Option(help="Level skewed pages before reading; default auto.")] = None
    denoise: Annotated[Switch | None, Option(help="Remove speckles before reading; default auto.")] = None
    signed: Annotated[
        Literal["refuse", "unsigned_copy"] | None, Option(help="What to do with signed PDFs; default refuse.")
    ] = None
    drop_protection: Annotated[
        bool, Option("--drop-protection", help="Write PDFs of protected inputs without their password.")
    ] = False
    max_workers: Annotated[int | None, Option(metavar="N", help="Page processes at once.")] = None
    max_lock_wait: Annotated[
        float | None, Option(metavar="SECONDS", help="How long to wait for a locked input.")
    ] = None
    page_timeout: Annotated[float | None, Option(metavar="SECONDS", help="Most time for a page.")] = None
    file_timeout: Annotated[
        float | None, Option(metavar="SECONDS", help="Most time without a finished page.")
    ] = None
    retries: Annotated[int | None, Option(metavar="N", help="Further tries of what may pass.")] = None
    stop_on_error_threshold: Annotated[
        float | None, Option(metavar="SHARE", help="Stop at this share of failed files; 1 never stops.")
    ] = None
    pages_per_minute: Annotated[
        float | None, Option(metavar="N", help="At most so many, to keep the machine cool.")
    ] = None
    max_pixels: Annotated[int | None, Option(metavar="N", help="Refuse larger pages.")] = None
    tessdata_dir: Annotated[Path | None, Option(help="Look for language data here alone.")] = None


@takes(BatchCommand)
def batch(options: BatchCommand) -> int:
    """Recognise files and folders of files into searchable PDFs, text and word boxes."""
    configuration = options.check()
    _refuse_contradictions(options)
    if options.resume:
        return _resume(options)
    if options.output_dir is None:
        raise UsageError("No output directory provided: name one with --output-dir.")
    with (
        Signals() as signals,
        Desk(worker_settings(), signals, configuration.progress_update_interval) as desk,
    ):
        order = Order(options, configuration, read_password(options.password_file), desk, signals)
        return watch(order.find, order.do, desk.rest, signals) if options.watch else order.do(order.find())[0]


@dataclass(frozen=True, slots=True)
class Order:
    """What one command line asks for, once or, when it watches, again and again."""

    options: BatchCommand
    configuration: Configuration
    password: str | None
    desk: Desk
    signals: Signals
    unread: set[str] = field(default_factory=set)
    """Folders that could not be searched; each is told once."""

    def find(self) -> list[str]:
        """The inputs as they are now."""
        options = self.options
        search = Search(options.output_dir, options.include or (), options.exclude or ())
        paths = [*(options.input_files or ()), *(options.paths or ())]
        files = gather(options.input_dir or (), paths, search)
        for folder in dict.fromkeys(search.unread):
            if folder not in self.unread:
                say(f"Not searched, as it can't be read: {shown(folder)}")
        self.unread.update(search.unread)
        return files

    def do(self, files: list[str]) -> tuple[int, set[str]]:
        """One batch; its exit code, and the files that have ended for good."""
        if not files:
            return self._code(self._nothing()), set()
        request = self._request(files)
        with breaks_told(self.options):
            job_id, result = self.desk.batch(request, view_for(self.options.loudness))
        code = self._code(end_run(self.options, job_id, result, self.signals.heard))
        return code, ended_files(self.desk.service.store, job_id)

    def _code(self, code: int) -> int:
        """What lies in a folder that can't be read has failed as well."""
        return SOME_FAILED if code == GOOD and self.unread else code

    def _request(self, files: list[str]) -> JobRequest:
        try:
            return make_request(files, str(self.options.output_dir), self._batch_options(files))
        except InvalidParamsError as error:
            raise UsageError(in_terms_of_options(error.message)) from error

    def _nothing(self) -> int:
        if self.options.as_json:
            answer_json(None)
        elif not self.options.quiet:
            answer("Nothing to do: there is no PDF or image in the folders.")
        return GOOD

    def _batch_options(self, files: list[str]) -> dict[str, Any]:
        given, settings = self.options, self.configuration
        chosen = {
            **{name: getattr(given, name) for name in _AS_THEY_ARE},
            "languages": parts(given.languages, "+"),
            "outputs": _with_results(parts(given.outputs, ",")),
            "page_timeout_seconds": given.page_timeout,
            "file_timeout_seconds": given.file_timeout,
            "max_workers": _first(given.max_workers, settings.default_max_workers),
            "max_lock_wait_seconds": _first(given.max_lock_wait, settings.max_lock_wait_seconds),
            "stop_on_error_threshold": _first(
                given.stop_on_error_threshold, settings.stop_on_error_threshold
            ),
            "tessdata_dir": path_to_wire(str(given.tessdata_dir)) if given.tessdata_dir else None,
            "keep_protection": not given.drop_protection,
            "passwords": {path_to_wire(file): self.password for file in files} if self.password else None,
        }
        return {name: value for name, value in chosen.items() if value is not None}


_AS_THEY_ARE = (
    "engine", "dpi", "on_existing", "existing_text", "rotate_pages", "deskew", "denoise", "signed", "retries",
    "pages_per_minute", "max_pixels", "dry_run",
)  # fmt: skip


def _refuse_contradictions(options: BatchCommand) -> None:
    inputs = options.paths or options.input_dir or options.input_files
    if options.batch_id is not None and not options.resume:
        raise UsageError("--batch-id goes with --resume.")
    if options.watch and (options.resume or options.dry_run):
        raise UsageError("--watch goes neither with --resume nor with --dry-run.")
    if options.resume and (ignored := _ignored_by_resume(options)):
        raise UsageError(
            f"--resume goes on with a batch's own files and options: leave out {', '.join(ignored)}. "
            "With it go --batch-id, --output-dir, --password-file, --on-finish, --config, --verbose, --quiet, --json."
        )
    if not inputs and not options.resume:
        raise UsageError("No files provided for OCR batch processing: name files or folders.")


def _ignored_by_resume(options: BatchCommand) -> list[str]:
    """What was given and would have no effect."""
    return [
        "inputs" if own.name == "paths" else f"--{own.name.replace('_', '-')}"
        for own in fields(BatchCommand)
        if own.name not in _OF_RESUME and getattr(options, own.name) != own.default
    ]


_OF_RESUME = {"resume", "batch_id", "output_dir", *(own.name for own in fields(RunOptions))}


def _resume(options: BatchCommand) -> int:
    with opened_service() as service:
        job_id = options.batch_id or last_unfinished(service, options.output_dir)
        if options.batch_id and options.output_dir:
            _require_folder(service.ledger.get(options.batch_id), options.output_dir)
    if job_id is not None:
        return resume_job(options, job_id)
    if options.as_json:
        answer_json(None)
    else:
        answer("There is no unfinished batch" + (f" of {options.output_dir}." if options.output_dir else "."))
    return GOOD


def _require_folder(job: StoredJob, output_dir: Path) -> None:
    own = os.fsdecode(job.output_path)
    if os.path.realpath(own) != os.path.realpath(output_dir):
        raise UsageError(
            f"Batch {job.job_id} writes into {own}, not into {output_dir}: leave out --output-dir."
        )


def _with_results(outputs: list[str] | None) -> list[str] | None:
    """The results are always written: they alone tell the next run whose a name is, and what is an output of ours."""
    return [*outputs, "json"] if outputs and "json" not in outputs else outputs


def _first(given: float | None, configured: float | None) -> float | None:
    return configured if given is None else given
