"""`python -m bench ROW…`: run rows of the benchmark, print them, leave raw figures in bench/out."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

OUT = Path(__file__).parent / "out"


def main() -> int:
    """Return 1 if a row misses what it must reach."""
    # Read when libtesseract is loaded: parallel pages with OpenMP are slower than one after another.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    options = _options()
    OUT.mkdir(exist_ok=True)
    failures = [line for name in options.rows for line in ROWS[name](options)]
    sys.stdout.writelines(f"MISSED: {line}\n" for line in failures)
    return 1 if failures else 0


def accuracy(options: argparse.Namespace) -> list[str]:
    from bench import accuracy, report

    folder = Path(tempfile.mkdtemp(prefix="ocr-bench-"))
    try:
        groups, missing = accuracy.measure(folder, options.seed, options.count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raw = report.save(
        OUT, "accuracy", groups, seed=options.seed, count=options.count, languages_missing=missing
    )
    sys.stdout.write(
        f"{accuracy.table(groups)}\nNot measured, as the language is not installed: {', '.join(missing) or 'none'}\nRaw figures: {raw}\n"
    )
    return [
        f"accuracy of {name}: CER {group.ours.cer:.2f} against {group.plain.cer:.2f}"
        for name, group in groups.items()
        if group.is_worse
    ]


ROWS: dict[str, Callable[[argparse.Namespace], list[str]]] = {"accuracy": accuracy}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="+", choices=sorted(ROWS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=3, help="generated scans of each kind")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
