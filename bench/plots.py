"""Plots from the raw figures in bench/out: error rates beside plain Tesseract, and what a page costs each contender."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("agg")
from matplotlib import pyplot as plt

SPEED_ROWS = ("scans", "one-page")


def draw_all(raw: Path, target: Path) -> list[Path]:
    """Draw what there are figures for; return the pictures."""
    target.mkdir(parents=True, exist_ok=True)
    drawn = []
    if (accuracy := _figures(raw / "accuracy.json")) is not None:
        drawn.append(_draw_accuracy(accuracy["groups"], target / "accuracy.png"))
    rows = [row for name in SPEED_ROWS if (row := _figures(raw / f"speed-{name}.json")) is not None]
    if rows:
        drawn.append(_draw_cost(rows, target / "cost.png"))
    return drawn


def _figures(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else None


def _draw_accuracy(groups: list[dict[str, Any]], target: Path) -> Path:
    groups = [one for one in groups if max(one["plain"]["cer"], one["ours"]["cer"]) >= 0.5]
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(groups) + 1))
    for offset, who, colour in ((0.2, "plain", "#bbbbbb"), (-0.2, "ours", "#2b6cb0")):
        rates = [one[who]["cer"] for one in groups]
        axes.barh([n + offset for n in range(len(groups))], rates, 0.4, label=who, color=colour)
    axes.set_yticks(range(len(groups)), [one["name"] for one in groups])
    axes.set_xlabel("errors per hundred characters; groups below 0.5 on both sides left out")
    axes.legend()
    return _save(figure, target)


def _draw_cost(rows: list[dict[str, Any]], target: Path) -> Path:
    bars = [
        (f"{row['name']}: {who}", median(run["cpu_seconds"] for run in runs) / row["pages"])
        for row in rows
        for who, runs in row["runs"].items()
        if who != "warm"
    ]
    figure, axes = plt.subplots(figsize=(7, 0.4 * len(bars) + 1))
    colours = ["#2b6cb0" if name.endswith("ours") else "#bbbbbb" for name, _ in bars]
    axes.barh([name for name, _ in bars], [cost for _, cost in bars], color=colours)
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds a page, all processes, start included")
    return _save(figure, target)


def _save(figure: Any, target: Path) -> Path:
    figure.tight_layout()
    figure.savefig(target, dpi=80, metadata={"Software": None})
    plt.close(figure)
    return target
