"""`batch`: turn a command line into jobs; run them once, resume one, or watch folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ocr_worker.cli.commands.jobs import resume_job
from ocr_worker.cli.config import Configuration
from ocr_worker.cli.display import answer, say, view_for
from ocr_worker.cli.exit_codes import GOOD, SOME_FAILED, UsageError
from ocr_worker.cli.inputs import meant, require_all, require_any, some_path
from ocr_worker.cli.lookups import ended_files, last_unfinished, opened_jobs
from ocr_worker.cli.options import RunOptions, answer_json, job_settings, read_password
from ocr_worker.cli.runner import JobRunner, Signals, breaks_told, end_run
from ocr_worker.cli.terminal_text import shown
from ocr_worker.cli.typer_options import BatchOptions, as_flag, options_from
from ocr_worker.cli.watch import watch
from ocr_worker.files.paths import written
from ocr_worker.jobs.folder_search import Search, gather
from ocr_worker.jobs.output_names import SUFFIXES
from ocr_worker.jobs.requests import Asked, job_request, require_languages
from ocr_worker.model.extensions import EXTENSIONS
from ocr_worker.model.jobs import JobRequest
from ocr_worker.model.option_table import make_options
from ocr_worker.model.options import JobOptions
from ocr_worker.store.records import StoredJob

FILE_ENDINGS = {*EXTENSIONS, *(suffix.rpartition(".")[2] for suffix in SUFFIXES.values())}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommand(RunOptions):
    """Options of `batch`; their defaults are those of the wire, or of the configuration."""

    paths: Annotated[
        list[Path] | None, Argument(metavar="PATHS", help="Files, and folders to search.", parser=some_path)
    ] = None
    input_dir: Annotated[
        list[Path] | None,
        Option(metavar="DIR", help="A folder to search; may be repeated.", parser=some_path),
    ] = None
    input_files: Annotated[
        list[Path] | None, Option(metavar="FILE", help="A file; more may follow it.", parser=some_path)
    ] = None
    include: Annotated[
        list[str] | None, Option(metavar="GLOB", help="Only these files of folders; may be repeated.")
    ] = None
    exclude: Annotated[
        list[str] | None,
        Option(metavar="GLOB", help="Not these files or folders; may be repeated."),
    ] = None
    follow_links: Annotated[
        bool, Option("--follow-links", help="Take files and folders of searched folders that are links, too.")
    ] = False
    output_dir: Annotated[
        Path | None,
        Option(
            "--output-dir", "-o", metavar="DIR", help="Where outputs go; made if missing.", parser=some_path
        ),
    ] = None
    resume: Annotated[
        bool, Option("--resume", help="Go on with the last unfinished batch of the output folder.")
    ] = False
    batch_id: Annotated[str | None, Option(metavar="ID", help="With --resume: the batch to resume.")] = None
    watch: Annotated[bool, Option("--watch", help="Process new and changed files until Ctrl-C.")] = False
    given: Annotated[Mapping[str, object], BatchOptions()] = field(default_factory=dict)
    """The given options of the batch by name."""

    @property
    def named(self) -> list[Path]:
        """Files and folders that were named as such."""
        named = (*(self.input_files or ()), *(self.paths or ()))
        return [path for one in named for path in meant(one)]


@options_from(BatchCommand)
def batch(options: BatchCommand) -> int:
    """Turn files and folders into searchable PDFs, text and word boxes."""
    configuration = options.check()
    _refuse_contradictions(options)
    if options.resume:
        return _resume(options)
    if options.output_dir is None:
        raise UsageError("No output directory provided: name one with --output-dir.")
    _refuse_slips(options, options.output_dir)
    chosen = _batch_options(options, configuration)
    with (
        Signals() as signals,
        JobRunner(
            job_settings(options, configuration), signals, configuration.progress_update_interval
        ) as runner,
    ):
        order = Order(options, chosen, read_password(options.password_file), runner, signals)
        if options.watch:
            return watch(order.find, order.do, runner, signals)
        files = runner.look(order.find)
        return runner.ended_by_signal if files is None else order.do(files)[0]


@dataclass(frozen=True, slots=True)
class Order:
    """What a command line asks for, once or, with --watch, again and again."""

    options: BatchCommand
    chosen: JobOptions
    password: str | None
    runner: JobRunner
    signals: Signals
    unread: set[str] = field(default_factory=set)
    """Folders that could not be read; each is reported once."""
    links: set[Path] = field(default_factory=set)
    """Links that were skipped; each is reported once."""
    searched: set[Path] = field(default_factory=set)
    """Folders in which files were found, whatever is there by now."""

    def find(self) -> list[str]:
        """The inputs as they are now."""
        options = self.options
        search = Search(
            options.output_dir, options.include or (), options.exclude or (), options.follow_links
        )
        files = gather(options.input_dir or (), options.named, search)
        for folder in dict.fromkeys(search.unread):
            if folder not in self.unread:
                say(f"Skipped, because it can't be read: {shown(folder)}")
        self.unread.update(search.unread)
        for link in search.links:
            if link not in self.links:
                say(f"Passed over, as it is a link: {shown(link)} (--follow-links takes it)")
        self.links.update(search.links)
        self.searched.update(search.searched)
        return files

    def do(self, files: list[str]) -> tuple[int, set[str]]:
        """Run a batch; return the exit code and the files that have ended for good."""
        if not files:
            return self._code(self._nothing()), set()
        request = self._request(files)
        # Before it is said what else is missing.
        require_languages(request.options)
        if not self.options.input_dir:
            require_any(self.options.named)
        with breaks_told(self.options):
            result = self.runner.batch(request, view_for(self.options.loudness))
        code = self._code(end_run(self.options, result, self.signals.heard))
        ended = self.runner.runtime.call(lambda service: ended_files(service.store, result.job_id))
        return code, ended

    def _code(self, code: int) -> int:
        """Count a folder that can't be read as a failure."""
        return SOME_FAILED if code == GOOD and self.unread else code

    def _request(self, files: list[str]) -> JobRequest:
        sent = tuple(map(written, files))
        passwords = dict.fromkeys(sent, self.password) if self.password else {}
        # Files that were found there are not to become links later.
        fixed = () if self.options.follow_links else tuple(map(written, sorted(self.searched)))
        chosen = replace(self.chosen, no_links_below=fixed)
        return job_request(
            Asked(sent, written(str(self.options.output_dir)), chosen, passwords, spelled=as_flag)
        )

    def _nothing(self) -> int:
        if self.options.as_json:
            answer_json(None)
        elif not self.options.quiet:
            answer("Nothing to do: there is no PDF or image in the folders.")
        return GOOD


