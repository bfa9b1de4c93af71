"""`python -m bench ROW…`: run rows of the benchmark, print them, leave raw figures in bench/out."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import report

OUT = Path(__file__).parent / "out"
IMAGES = Path(__file__).parent.parent / "docs" / "images"


def main() -> int:
    """Return 1 if a row misses what it must reach."""
    # Read when libtesseract is loaded: parallel pages with OpenMP are slower than one after another.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    options = _options()
    OUT.mkdir(exist_ok=True)
    failures = []
    for name in options.rows:
        with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
            failures += ROWS[name](options, Path(folder))
    for line in failures:
        print(f"MISSED: {line}")
    return 1 if failures else 0


def accuracy(options: argparse.Namespace, folder: Path) -> list[str]:
    from bench import accuracy as row

    results, missing = row.measure(folder, options.seed, options.count)
    groups = row.by_group(results)
    print(row.table(groups))
    print(f"Not measured, as the language is not installed: {', '.join(missing) or 'none'}")
    figures = {"groups": groups, "scans": results}
    print(f"Raw figures: {report.save(OUT, 'accuracy', figures, seed=options.seed, count=options.count)}")
    return [
        f"accuracy of {one.name}: CER {one.ours.cer:.2f} against {one.plain.cer:.2f}"
        for one in groups
        if one.is_worse
    ]


def speed(options: argparse.Namespace, folder: Path) -> list[str]:
    from bench import speed as rows

    misses = []
    for name in options.jobs or rows.ROWS:
        row = rows.ROWS[name](folder, options.rounds)
        print("\n".join(row.lines()), flush=True)
        report.save(OUT, f"speed-{name}", row)
        misses += rows.missed(row)
    return misses


def long(options: argparse.Namespace, folder: Path) -> list[str]:
    from bench import long as row

    misses = []
    for kind in options.jobs or ("scans", "cards"):
        count = options.cards if kind == "cards" else options.pages
        growth = row.measure(folder / kind, kind, count)
        print(growth.line(), flush=True)
        report.save(OUT, f"long-{kind}", growth)
        misses += growth.missed()
    return misses


def control(_: argparse.Namespace, folder: Path) -> list[str]:
    from bench import control as row

    figures = row.measure(folder)
    print(row.table(figures))
    print(f"Raw figures: {report.save(OUT, 'control', figures)}")
    return [miss for figure in figures if (miss := figure.missed())]


def plots(_: argparse.Namespace, __: Path) -> list[str]:
    from bench.plots import draw_all

    for picture in draw_all(OUT, IMAGES):
        print(picture)
    return []


ROWS: dict[str, Callable[[argparse.Namespace, Path], list[str]]] = {
    "accuracy": accuracy,
    "control": control,
    "long": long,
    "plots": plots,
    "speed": speed,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="+", choices=sorted(ROWS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=3, help="generated scans of each kind")
    parser.add_argument("--jobs", nargs="*", help="rows of speed or long, all if absent")
    parser.add_argument("--rounds", type=int, default=3, help="of speed")
    parser.add_argument("--pages", type=int, default=2000, help="of long scans")
    parser.add_argument("--cards", type=int, default=5000, help="of long cards")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
