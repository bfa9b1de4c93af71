"""An engine that another package brings, as docs/engines.md prints it: found by its entry point, and read with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from ocr_worker.engines.ocr import registry
from ocr_worker.errors import InvalidParamsError
from ocr_worker.library.service import OCRBatchService
from tests.conftest import REPOSITORY
from tests.e2e.host import Host, Launch, StartWorker

DOCS = REPOSITORY / "docs" / "engines.md"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation")
BROKEN = "class Factory:\n    def probe(self):\n        raise RuntimeError('out of ink')\n"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel of the docs' engine was installed."""
    folder = tmp_path_factory.mktemp("ink")
    source, installed = folder / "source", folder / "installed"
    printed = re.findall(
        r"^`([\w./]+)`.*?:\n\n```\w+\n(.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(printed) == 3
    for name, text in [*printed, ("ink_engine/xx.model", "stripe")]:
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    install(source, installed)
    return installed


def install(source: Path, folder: Path) -> None:
    if sys.platform == "win32":
        lay(source, folder)
        return
    subprocess.run([*PIP, "wheel", *OFFLINE, "--wheel-dir", "dist", "."], cwd=source, check=True, timeout=100)
    [wheel] = (source / "dist").iterdir()
    subprocess.run([*PIP, "install", *OFFLINE, "--target", folder, wheel], check=True, timeout=100)


def lay(source: Path, folder: Path) -> None:
    """Lay the package as pip would, which the embeddable CPython lacks."""
    shutil.copytree(source / "ink_engine", folder / "ink_engine")
    told = folder / "ink_engine-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ink-engine\nVersion: 1.0\n", encoding="ascii"
    )
    (told / "entry_points.txt").write_text(
        "[ocr_sidecar.engines]\nink = ink_engine:InkFactory\n", encoding="ascii"
    )


@pytest.fixture
def host(start_worker: StartWorker, packages: Path) -> Host:
    """A worker that has the package."""
    return start_worker(beside(packages))


def beside(packages: Path) -> Launch:
    return Launch({"PYTHONPATH": str(packages), "OCR_WORKER_PAGE_PROCESSES": "1"})


@pytest.fixture
def scans(tmp_path: Path) -> list[Path]:
    """A picture of three rows, and a PDF of two such pages."""
    page = Image.new("L", (600, 800), 255)
    for top in (100, 300, 500):
        ImageDraw.Draw(page).rectangle((50, top, 550, top + 40), fill=0)
    picture, document = tmp_path / "rows.png", tmp_path / "pages.pdf"
    page.save(picture, dpi=(150, 150))
    page.save(document, save_all=True, append_images=[page], resolution=150)
    return [picture, document]


def read(host: Host, scans: list[Path], out: Path, **options: Any) -> Any:
    return host.wait_end(host.batch(scans, out, languages=["xx"], **options))


def refusal(host: Host, scans: list[Path], out: Path, **options: Any) -> Any:
    answer = host.ask("ocr_batch", files=[str(scans[0])], output_dir=str(out), options=options)
    assert answer["type"] == "error"
    return answer["data"]


def test_an_engine_of_another_package_reads_a_batch(host: Host, scans: list[Path], tmp_path: Path) -> None:
    told = host.ask("hello")["data"]

    ended = read(host, scans, tmp_path / "out", engine="ink")

    assert {"name": "ink", "version": "ink-engine 1.0"} in told["engines"]
    assert "xx" in told["languages"]
    assert (ended["status"], len(ended["successful"])) == ("completed", 2)
    results = json.loads((tmp_path / "out" / "rows_ocr_results.json").read_text("ascii"))
    assert (results["engine"], results["engine_version"]) == ("ink", "1.0")
    assert [(model["language"], model["file"]) for model in results["models"]] == [("xx", "xx.model")]
    assert [line["text"] for line in results["pages"][0]["lines"]] == ["stripe"] * 3
    assert results["pages"][0]["lines"][0]["box_px"] == [0, 100, 600, 141]
    assert (tmp_path / "out" / "pages.txt").read_text("utf-8").split() == ["stripe"] * 6
    assert (tmp_path / "out" / "pages.pdf").is_file()


