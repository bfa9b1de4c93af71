"""What an app carries and gets: our worker beside tesseract.js, in one run over the same scans."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import contenders, jobs
from bench.contenders import FROZEN, TESSERACT_JS, Contender
from bench.jobs import Effort, Job
from bench.meter import measure as run
from bench.pairs import Row, race

SCANS = 10
OURS, THEIRS = "OCR Sidecar", "tesseract.js"


@dataclass(frozen=True, slots=True)
class Figures:
    row: Row
    versions: dict[str, str]
    sizes: dict[str, int]
    """Bytes of files that an app has to carry, by contender; that of ours where it was built."""
    packed: int | None
    """Of our archive."""
    documents: dict[str, str]
    """What became of a PDF of one scan."""


def missing() -> str | None:
    """What this machine lacks, after what can be installed by the lock file was."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            return command
    install = ["npm", "ci", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    if not (TESSERACT_JS / "node_modules").exists() and subprocess.call(install, cwd=TESSERACT_JS) != 0:
        return "tesseract.js, which npm could not install"
    return None


def measure(effort: Effort) -> Figures:
    """With the frozen worker where it was built, as an app carries that; else with the installed one."""
    ours = contenders.ours_frozen if FROZEN.exists() else contenders.ours
    rivals: dict[str, Contender] = {OURS: ours, THEIRS: contenders.tesseract_js}
    scans = jobs.scan_job("ten-scans", effort, effort.pages(SCANS))
    row = race(scans, rivals, effort.folder, effort.rounds)
    document = jobs.book_job("document", effort, 1)
    archive = FROZEN / "ocr-worker.tar.xz"
    sizes = {OURS: _bytes(FROZEN / "ocr-worker"), THEIRS: _bytes(TESSERACT_JS / "node_modules")}
    return Figures(
        row,
        {"tesseract.js": _version("tesseract.js"), "its core": _version("tesseract.js-core")},
        {name: size for name, size in sizes.items() if size},
        archive.stat().st_size if archive.exists() else None,
        {name: _try(rivals[name], document, effort.folder / "document") for name in rivals},
    )


def _try(contender: Contender, document: Job, folder: Path) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        run(contender(document.files, folder), folder.with_suffix(".log"))
    except RuntimeError as error:
        said = re.search(r"Error[^\n]*", str(error))
        return f"fails: {said[0].strip() if said else error}"
    return "searchable PDF" if (folder / document.files[0].with_suffix(".pdf").name).exists() else "no PDF"


def _version(package: str) -> str:
    described = (TESSERACT_JS / "node_modules" / package / "package.json").read_text(encoding="utf-8")
    return str(json.loads(described)["version"])


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def table(figures: Figures) -> str:
    """As a table of Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in _rows(figures))


def _rows(figures: Figures) -> Iterable[Iterable[str]]:
    row = figures.row
    names = list(row.runs)
    yield ["", *names]
    yield ["---"] * (len(names) + 1)
    yield ["a PDF goes in", *(figures.documents[name] for name in names)]
    yield [f"pages a second, {row.pages} scans", *(f"{row.pages_per_second(name):.2f}" for name in names)]
    yield ["CPU seconds a page", *(f"{row.cpu_seconds_per_page(name):.2f}" for name in names)]
    yield ["peak memory, MB", *(f"{row.peak_mb(name):.0f}" for name in names)]
    yield ["character errors, %", *(f"{row.texts[name].cer:.2f}" for name in names)]
    yield ["found in the PDF's text layer, F1", *(_layer(row, name) for name in names)]
    yield ["PDF larger than the scan, KiB a page", *(_growth(row, name) for name in names)]
    yield ["files to carry, MB", *(_carried(figures, name) for name in names)]


def _layer(row: Row, name: str) -> str:
    return f"{row.layers[name].f1:.2f}" if name in row.layers else "no PDF"


def _growth(row: Row, name: str) -> str:
    return f"{row.growth[name] / 1024:+.1f}" if name in row.growth else "no PDF"


def _carried(figures: Figures, name: str) -> str:
    if name not in figures.sizes:
        return "not built: make sidecar"
    packed = f" (packed {figures.packed / 1e6:.0f})" if name == OURS and figures.packed else ""
    return f"{figures.sizes[name] / 1e6:.0f}{packed}"
