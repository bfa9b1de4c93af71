"""Plots from the raw figures: throughput and cost, memory over pages, share of the limit, accuracy, accuracy against time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

OURS = "#2b6cb0"
OTHERS = "#bbbbbb"
COLOURS = {"ours": OURS, "warm": OURS, "batch": OURS, "ocrmypdf": "#c05621", "limit": "#2f855a"}
Figures = dict[str, Any]


def draw_all(raw: tuple[Path, ...], target: Path) -> list[Path]:
    """Draw what there are figures for, the first folder's before the next one's; return the pictures."""
    target.mkdir(parents=True, exist_ok=True)
    files = {path.stem: path for folder in reversed(raw) for path in sorted(folder.glob("*.json"))}
    figures = {name: json.loads(path.read_text(encoding="utf-8"))["figures"] for name, path in files.items()}
    speed = [one for name, one in figures.items() if name.startswith("speed-")]
    long = [one for name, one in figures.items() if name.startswith("long-")]
    groups = figures.get("accuracy", {}).get("groups", [])
    plots: dict[str, tuple[Callable[[Any, Path], None], list[Figures]]] = {
        "throughput": (_throughput, speed),
        "cost": (_cost, speed),
        "limit": (_limit, [row for row in speed if "limit" in row["runs"] and row["name"] != "first-page"]),
        "accuracy-time": (
            _accuracy_against_time,
            [row for row in speed if {"ocrmypdf", "limit"} <= row["runs"].keys()],
        ),
        "memory": (_memory, long),
        "accuracy": (_accuracy, groups),
    }
    for name, (draw, rows) in plots.items():
        if rows:
            draw(rows, target / f"{name}.png")
    return [target / f"{name}.png" for name, (_, rows) in plots.items() if rows]


def _throughput(rows: list[Figures], target: Path) -> None:
    bars = [(row, who, row["pages"] / _median(runs, "seconds")) for row, who, runs in _runs(rows)]
    _bars(bars, "pages a second", target)


def _cost(rows: list[Figures], target: Path) -> None:
    bars = [(row, who, _median(runs, "cpu_seconds") / row["pages"]) for row, who, runs in _runs(rows)]
    _bars(bars, "CPU seconds a page, all processes, start included", target)


def _bars(bars: list[tuple[Figures, str, float]], label: str, target: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 0.22 * len(bars) + 1))
    names = [f"{row['name']}: {who}" for row, who, _ in bars]
    axes.barh(names, [value for *_, value in bars], color=[COLOURS.get(who, OTHERS) for _, who, _ in bars])
    axes.set_xscale("log")
    axes.tick_params(axis="y", labelsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    _save(figure, target)


def _limit(rows: list[Figures], target: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(rows) + 1))
    for at, row in enumerate(rows):
        pairs = zip(row["runs"]["ours"], row["runs"]["limit"], strict=True)
        shares = [limit["seconds"] / ours["seconds"] for ours, limit in pairs]
        axes.plot([min(shares), max(shares)], [at, at], color=OURS)
        axes.plot(median(shares), at, "o", color=OURS)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.axvline(0.9, color=OTHERS, linestyle="--")
    axes.set_xlim(0)
    axes.set_xlabel("share of the recognition limit: median and spread; dashed: the goal")
    _save(figure, target)


def _accuracy_against_time(rows: list[Figures], target: Path) -> None:
    """An arrow from OCRmyPDF to ours in each row: down and to the left is better."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for row in rows:
        theirs, ours = (
            (_median(row["runs"][who], "seconds") / row["pages"], row["texts"][who]["cer"])
            for who in ("ocrmypdf", "ours")
        )
        axes.annotate("", ours, theirs, arrowprops={"arrowstyle": "->", "color": OTHERS})
        axes.plot(*theirs, "o", color=COLOURS["ocrmypdf"])
        axes.plot(*ours, "o", color=OURS)
        axes.annotate(f"  {row['name']}", ours, fontsize=8)
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set_xlim(0)
    axes.set_xlabel("seconds a page, by the wall: OCRmyPDF (red) and ours (blue)")
    axes.set_ylabel("errors per hundred characters")
    _save(figure, target)


def _memory(kinds: list[Figures], target: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 3.5))
    for number, kind in enumerate(kinds):
        for row in kind["rows"][1:]:
            samples = row["runs"]["ours"][0]["samples"]
            pages, megabytes = [done for *_, done in samples], [mb for _, mb, _ in samples]
            (line,) = axes.plot(pages, megabytes, color=f"C{number}", linewidth=1)
        line.set_label(kind["name"])
    axes.axhline(300, color=OTHERS, linestyle="--")
    axes.set_xscale("symlog", linthresh=10)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlim(0)
    axes.set_ylim(0, 370)
    axes.set_xlabel("pages done")
    axes.set_ylabel("PSS of the whole tree, MB")
    axes.legend(fontsize=8, loc="upper left", ncols=len(kinds))
    _save(figure, target)


def _accuracy(groups: list[Figures], target: Path) -> None:
    groups = [one for one in groups if max(one["plain"]["cer"], one["ours"]["cer"]) >= 0.5]
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(groups) + 1))
    for offset, who, colour in ((0.2, "plain", OTHERS), (-0.2, "ours", OURS)):
        rates = [one[who]["cer"] for one in groups]
        axes.barh([n + offset for n in range(len(groups))], rates, 0.4, label=who, color=colour)
    axes.set_yticks(range(len(groups)), [one["name"] for one in groups])
    axes.set_xlabel("errors per hundred characters; groups below 0.5 on both sides left out")
    axes.legend()
    _save(figure, target)


def _runs(rows: list[Figures]) -> list[tuple[Figures, str, list[Figures]]]:
    return [(row, who, runs) for row in rows for who, runs in row["runs"].items()]


def _median(runs: list[Figures], figure: str) -> float:
    return float(median(run[figure] for run in runs))


def _save(figure: Any, target: Path) -> None:
    figure.tight_layout()
    figure.savefig(target, dpi=80, metadata={"Software": None})
    plt.close(figure)
