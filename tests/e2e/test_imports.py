"""What makes hello fast: a worker that is only spoken to imports none of what pages, jobs and the command line need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from samples import build, save_blank_book, save_text_book
from tests.limits import HANG_SECONDS

WIRE = {
    "annotated_types",
    "ocr_protocol",
    "ocr_worker",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
}
SLOW_STANDARD = {"asyncio", "ctypes", "http", "multiprocessing", "ssl", "unittest", "xml"}
RARELY_NEEDED = {
    "importlib.resources",
    "numpy",
    "statistics",
    "tenacity",
    "typing_extensions",
    "ocr_worker.engines.images.image_files",
    "ocr_worker.engines.images.ink",
    "ocr_worker.engines.images.jpeg_stream",
    "ocr_worker.engines.ocr.registry",
    "ocr_worker.engines.pdf.inline_images",
    "ocr_worker.engines.pdf.salvage",
    "ocr_worker.model.option_kinds",
    "ocr_worker.outputs.content_filter",
    "ocr_worker.outputs.text_layer",
    "ocr_worker.pages.recognition",
    "ocr_worker.settings",
    "PIL.ImageDraw",
}
"""What a page process imports for pages that have words to read, pictures of some kind, damage or layers."""
_IMPORTED = re.compile(r"^import time: .*\| *([\w.]+)$", re.MULTILINE)


def imported(said: str, state: Path, command: tuple[str, ...] = ("-m", "ocr_worker")) -> set[str]:
    """Modules that a process imports while it answers what is said to it, beyond those of any Python."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        input=said, env={**os.environ, "OCR_WORKER_STATE_DIR": str(state)},
        capture_output=True, text=True, timeout=HANG_SECONDS, check=True,
    )  # fmt: skip
    assert done.stdout.count("\n") == said.count("\n")
    return set(_IMPORTED.findall(done.stderr))


def roots(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def packages(modules: set[str]) -> set[str]:
    """Those beside the standard library that there are: some are asked for in vain, and on Windows two threads tear lines."""
    return {name for name in roots(modules) - sys.stdlib_module_names if find_spec(name)}


def test_hello_imports_the_wire_and_the_worker_alone(tmp_path: Path) -> None:
    any_python = imported("", tmp_path, ("-c", "pass"))

    loaded = imported('{"command":"hello"}\n', tmp_path) - any_python

    assert {"ocr_worker.stdio.app", "ocr_protocol.codec"} <= loaded
    assert packages(loaded) <= WIRE
    # The guard, a process of its own, imports that one.
    assert not roots(loaded) & SLOW_STANDARD - {"ctypes"}
    assert not {name for name in loaded if re.match(r"ocr_worker\.cli|ocr_protocol\.schema", name)}
    # What pages hold is for page processes.
    assert "ocr_worker.model.page" not in loaded


def test_what_answers_hello_knows_of_no_jobs(tmp_path: Path) -> None:
    answer = (
        "import ocr_worker.stdio.app, sys;"
        " from ocr_protocol.commands import Hello; from ocr_worker.settings import settings_from_environment;"
        " print(ocr_worker.stdio.app.hello.answer(Hello(command='hello'), settings_from_environment()).command)"
    )

    loaded = imported(f"{answer}\n", tmp_path, ("-",))

    assert "ocr_worker.stdio.hello" in loaded
    assert not loaded & {"sqlite3", "ocr_worker.jobs.service", "ocr_worker.model.results", "ocr_worker.store"}
    # On Windows the guard is in the worker, and has that one.
    assert "ctypes" not in loaded or sys.platform == "win32"


def test_ping_imports_what_reads_memory_besides(tmp_path: Path) -> None:
    hello = imported('{"command":"hello"}\n', tmp_path)

    loaded = imported('{"command":"hello"}\n{"command":"ping"}\n', tmp_path) - hello

    assert packages(loaded) <= {"psutil"}


def test_a_page_process_loads_pdfium_before_pikepdf_whose_wheel_for_musl_needs_it() -> None:
    asked = (
        "import sys, ocr_worker.pages.executor, ocr_worker.pages.compose, ocr_worker.pages.page;"
        " print([name for name in sys.modules if name in ('pypdfium2', 'pikepdf')])"
    )

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "['pypdfium2', 'pikepdf']"


def test_pages_that_nobody_need_read_are_done_without_what_reads(tmp_path: Path) -> None:
    save_blank_book(tmp_path / "blank.pdf", 1)
    save_text_book(tmp_path / "text.pdf", 1)
    asked = (
        "import sys; from pathlib import Path; from ocr_worker.model.tasks import PageSettings, WarmTask;"
        " from tests.pages.desk import Desk;"
        " settings, folder = PageSettings(outputs=('pdf', 'txt')), Path(sys.argv[1]); desk = Desk(folder);"
        " desk.bench.run(WarmTask(settings));"
        " done = [desk.process(folder / name, settings) for name in ('blank.pdf', 'text.pdf')];"
        " print(*(page.status for one in done for page in one.pages), *sys.modules)"
    )

    said = subprocess.run(
        [sys.executable, "-c", asked, str(tmp_path)], capture_output=True, text=True, check=True
    )

    blank, text, *loaded = said.stdout.split()
    assert (blank, text) == ("blank", "has_text")
    assert "ocr_worker.pages.compose" in loaded
    assert not RARELY_NEEDED & {*loaded}


def test_what_reads_lines_imports_no_masked_arrays(tmp_path: Path) -> None:
    [card] = build("cards", tmp_path / "in", count=1)
    asked = (
        "import sys; from pathlib import Path; from ocr_worker.model.tasks import PageSettings;"
        " from tests.pages.desk import Desk;"
        " done = Desk(Path(sys.argv[1])).process(Path(sys.argv[2]), PageSettings(engine='lines'));"
        " print(*(page.status for page in done.pages), *sys.modules)"
    )

    said = subprocess.run(
        [sys.executable, "-c", asked, str(tmp_path), str(card.path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    status, *loaded = said.stdout.split()
    assert status == "ok"
    assert "ocr_worker.engines.ocr.lines.bands" in loaded
    # 8 ms of each page process; some of NumPy's functions import them.
    assert "numpy.ma" not in loaded
