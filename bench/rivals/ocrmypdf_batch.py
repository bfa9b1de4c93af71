"""OCRmyPDF over a list of files, in one warm Python process, with as many jobs as it is given."""

from __future__ import annotations

import sys
from pathlib import Path

import ocrmypdf


def main(jobs: int, output_dir: Path, files: list[Path]) -> None:
    """Leave a PDF and a text file for each input; pages that have text are left as they are."""
    for file in files:
        ocrmypdf.ocr(
            file,
            output_dir / f"{file.stem}.pdf",
            sidecar=output_dir / f"{file.stem}.txt",
            language=["eng"],
            jobs=jobs,
            output_type="pdf",
            optimize=0,
            skip_text=True,
            image_dpi=300,
            progress_bar=False,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
