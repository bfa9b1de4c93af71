"""`python -m bench ROW…`: run rows of the benchmark, print them, leave raw figures in bench/out."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path

import ocr_protocol
import ocr_worker
from bench import report, tesseract
from bench.jobs import Effort
from bench.speed import Verdict

OUT = Path(__file__).parent / "out"
FIGURES = Path(__file__).parent / "figures"
"""Figures that are kept, of runs that take too long to be run again at will."""
IMAGES = Path(__file__).parent.parent / "docs" / "images"
QUICK_SHARE = 0.15
"""Of the pages of each row of speed in a quick run, where goals are shown, not judged: starting weighs too much."""


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the benchmark."""

    options: argparse.Namespace
    folder: Path
    found: dict[str, object]
    """Machine and versions."""

    def effort(self, name: str) -> Effort:
        folder = self.folder / name
        folder.mkdir()
        quick = self.options.quick
        return Effort(
            folder, 1 if quick else self.options.rounds, QUICK_SHARE if quick else 1, self.options.seed
        )

    def jobs(self, known: Iterable[str]) -> Sequence[str]:
        """Those asked for; all that are known if none is. SystemExit for one that is not known."""
        wanted = self.options.jobs or list(known)
        if unknown := sorted({*wanted} - {*known}):
            raise SystemExit(f"no such row: {', '.join(unknown)}; there are: {', '.join(known)}")
        return wanted

    def save(self, name: str, figures: object) -> Path:
        settings = {key: value for key, value in vars(self.options).items() if key != "out"}
        return report.save(self.options.out, name, figures, self.found, settings)


def main() -> int:
    """Return 1 if a row misses what it must reach."""
    # Read when libtesseract is loaded, among others: parallel pages with OpenMP are slower than one after another.
    os.environ |= tesseract.surroundings(OUT / "tesseract")
    _compile()
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    found = report.circumstances()
    print("\n".join(f"{name}: {value}" for name, value in {**found, **vars(options)}.items()), flush=True)
    begin = time.monotonic()
    missed = []
    for name in options.rows:
        with tempfile.TemporaryDirectory(prefix="ocr-bench-") as folder:
            missed += ROWS[name](Session(options, Path(folder), found))
    print(f"\n{time.monotonic() - begin:.0f} s; raw figures in {options.out}")
    for line in missed:
        print(f"MISSED: {line}")
    return 1 if missed and not options.quick else 0


def _compile() -> None:
    """As pip does with what it installs, all rivals included; from sources alone, where Python may write nothing, each start takes 50 ms more."""
    for package in (ocr_protocol, ocr_worker):
        compile_dir(package.__path__[0], quiet=1)


def accuracy(session: Session) -> list[str]:
    from bench import accuracy as row

    options = session.options
    count, per_group = (1, 1) if options.quick else (options.count, None)
    extent = row.Extent(options.seed, count, per_group, tuple(options.engine))
    found, missing = row.measure(session.folder, extent)
    missed = []
    for engine, results in found.items():
        groups, worse = row.by_group(results), row.worse_files(results)
        print(f"\n{engine}\n{row.table(groups)}")
        print("\n".join(["Files that are worse:", *map(str, worse)]) if worse else "No file is worse.")
        name = "accuracy" if engine == options.engine[0] else f"accuracy-{engine}"
        session.save(name, {"groups": groups, "scans": results})
        missed += [f"accuracy of {engine}: {one}" for one in (*row.worse_groups(groups), *worse)]
    print(f"Not measured, as the language is not installed: {', '.join(missing) or 'none'}", flush=True)
    return missed


def speed(session: Session) -> list[str]:
    from bench import speed as rows

    missed = []
    for name in session.jobs(rows.ROWS):
        row = rows.ROWS[name](session.effort(name))
        if row is None:
            print(f"\n{name}: not measured, as there is no corpus", flush=True)
            continue
        session.save(f"speed-{name}", row)
        missed += _show(row.lines(), rows.verdicts(row))
    return missed


def long(session: Session) -> list[str]:
    from bench import long as row

    missed = []
    for kind in session.jobs(("scans", "cards")):
        count = session.options.cards if kind == "cards" else session.options.pages
        growth = row.measure(kind, session.effort(kind), count)
        session.save(f"long-{kind}", growth)
        missed += _show(growth.lines(), growth.verdicts())
    return missed


def control(session: Session) -> list[str]:
    from bench import control as row

    figures = row.measure(session.folder)
    print(row.table(figures))
    session.save("control", figures)
    return [miss for figure in figures if (miss := figure.missed())]


def eta(session: Session) -> list[str]:
    from bench import eta as row

    figures = list(row.measure(session.effort("eta"), session.jobs(row.JOBS)))
    print(row.table(figures), flush=True)
    session.save("eta", figures)
    return [miss for figure in figures if (miss := figure.missed())]


def hosts(session: Session) -> list[str]:
    from bench import hosts as row

    if missing := row.missing():
        print(f"\nhosts: not measured, as {missing} is missing", flush=True)
        return []
    figures = row.measure(session.effort("hosts"))
    print(row.table(figures), flush=True)
    session.save("hosts", figures)
    return []


def shards(session: Session) -> list[str]:
    from bench import shards as rows

    missed = []
    for name in session.jobs(rows.ROWS):
        folder = session.folder / name
        folder.mkdir()
        figures = list[rows.Taken]()
        for taken, verdict in rows.ROWS[name](folder, QUICK_SHARE if session.options.quick else 1.0):
            missed += _show([taken.line()], [verdict])
            figures.append(taken)
        session.save(f"shards-{name}", figures)
    return missed


def plots(_: Session) -> list[str]:
    from bench.plots import draw_all

    for picture in draw_all((OUT, FIGURES), IMAGES):
        print(picture)
    return []


ROWS: dict[str, Callable[[Session], list[str]]] = {
    "accuracy": accuracy,
    "control": control,
    "eta": eta,
    "hosts": hosts,
    "long": long,
    "plots": plots,
    "shards": shards,
    "speed": speed,
}


def _show(lines: list[str], verdicts: Iterable[Verdict]) -> list[str]:
    """Print a row and what became of its goals; return those that it has missed."""
    found = list(verdicts)
    marks = (f"  {'reached' if one.is_reached else 'MISSED '} {one.text}" for one in found)
    print("\n" + "\n".join([*lines, *marks]), flush=True)
    return [one.text for one in found if not one.is_reached]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="+", choices=sorted(ROWS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=3, help="generated scans of each kind")
    parser.add_argument("--jobs", nargs="*", help="rows of eta, long, shards or speed, all if absent")
    parser.add_argument(
        "--engine", nargs="+", default=["auto"], help="what ours reads with, in the row accuracy"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of speed")
    parser.add_argument("--pages", type=int, default=2000, help="of long scans")
    parser.add_argument("--cards", type=int, default=5000, help="of long cards")
    parser.add_argument("--quick", action="store_true", help="one round of few pages; goals are not judged")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for raw figures")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
