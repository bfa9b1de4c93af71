"""What `pip install .` puts into somebody's environment: our two packages whole, and no other import name."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import EntryPoint

import pytest

from ocr_worker import __version__
from ocr_worker.engines.ocr.registry import BY_NAME_ALONE, GROUP
from ocr_worker.engines.ocr.tesseract_factories import BUILT_IN
from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS

SOURCES = ("protocol", "worker", "pyproject.toml", "README.md", "LICENSE", "NOTICE")
OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        # A copy, as building leaves folders beside the sources.
        source = REPOSITORY / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    command = [sys.executable, "-m", "pip", "wheel", *OFFLINE, "--wheel-dir", "dist", "."]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=HANG_SECONDS)
    [built] = (folder / "dist").iterdir()
    return zipfile.Path(built)


def test_the_wheel_holds_our_three_packages_and_its_own_description_alone(wheel: zipfile.Path) -> None:
    description = wheel / f"ocr_sidecar-{__version__}.dist-info"

    assert {entry.name for entry in wheel.iterdir()} == {
        "ocr_protocol", "ocr_sidecar", "ocr_worker", description.name,
    }  # fmt: skip
    assert (description / "top_level.txt").read_text(encoding="utf-8").split() == [
        "ocr_protocol",
        "ocr_sidecar",
        "ocr_worker",
    ]


@pytest.mark.parametrize("package", ["protocol/ocr_protocol", "worker/ocr_worker"])
def test_the_wheel_holds_every_file_of_a_package(wheel: zipfile.Path, package: str) -> None:
    folder = REPOSITORY / package
    kept = {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    names = [entry.filename for entry in wheel.root.infolist() if not entry.is_dir()]
    held = {name for name in names if name.startswith(f"{folder.name}/")}

    assert held == kept
    assert f"{folder.name}/py.typed" in held


def test_the_wheel_names_the_command(wheel: zipfile.Path) -> None:
    points = wheel / f"ocr_sidecar-{__version__}.dist-info" / "entry_points.txt"

    assert "ocr-worker = ocr_worker.__main__:main" in points.read_text(encoding="utf-8")


def test_the_wheel_names_our_engines_as_a_checkout_has_them(wheel: zipfile.Path) -> None:
    written = (wheel / f"ocr_sidecar-{__version__}.dist-info" / "entry_points.txt").read_text(
        encoding="utf-8"
    )
    section = written.partition(f"[{GROUP}]\n")[2].partition("\n[")[0]

    points = dict(line.split(" = ") for line in section.split("\n") if line)

    assert {name: EntryPoint(name, value, GROUP).load() for name, value in points.items()} == {
        one.name: type(one) for one in (*BUILT_IN, *BY_NAME_ALONE)
    }
