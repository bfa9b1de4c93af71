"""The source distribution is the repository: whoever unpacks it can run the tests, the checks and the benchmark."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.limits import HANG_SECONDS

BUILD = "from setuptools import build_meta; build_meta.build_sdist('dist')"
OF_SETUPTOOLS = {"PKG-INFO", "setup.cfg"}


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="needs the files that git knows")
def test_the_source_distribution_holds_every_file_of_the_repository_and_no_other(tmp_path: Path) -> None:
    known = _known_to_git()
    for name in known:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)

    subprocess.run(
        [sys.executable, "-c", BUILD], cwd=tmp_path, check=True, capture_output=True, timeout=HANG_SECONDS
    )

    [built] = (tmp_path / "dist").iterdir()
    with tarfile.open(built) as archive:
        held = {member.name.partition("/")[2] for member in archive if member.isfile()}
    assert {name for name in held - OF_SETUPTOOLS if ".egg-info/" not in name} == known


def _known_to_git() -> set[str]:
    """Those that are new and not ignored are known too."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, check=True, capture_output=True, encoding="utf-8", timeout=HANG_SECONDS,
    )  # fmt: skip
    return {name for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()}
