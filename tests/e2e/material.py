"""Pages that take a moment, a second or long, made by code."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import img2pdf

from samples import build, save_slow_page
from tests.hold import held_name


@dataclass(frozen=True, slots=True)
class Material:
    """Pictures of one page each, by how long the engine takes for them on one core."""

    folder: Path
    quick: Path
    """About 0.05 s."""
    medium: Path
    """About 0.9 s."""
    slow: Path
    """Some seconds, in which a command that reads it can be seen: eight pages of small print on one sheet."""
    held: Path
    """A quick one that is in work until the host lets it go."""

    def quick_files(self, folder: Path, count: int) -> list[Path]:
        """So many inputs of one quick page."""
        folder.mkdir(parents=True, exist_ok=True)
        return [
            Path(shutil.copy(self.quick, folder / f"quick-{number:03}.png")) for number in range(1, count + 1)
        ]

    def pdf(self, path: Path, pages: str) -> Path:
        """A PDF with a quick page for each q, a held one for each h; where there is one of these its name says so."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path = held_name(path, (number for number, page in enumerate(pages, start=1) if page == "h"))
        path.write_bytes(img2pdf.convert([str(self.quick)] * len(pages)))
        return path


def make_material(folder: Path) -> Material:
    quick, medium = (build(kind, folder)[0].path for kind in ("cards", "clean"))
    held = Path(shutil.copy(quick, held_name(folder / "long.png", [1])))
    return Material(folder, quick, medium, save_slow_page(folder), held)
