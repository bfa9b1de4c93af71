"""A plan is reproducible, and grows without moving anything."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from tests.shards.material import Shards


def write_inputs(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF-" + name.encode())


def shard_bytes(plan: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in plan.rglob("*.jsonl.gz")}


def rows(plan: Path) -> list[list[str]]:
    shards = (gzip.decompress(content).splitlines() for _, content in sorted(shard_bytes(plan).items()))
    return [[json.loads(line)["url"] for line in shard] for shard in shards]


def test_a_plan_holds_each_input_once_in_the_order_of_its_hash(shards: Shards) -> None:
    write_inputs(shards.inputs, [f"{letter}/{letter}.pdf" for letter in "abcdefg"] + ["note.docx", ".x.pdf"])

    said = shards.plan("--pages-per-shard", "3")

    found = rows(shards.plan_folder)
    flat = [url for shard in found for url in shard]
    assert [len(shard) for shard in found] == [3, 3, 1]
    assert flat == sorted(flat, key=lambda url: hashlib.sha256(url.encode()).hexdigest())
    assert {Path(url).name for url in flat} == {f"{letter}.pdf" for letter in "abcdefg"}
    assert (said["shards"], said["files"]) == (3, 7)


def test_the_same_inputs_are_planned_the_same_again(shards: Shards) -> None:
    write_inputs(shards.inputs, [f"{number}.pdf" for number in range(20)])
    first = shards.plan("--pages-per-shard", "6")

    again = shards.ocr.answer(
        "shards", "plan", shards.inputs, "--plan", shards.home / "again", "--pages-per-shard", "6"
    )

    assert again["hash"] == first["hash"]
    assert shard_bytes(shards.home / "again") == shard_bytes(shards.plan_folder)


def test_a_second_plan_appends_and_moves_nothing(shards: Shards) -> None:
    write_inputs(shards.inputs, [f"{number}.pdf" for number in range(10)])
    shards.plan("--pages-per-shard", "4")
    before = shard_bytes(shards.plan_folder)
    write_inputs(shards.inputs, [f"new{number}.pdf" for number in range(5)])
    (shards.inputs / "3.pdf").write_bytes(b"%PDF- another")

    said = shards.plan()

    after = shard_bytes(shards.plan_folder)
    assert {name: after[name] for name in before} == before
    assert (said["added_files"], said["added_shards"], said["known"], said["changed"]) == (5, 2, 10, 1)
    flat = [url for shard in rows(shards.plan_folder) for url in shard]
    assert len(flat) == len(set(flat)) == 15


def test_a_plan_keeps_its_options(shards: Shards) -> None:
    write_inputs(shards.inputs, ["a.pdf"])
    shards.plan("--outputs", "txt")

    done = shards.ocr("shards", "plan", shards.inputs, "--plan", shards.plan_folder, "--outputs", "pdf")
    unfit = shards.ocr("shards", "plan", shards.inputs, "--plan", shards.home / "b", "--dry-run")

    assert done.returncode == 2
    assert "other options" in done.stderr
    assert unfit.returncode == 2
    assert "--dry-run" in unfit.stderr


def test_a_list_names_inputs_by_path_and_url(shards: Shards) -> None:
    ocr, home = shards.ocr, shards.home
    write_inputs(home, ["a.pdf", "b.pdf", "c.pdf"])
    (home / "list.txt").write_text(f"{home}/a.pdf\nfile://{home}/b.pdf\n", encoding="utf-8")

    ocr.answer("shards", "plan", f"@{home}/list.txt", "--plan", home / "plan")

    assert sorted(rows(home / "plan")[0]) == [f"file://{home}/a.pdf", f"file://{home}/b.pdf"]


def test_shards_are_cut_by_bytes(shards: Shards) -> None:
    write_inputs(shards.inputs, [f"{number}.pdf" for number in range(10)])

    shards.plan("--bytes", "25")

    # Each is 10 bytes.
    assert [len(shard) for shard in rows(shards.plan_folder)] == [2] * 5
