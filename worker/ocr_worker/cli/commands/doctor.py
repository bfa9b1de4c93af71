"""`doctor`: check what this machine has and lacks, then draw a line of text and read it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ocr_worker import __version__
from ocr_worker.cli.commands.cluster import nodes_of
from ocr_worker.cli.display import PlainView, answer
from ocr_worker.cli.exit_codes import GOOD, SOME_FAILED
from ocr_worker.cli.options import JsonOption, answer_json, worker_settings
from ocr_worker.cli.runner import JobRunner, Signals, apart
from ocr_worker.cli.terminal_text import count
from ocr_worker.cli.typer_options import options_from
from ocr_worker.engines.ocr.registry import all_engines, choose, installed_languages
from ocr_worker.engines.ocr.second_reader import NAME as SECOND_READER
from ocr_worker.engines.pdf.pypdf_check import text_of
from ocr_worker.errors import EngineMissingError, OcrError
from ocr_worker.files.commands import find_command
from ocr_worker.files.installation import is_frozen, to_have
from ocr_worker.jobs.capabilities import library_versions, package_version
from ocr_worker.jobs.one_off import failed
from ocr_worker.jobs.requests import Asked, job_request
from ocr_worker.model.options import JobOptions, PageSettings
from ocr_worker.model.tasks import Warmed, WarmTask
from ocr_worker.processes import sandbox
from ocr_worker.settings import MIB, PROVIDERS, ClusterSettings, Settings, provider
from ocr_worker.store.job_store import open_store

TEST_LINE = "Sphinx of black quartz judge my vow"
SHORT_OF_SPACE_BYTES = 500 * MIB
MOST_SECONDS_TO_LOAD = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. If a required one fails, nothing works."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
    required: bool = True


@options_from(JsonOption)
def doctor(options: JsonOption) -> int:
    """Check engines, languages, renderers and folders, and read a line of text."""
    settings, findings = worker_settings(), []
    for finding in _examine(settings):
        findings.append(finding)
        if not options.as_json:
            answer(_row(finding))
    healthy = all(finding.ok for finding in findings if finding.required)
    if options.as_json:
        answer_json({"healthy": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        answer(
            "Everything works."
            if healthy
            else "Something needed is missing; see the lines marked with an arrow."
        )
    return GOOD if healthy else SOME_FAILED


def _examine(settings: Settings) -> Iterator[Finding]:
    yield Finding(
        "ocr-sidecar",
        ok=True,
        detail=f"{__version__}{', frozen' if is_frozen() else ''}, Python {sys.version.split()[0]}, {platform.platform()}",
    )
    yield from _engines()
    yield from _languages()
    yield from _renderers()
    yield _sandbox()
    yield from _state_folder(settings)
    if settings.cluster is not None:
        yield _cluster(settings.cluster)
    yield from _self_test(settings)


def _engines() -> Iterator[Finding]:
    engines = all_engines()
    versions = library_versions(engines)
    usable = [package_version(found, versions) for found in engines if found.usable]
    ways = ", or ".join(found.probe.lacks for found in engines if found.probe.lacks)
    yield Finding(
        "engines", ok=bool(usable), detail=", ".join(usable) or "none", advice="" if usable else ways
    )
    for found in engines:
        detail = f"{package_version(found, versions)} {found.probe.place}".strip()
        advice = found.probe.lacks and f"{found.worth}: {found.probe.lacks}"
        yield Finding(
            f"engine {found.name}", ok=found.usable,
            detail=detail if found.usable else "broken" if found.fault else "not found",
            advice=found.fault or advice, required=False,
        )  # fmt: skip


def _languages() -> Iterator[Finding]:
    codes = installed_languages()
    try:
        way = choose(PageSettings()).hints.more_languages
    except EngineMissingError:
        way = ""
    yield Finding(
        "languages", ok=bool(codes), detail=", ".join(codes) or "none", advice=way and f"for more, {way}"
    )


def _renderers() -> Iterator[Finding]:
    version = library_versions(()).get("pypdfium2")
    advice = "" if version else to_have("pypdfium2")
    yield Finding("renderer pdfium", ok=version is not None, detail=version or "not found", advice=advice)
    poppler = find_command("pdftoppm")
    yield Finding(
        "renderer poppler", ok=poppler is not None, detail=str(poppler or "not found"), required=False,
        advice="" if poppler else "optional, for pages that pdfium can't draw: install poppler-utils",
    )  # fmt: skip


def _sandbox() -> Finding:
    """How tightly this machine can hold what opens the files."""
    lacking = sandbox.lacking()
    if not lacking:
        detail = "page processes start no programs, open no connections, and write where outputs go alone"
        return Finding("sandbox", ok=True, detail=detail, required=False)
    newer = "a newer kernel has it, unless a container forbids it; until then, "
    advice = f"{newer if sys.platform == 'linux' else ''}no files from strangers"
    return Finding("sandbox", ok=False, detail=f"lacks {'; '.join(lacking)}", advice=advice, required=False)


def _state_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.state_dir
    try:
        with open_store(folder) as store:
            detail = f"{folder}, {count(store.job_count(None), 'job')}"
    except OcrError as error:
        yield Finding("state folder", ok=False, detail=str(folder), advice=error.message)
        return
    yield Finding("state folder", ok=True, detail=detail)
    free = shutil.disk_usage(folder).free
    advice = "" if free >= SHORT_OF_SPACE_BYTES else "make room, or set OCR_WORKER_STATE_DIR"
    yield Finding("free space", ok=not advice, detail=f"{free // MIB:,} MiB", advice=advice, required=False)


def _cluster(cluster: ClusterSettings) -> Finding:
    """Whether its scheduler answers, and who is there."""
    try:
        nodes = nodes_of(cluster)
    except OcrError as error:
        return Finding("cluster", ok=False, detail=cluster.address, advice=error.message, required=False)
    reading = [node for node in nodes if not node.refused]
    slots = sum(node.slots for node in reading)
    detail = f"{cluster.address}, {count(len(reading), 'node')}, {count(slots, 'slot')}"
    refused = "; ".join(f"{node.name} gets no pages: {node.refused}" for node in nodes if node.refused)
    advice = refused or ("" if reading else "start nodes: ocr-worker node ADDRESS")
    return Finding("cluster", ok=bool(reading), detail=detail, advice=advice, required=False)


def _self_test(settings: Settings) -> Iterator[Finding]:
    """From a PDF whose line of text is to be read off its picture, to what stands in the outputs."""
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="ocr-worker-") as scratch:
            tested = _recognise_test_line(settings, Path(scratch))
            seconds = time.monotonic() - start
            read = Path(tested.outputs["txt"]).read_text(encoding="utf-8").strip()
            found = text_of(Path(tested.outputs["pdf"])).count(TEST_LINE)
    except OcrError as error:
        yield Finding("self-test", ok=False, detail="nothing could be read", advice=error.message)
        return
    advice = "" if read == TEST_LINE else "the language data may be damaged: install it again"
    yield Finding(
        "self-test", ok=not advice, detail=f"{tested.engine} read {read!r} in {seconds:.1f} s", advice=advice
    )
    if tested.engine != (chosen := choose(_settings_of_test()).name):
        detail = f"fails, {tested.engine} reads"
        advice = f"pages take longer: {tested.said}"
        yield Finding(f"loading {chosen}", ok=False, detail=detail, advice=advice, required=False)
    elif (wanted := provider()) != PROVIDERS[0]:
        detail = "lines are read on it" if tested.is_on_provider else "fails, the CPU reads"
        yield Finding(
            f"provider {wanted}", ok=tested.is_on_provider, detail=detail, advice=tested.said, required=False
        )
    if tested.second_reader_lacks:
        detail, advice = "fails, pages are read once", tested.second_reader_lacks
        yield Finding(f"loading {SECOND_READER}", ok=False, detail=detail, advice=advice, required=False)
    # The page's own line gave way to its picture.
    advice = "" if found == 1 else "the PDF libraries may be damaged: install pikepdf and pypdf again"
    yield Finding(
        "searchable PDF",
        ok=not advice,
        detail=f"pypdf finds the layer {count(found, 'time')}",
        advice=advice,
    )


@dataclass(frozen=True, slots=True)
class _Tested:
    outputs: dict[str, str]
    """Output kind to path."""
    engine: str
    is_on_provider: bool
    """Whether it ran on what OCR_WORKER_PROVIDER names."""
    said: str
    """Why it is another engine than the chosen one, or why it ran elsewhere."""
    second_reader_lacks: str
    """Why the second reader that is installed can't be loaded."""


