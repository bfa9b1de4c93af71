"""Cards that are quick to read, plans of them, and what must hold of a shard's outputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.command import Command, Done
from tests.faults import pictures


def write_cards(folder: Path, count: int, first: int = 0) -> list[Path]:
    """Pictures of a line each, which must be recognised."""
    folder.mkdir(parents=True, exist_ok=True)
    cards = [folder / f"card{number:03}.png" for number in range(first, first + count)]
    for card in cards:
        card.write_bytes(pictures.png(f"This is {card.stem}"))
    return cards


@dataclass(frozen=True, slots=True)
class Shards:
    """Inputs, a plan and outputs of a test, and the command that works on them."""

    ocr: Command
    home: Path

    @property
    def inputs(self) -> Path:
        return self.home / "in"

    @property
    def plan_folder(self) -> Path:
        return self.home / "plan"

    @property
    def out(self) -> Path:
        return self.home / "out"

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    def plan(self, *words: str | Path) -> Any:
        return self.ocr.answer("shards", "plan", self.inputs, "--plan", self.plan_folder, *words)

    def run_words(self, index: int = 0, out: str | Path | None = None) -> list[str | Path]:
        return [
            "shards", "run", self.plan_folder, out or self.out, "--index", str(index), "--scratch", self.scratch,
        ]  # fmt: skip

    def run(self, index: int = 0, out: str | Path | None = None) -> dict[str, Any]:
        """Do a shard that is to be done."""
        done = self.ocr(*self.run_words(index, out), "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        return dict(json.loads(done.stdout))

    def try_to_run(self, index: int = 0, out: str | Path | None = None) -> Done:
        return self.ocr(*self.run_words(index, out))

    def status(self) -> Any:
        return self.ocr.answer("shards", "status", self.plan_folder, self.out)

    def marker(self, index: int = 0) -> dict[str, Any]:
        return dict(json.loads((self.out / f"done/0000/{index:07}.json").read_bytes()))

    def results(self, index: int = 0) -> dict[str, dict[str, Any]]:
        """By the names of the inputs, the JSON results that were put, each with all that it names."""
        folder = self.out / f"files/0000/{index:07}"
        found = {}
        for path in folder.glob("*_ocr_results.json"):
            record = json.loads(path.read_bytes())
            for output in record["outputs"].values():
                content = (folder / output["name"]).read_bytes()
                assert hashlib.sha256(content).hexdigest() == output["sha256"], output["name"]
            found[record["source"]["path"].rpartition("/")[2]] = record
        return found

    def leftovers(self) -> list[Path]:
        """Temporary files of outputs, and whatever lies on the local disk."""
        parts = [path for path in self.home.rglob("*.part") if path.is_file()]
        return parts + (list(self.scratch.iterdir()) if self.scratch.exists() else [])
