"""Pages that take a moment, a second or long, made by code."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import img2pdf

from samples import build, save_slow_page


@dataclass(frozen=True, slots=True)
class Material:
    """Pictures of one page each, by how long the engine takes for them on one core."""

    folder: Path
    quick: Path
    """About 0.05 s."""
    medium: Path
    """About 0.9 s."""
    slow: Path
    """About 7 s: eight pages of small print on one sheet."""

    def quick_files(self, folder: Path, count: int) -> list[Path]:
        """So many inputs of one quick page."""
        folder.mkdir(parents=True, exist_ok=True)
        return [
            Path(shutil.copy(self.quick, folder / f"quick-{number:03}.png")) for number in range(1, count + 1)
        ]

    def pdf(self, path: Path, pages: str) -> Path:
        """A PDF with a quick page for each q, a medium one for each m and a slow one for each s."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures = [str({"q": self.quick, "m": self.medium, "s": self.slow}[page]) for page in pages]
        path.write_bytes(img2pdf.convert(pictures))
        return path


def make_material(folder: Path) -> Material:
    quick, medium = (build(kind, folder)[0].path for kind in ("cards", "clean"))
    return Material(folder, quick, medium, save_slow_page(folder))
