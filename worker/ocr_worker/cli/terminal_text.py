"""Text for terminals: safe names, times, counts, commands to copy."""

from __future__ import annotations

import shlex
import subprocess
import sys

from ocr_worker.model.results import FileTally, Progress


def shown(text: object) -> str:
    """Text that can't move the cursor or break a line, whatever a file's name holds."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in str(text)
    )


def clock(seconds: float) -> str:
    """0:05, 12:34, 1:02:03."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def standing(progress: Progress) -> str:
    """The fourth design note's line: `15/26 (15 ok, 0 failed, 0 skipped) Elapsed 0:12, ETA 0:08`."""
    ok, failed, skipped, eta = progress.completed, progress.failed, progress.skipped, progress.eta_seconds
    times = f"Elapsed {clock(progress.elapsed_seconds)}, ETA {clock(eta) if eta is not None else '-'}"
    return (
        f"{ok + failed + skipped}/{progress.file_count} ({ok} ok, {failed} failed, {skipped} skipped) {times}"
    )


def pace(progress: Progress) -> str:
    """Percent and rate, and on how many nodes where pages go to some."""
    nodes = f", {count(progress.crew.nodes or 0, 'node')}" if progress.crew else ""
    return f"{progress.percent:.0f} %, {progress.pages_per_second:.1f} pages/s{nodes}"


def stats_words(stats: FileTally) -> str:
    """Of a stored job: 6 files: 2 completed, 4 pending."""
    states = ("completed", "failed", "skipped", "pending", "processing")
    told = [f"{getattr(stats, state)} {state}" for state in states if getattr(stats, state)]
    return f"{count(stats.total, 'file')}: {', '.join(told) or 'none'}"


def command_line(*words: str) -> str:
    """A command of ours that can be copied into a shell."""
    command = ["ocr-worker", *words]
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def flat(text: object) -> str:
    """On one line."""
    return " ".join(str(text).split())
