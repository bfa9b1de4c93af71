"""Between any two looks at a file that was found in a folder, whoever may write there puts a link to another in its place.

After each of our looks it is there, so that all that opens the file by its name would open the other; before the last look
it is gone again. What is no link at either look can only be told by opening nothing anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ocr_worker.cli.commands.doctor import _one_line_pdf
from ocr_worker.engines.pdf.pypdf_check import text_of
from ocr_worker.model.tasks import ComposeTask, InspectTask, Opened, OpenTask, PageSettings, PageTask, Source
from ocr_worker.pages import compose, inspection, opening, page
from ocr_worker.pages.executor import Workbench
from tests.faults import pictures

HARMLESS, SECRET = "Harmless", "Quincunx"
LOOKS = ((opening, "look"), (page, "glance"), (compose, "glance"), (inspection, "glance"))
LAST_LOOKS = (opening, page, compose)


def _written(kind: str, word: str) -> bytes:
    if kind == "pdf":
        return _one_line_pdf(word)
    return pictures.saved(pictures.sheet(word), kind.upper(), dpi=(200, 200))


@dataclass(frozen=True)
class Attacker:
    file: Path
    """In `deep`, which is in the folder that was searched."""
    secret: Path

    def attack(self, look: Callable[[Source], Any]) -> Callable[[Source], Any]:
        def wrapped(source: Source) -> Any:
            self.cover_up()
            seen = look(source)
            self.file.rename(self.file.parents[2] / "aside")
            self.file.symlink_to(self.secret)
            return seen

        return wrapped

    def cover_up(self) -> None:
        if self.file.is_symlink():
            self.file.unlink()
            (self.file.parents[2] / "aside").rename(self.file)

    def covered_up(self, look: Callable[[Source], Any]) -> Callable[[Source], Any]:
        def wrapped(source: Source) -> Any:
            self.cover_up()
            return look(source)

        return wrapped


@pytest.fixture
def attacker(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Attacker:
    file, secret = (tmp_path / place / f"doc.{request.param}" for place in ("found/deep", "secret"))
    for path, word in ((file, HARMLESS), (secret, SECRET)):
        path.parent.mkdir(parents=True)
        path.write_bytes(_written(request.param, word))
    attacker = Attacker(file, secret)
    for module, name in LOOKS:
        monkeypatch.setattr(module, name, attacker.attack(getattr(module, name)))
    for module in LAST_LOOKS:
        monkeypatch.setattr(module, "require_unchanged", attacker.covered_up(module.require_unchanged))
    return attacker


def _process(attacker: Attacker, folder: str | None, home: Path) -> dict[str, str]:
    """What comes of it, as its outputs say."""
    (home / "scratch").mkdir()
    bench, settings = Workbench(home / "scratch"), PageSettings(outputs=("pdf", "txt"))
    source = Source(str(attacker.file), no_links_below=folder)
    opened = bench.run(OpenTask(source, settings))
    assert isinstance(opened, Opened)
    source = replace(source, stamp=opened.stamp)
    attacker.cover_up()
    bench.run(PageTask(source, settings, 1, str(home / "1.page")))
    outputs = {kind: str(home / f"doc.{kind}") for kind in settings.outputs}
    attacker.cover_up()
    bench.run(ComposeTask(source, settings, 1, opened.sha256, str(home), outputs))
    bench.close()
    return {"txt": Path(outputs["txt"]).read_text(encoding="utf-8"), "pdf": text_of(Path(outputs["pdf"]))}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs names for descriptors, which Linux has")
@pytest.mark.parametrize("attacker", ["pdf", "png", "tiff"], indirect=True)
def test_all_that_opens_a_file_opens_the_one_that_was_looked_at(attacker: Attacker, tmp_path: Path) -> None:
    texts = _process(attacker, str(tmp_path / "found"), tmp_path)

    assert [(HARMLESS in text, SECRET in text) for text in texts.values()] == [(True, False)] * 2
    assert list((tmp_path / "scratch").rglob("held-*")) == []


@pytest.mark.parametrize("attacker", ["pdf", "png"], indirect=True)
def test_the_attack_works_where_links_may_be_followed(attacker: Attacker, tmp_path: Path) -> None:
    """Without which the tests above would tell nothing."""
    texts = _process(attacker, None, tmp_path)

    assert SECRET in texts["txt"]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs names for descriptors, which Linux has")
@pytest.mark.parametrize("attacker", ["pdf"], indirect=True)
def test_an_inspection_tells_of_the_file_that_was_looked_at(attacker: Attacker, tmp_path: Path) -> None:
    (tmp_path / "secret" / "doc.pdf").write_bytes(b"no PDF at all")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    report = Workbench(scratch).run(
        InspectTask(Source(str(attacker.file), no_links_below=str(tmp_path / "found")))
    )

    assert report.report["file"] == str(attacker.file)  # type: ignore[union-attr]