def test_its_code_is_imported_when_it_is_asked_and_its_reader_when_it_reads(packages: Path) -> None:
    code = f"""
import sys
sys.path.append({str(packages)!r})
from ocr_worker.engines.ocr import registry
from ocr_worker.model.tasks import PageSettings

def imported():
    return sorted(name for name in sys.modules if name.startswith("ink_engine"))

registry.require(PageSettings())
print(imported())
registry.all_engines()
print(imported())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.splitlines() == ["[]", "['ink_engine']"]


def test_auto_takes_it_for_a_language_that_it_alone_reads(
    host: Host, scans: list[Path], tmp_path: Path
) -> None:
    read(host, scans[:1], tmp_path / "out")

    assert json.loads((tmp_path / "out" / "rows_ocr_results.json").read_text("ascii"))["engine"] == "ink"


def test_its_outputs_are_up_to_date_until_its_data_changes(
    host: Host, scans: list[Path], tmp_path: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    (data / "xx.model").write_text("stripe", encoding="utf-8")
    asked: dict[str, Any] = {"engine": "ink", "tessdata_dir": str(data)}

    def statuses() -> list[str]:
        ended = read(host, scans[:1], out, **asked)
        return [name for name in ("successful", "failed", "skipped") if ended[name]]

    assert [statuses(), statuses()] == [["successful"], ["skipped"]]

    (data / "xx.model").write_text("bar", encoding="utf-8")

    assert statuses() == ["successful"]


def test_a_language_that_it_lacks_is_refused_in_its_own_words(
    host: Host, scans: list[Path], tmp_path: Path
) -> None:
    refused = refusal(host, scans, tmp_path / "out", engine="ink", languages=["eng"])

    assert (refused["code"], refused["message"]) == (
        "language_missing",
        "No ink for eng: put eng.model into a folder",
    )


def test_an_unknown_engine_is_refused_on_stdin_with_those_that_there_are(
    host: Host, scans: list[Path], tmp_path: Path
) -> None:
    for dry_run in (False, True):
        refused = refusal(host, scans, tmp_path / "out", engine="paddle", dry_run=dry_run)

        assert (refused["code"], refused["details"]["field"]) == ("invalid_params", "options.engine")
        assert re.search(r"tesserocr, .*ink\)", refused["message"])


def test_an_unknown_engine_is_refused_on_the_command_line(scans: list[Path], tmp_path: Path) -> None:
    words = ("batch", str(scans[0]), "-o", "out", "--engine", "paddle")
    done = subprocess.run(
        [sys.executable, "-m", "ocr_worker", *words],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=100,
        env={**os.environ, "OCR_WORKER_STATE_DIR": str(tmp_path / "state")},
    )  # fmt: skip

    assert done.returncode == 2
    assert "--engine must be auto or an installed engine (there are: tesserocr" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_engine_is_refused_in_the_library(
    scans: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))
    service = OCRBatchService()
    try:
        with pytest.raises(
            InvalidParamsError, match=r"engine must be auto or an installed engine .*tesserocr"
        ):
            service.process_batch(scans, tmp_path / "out", engine="paddle")
    finally:
        service.cleanup()


@pytest.fixture(params=["raises when probed", "can't be imported", "ends the process"])
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that holds an engine which fails."""
    folder = tmp_path / "broken"
    description = folder / "broken_engine-1.dist-info"
    description.mkdir(parents=True)
    (description / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-engine\nVersion: 1\n")
    (description / "entry_points.txt").write_text(f"[{registry.GROUP}]\nbroken = broken_engine:Factory\n")
    code = {
        "raises when probed": BROKEN,
        "can't be imported": "import no_such_library\n",
        "ends the process": "raise SystemExit(3)\n",
    }
    (folder / "broken_engine.py").write_text(code[request.param], encoding="utf-8")
    return folder


def test_a_broken_engine_takes_nothing_down_but_itself(
    broken: Path, start_worker: StartWorker, scans: list[Path], tmp_path: Path
) -> None:
    host = start_worker(beside(broken))

    told = host.ask("hello")["data"]
    refused = refusal(host, scans, tmp_path / "out", engine="broken")
    missing = refusal(host, scans, tmp_path / "out", languages=["tlh"])
    ended = host.wait_end(host.batch(scans[:1], tmp_path / "out"))

    assert "broken" not in [engine["name"] for engine in told["engines"]]
    assert refused["code"] == "engine_missing"
    assert "The engine broken fails" in refused["message"]
    assert missing["code"] == "language_missing"
    assert len(ended["successful"]) == 1
    assert "Traceback" in host.log.read_text("utf-8")


def test_doctor_names_a_broken_engine(broken: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ocr_worker", "doctor", "--json"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=100,
        env={**os.environ, "PYTHONPATH": str(broken), "OCR_WORKER_STATE_DIR": str(tmp_path / "state")},
    )  # fmt: skip

    told = json.loads(done.stdout)
    [finding] = [one for one in told["findings"] if one["name"] == "engine broken"]
    assert (finding["ok"], finding["required"], finding["detail"]) == (False, False, "broken")
    assert "upgrade or remove" in finding["advice"]
    assert told["healthy"], "the others read"