def _recognise_test_line(settings: Settings, scratch: Path) -> _Tested:
    page = scratch / "line.pdf"
    page.write_bytes(_one_line_pdf(TEST_LINE))
    chosen = JobOptions(page=_settings_of_test(), max_workers=1)
    request = job_request(Asked((os.fspath(page),), os.fspath(scratch / "out"), chosen))
    with (
        Signals() as signals,
        JobRunner(replace(apart(settings, scratch / "state"), cluster=None), signals) as runner,
    ):
        result = runner.batch(request, PlainView("quiet"))
        if not result.successful:
            error = result.failed[0].error if result.failed else None
            raise OcrError(error.message if error else "The test was cancelled.")
        outputs = dict(result.successful[0].outputs)
        results = json.loads(Path(outputs["json"]).read_bytes())
        engine = results["engine"]
        is_on_provider = provider() == PROVIDERS[0] or results["engine_version"].endswith(f" on {provider()}")
        is_as_wanted = engine == choose(chosen.page).name and is_on_provider
        said = "" if is_as_wanted else _what_it_says(runner)
        return _Tested(outputs, engine, is_on_provider, said, _what_second_reader_lacks(runner))


def _what_second_reader_lacks(runner: JobRunner) -> str:
    if not any(found.name == SECOND_READER and found.usable for found in all_engines()):
        return ""
    task = WarmTask(PageSettings(engine=SECOND_READER), with_engine=True)
    loaded = runner.runtime.ask(task, MOST_SECONDS_TO_LOAD).result()
    if isinstance(loaded, Warmed):
        return ""
    return failed(loaded, "the second reader", MOST_SECONDS_TO_LOAD).message


def _what_it_says(runner: JobRunner) -> str:
    task = WarmTask(_settings_of_test(), with_engine=True)
    loaded = runner.runtime.ask(task, MOST_SECONDS_TO_LOAD).result()
    if not isinstance(loaded, Warmed):
        raise failed(loaded, "the engine", MOST_SECONDS_TO_LOAD)
    return loaded.news.partition("\n")[0]


def _settings_of_test() -> PageSettings:
    codes = installed_languages()
    language = "eng" if "eng" in codes else next(iter(codes), "eng")
    return PageSettings(languages=(language,), existing_text="force", outputs=("pdf", "txt", "json"))


def _one_line_pdf(line: str) -> bytes:
    """A PDF page with one line of text."""
    content = f"BT /F 24 Tf 40 50 Td ({line}) Tj ET"
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 120]/Contents 5 0 R/Resources<</Font<</F 4 0 R>>>>>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
    )
    text, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    start = len(text)
    text += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
    return (text + f"<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").encode("ascii")


def _row(finding: Finding) -> str:
    mark = "ok" if finding.ok else "MISSING" if finding.required else "-"
    advice = f"\n{'':8} → {finding.advice}" if finding.advice else ""
    return f"{mark:8} {finding.name}: {finding.detail}{advice}"