def _batch_options(options: BatchCommand, configuration: Configuration) -> JobOptions:
    chosen = make_options({**configuration.options, **options.given}, as_flag)
    page = chosen.page
    # The results are always written: they alone tell the next run whose a name is, and what is an output of ours.
    outputs = tuple(dict.fromkeys([*page.outputs, "json"]))
    return replace(chosen, page=replace(page, outputs=outputs))


def _refuse_contradictions(options: BatchCommand) -> None:
    inputs = options.paths or options.input_dir or options.input_files
    if options.batch_id is not None and not options.resume:
        raise UsageError("--batch-id goes with --resume.")
    if options.watch and (options.resume or "dry_run" in options.given):
        raise UsageError("--watch goes neither with --resume nor with --dry-run.")
    if options.resume and (ignored := _ignored_by_resume(options)):
        raise UsageError(
            f"--resume goes on with a batch's own files and options: leave out {', '.join(ignored)}. "
            "With it go --batch-id, --output-dir, --password-file, --on-finish, --config, --verbose, --quiet, --json."
        )
    if not inputs and not options.resume:
        raise UsageError("No files provided for OCR batch processing: name files or folders.")


def _refuse_slips(options: BatchCommand, output_dir: Path) -> None:
    """What a slip of the pen would otherwise make folders and jobs of, or wait for in silence."""
    if output_dir.suffix[1:].lower() in FILE_ENDINGS and not output_dir.is_dir():
        raise UsageError(
            f"--output-dir names a folder, and {output_dir} looks like a file. Name the folder; outputs are named after their inputs."
        )
    if options.watch:
        places = [*(options.input_dir or ()), *options.named]
        require_all(places)
        if not any(place.is_dir() for place in places):
            raise UsageError(
                f"--watch waits for files in folders, and {places[0]} is a file. Name its folder, or leave out --watch."
            )


def _ignored_by_resume(options: BatchCommand) -> list[str]:
    """Options that were given and would have no effect."""
    own = [
        "inputs" if own.name == "paths" else f"--{own.name.replace('_', '-')}"
        for own in fields(BatchCommand)
        if own.name not in _OF_RESUME and getattr(options, own.name) != own.default
    ]
    return [*own, *map(as_flag, options.given)]


_OF_RESUME = {"resume", "batch_id", "output_dir", "given", *(own.name for own in fields(RunOptions))}


def _resume(options: BatchCommand) -> int:
    with opened_jobs() as jobs:
        job_id = options.batch_id or last_unfinished(jobs.store, options.output_dir)
        if options.batch_id and options.output_dir:
            _require_folder(jobs.get(options.batch_id), options.output_dir)
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
