"""One declaration: what the wire's generated model accepts is what all other faces accept, and means the same."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ocr_protocol import BatchOptions
from ocr_worker.errors import InvalidParamsError
from ocr_worker.library.options import Options
from ocr_worker.model.option_table import make_options, options
from ocr_worker.model.options import JobOptions, PageSettings
from tests.conftest import REPOSITORY

WORDS = ["auto", "on", "off", "eng", "deu_latf", "script/Latin", "../x", "", "pdf", "json", "skip", "redo",
         "suffix", "refuse", "tesseract", "/data", "300", "ENG\n", "a" * 65]  # fmt: skip
NUMBERS = [-1, 0, 1, 2, 50, 256, 257, 2400, 2401, 86_400, 86_401, 10**6, 10**11, 10**11 + 1, 0.5, 1.0, 2.5,
           1e300, float("inf"), float("nan"), True, False]  # fmt: skip
VALUES = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.sampled_from(NUMBERS),
    st.lists(st.sampled_from([*WORDS, 7]), max_size=3),
    st.dictionaries(st.sampled_from(WORDS), st.sampled_from([*WORDS, 7]), max_size=2),
)


def of_the_wire(name: str, value: object) -> tuple[bool, object]:
    """Whether the wire's model takes it, and as what."""
    try:
        return True, getattr(BatchOptions.model_validate({name: value}), name)
    except ValidationError:
        return False, None


def of_the_core(name: str, value: object) -> tuple[bool, object]:
    try:
        chosen = make_options({name: value})
    except InvalidParamsError:
        return False, None
    part = chosen.page if options()[name].part == "page" else chosen
    return True, getattr(part, name)


@given(st.sampled_from(sorted(set(options()) - {"passwords"})), VALUES)
def test_the_core_takes_what_the_wire_takes_and_means_the_same_by_it(name: str, value: object) -> None:
    text_of_a_list = name in {"languages", "outputs"} and isinstance(value, str)
    no_resolution = name == "dpi" and value is None
    if text_of_a_list or no_resolution:
        return  # the core's callers may say it so, hosts may not

    taken, meant = of_the_wire(name, value)
    if name == "languages" and isinstance(meant, tuple) and "auto" in meant and len(meant) > 1:
        taken, meant = False, None  # that it stands alone is nothing that a schema says

    assert of_the_core(name, value) == (taken, None if name == "dpi" and meant == "auto" else meant)


@given(VALUES)
def test_passwords_are_taken_as_the_wire_takes_them(value: object) -> None:
    assert of_the_core_passwords(value) == of_the_wire("passwords", value)[0]


def of_the_core_passwords(value: object) -> bool:
    try:
        make_options({"passwords": value})
    except InvalidParamsError:
        return False
    return True


@pytest.mark.parametrize(
    "languages", ["deu+eng", "deu,eng", ["deu", "eng"], ["deu+eng"], ("deu", "eng", "deu")]
)
def test_languages_are_a_list_or_a_text_with_separators(languages: Any) -> None:
    assert make_options({"languages": languages}).page.languages == ("deu", "eng")


@pytest.mark.parametrize(
    "languages",
    ["Français, Simplified Chinese+日本語", ["Français", "Simplified Chinese", "日本語"]],
)
def test_languages_may_be_named_as_people_write_them(languages: Any) -> None:
    assert make_options({"languages": languages}).page.languages == (
        "Français",
        "Simplified Chinese",
        "日本語",
    )
    assert not of_the_wire("languages", ["Français"])[0]


@pytest.mark.parametrize("name", ["../de", "de/ch", "de\\ch", "de.x", ", de", "7", "de\n", "-l", "de\udcc3"])
def test_what_could_be_no_name_of_a_language_is_refused(name: str) -> None:
    with pytest.raises(InvalidParamsError, match="languages must be"):
        make_options({"languages": name})


def test_what_is_not_given_is_as_declared_and_the_wire_has_the_same_defaults() -> None:
    of_wire = make_options(BatchOptions().model_dump(exclude={"passwords"}))

    assert make_options({}) == JobOptions() == of_wire
    assert of_wire.page == PageSettings()


def test_an_unknown_option_is_refused_with_a_list_of_those_there_are() -> None:
    with pytest.raises(
        InvalidParamsError, match=r"There is no option retrys\. The options are languages, "
    ) as refusal:
        make_options({"retrys": 2})

    assert refusal.value.details == {"field": "retrys"}


def test_a_path_may_be_a_path_object_and_stays_as_it_was_given() -> None:
    assert make_options({"tessdata_dir": Path("data")}).page.tessdata_dir == "data"


def test_the_typed_arguments_of_the_library_are_the_options_and_the_priority() -> None:
    assert set(Options.__annotations__) == {*options(), "priority"}


def test_options_are_read_back_as_they_were_stored() -> None:
    chosen = replace(JobOptions(), page=PageSettings(languages=("deu", "eng"), dpi=300), retries=7)

    assert JobOptions.from_fields(chosen.to_fields()) == chosen


def test_what_is_generated_from_the_declaration_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.options", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_declaration_imports_the_standard_library_alone() -> None:
    script = "import sys, ocr_worker.model.options; print({n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )

    assert "pydantic" not in done.stdout
    assert "ocr_protocol" not in done.stdout
