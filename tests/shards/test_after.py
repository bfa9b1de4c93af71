"""What is told of a plan while it is done, and what is made of it afterwards."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pyarrow.parquet
import zstandard

from rigs.papers import write_papers
from tests.shards.material import Shards


def write_inputs(shards: Shards) -> None:
    """Four files, of which one is torn."""
    write_papers(shards.inputs, 3)
    (shards.inputs / "torn.pdf").write_bytes(b"%PDF-1.4 and no more")


def test_status_tells_done_failed_and_missing_and_retry_names_the_missing(shards: Shards) -> None:
    write_inputs(shards)
    shards.plan("--pages-per-shard", "1")
    for index in (0, 2):
        shards.run(index)
    # A marker of another plan counts for nothing.
    foreign = {**shards.marker(0), "shard": 1, "hash": "another"}
    (shards.out / "done/0000/0000001.json").write_text(json.dumps(foreign), encoding="ascii")

    status = shards.status()
    retry = shards.ocr("shards", "retry", shards.plan_folder, shards.out)
    part = shards.ocr("shards", "retry", shards.plan_folder, shards.out, "--offset", "2")
    text = shards.ocr("shards", "status", shards.plan_folder, shards.out, "--price", "3600000")

    assert (status["shards"], status["done"], status["running"], status["missing"]) == (4, 2, 0, "1,3")
    assert (status["files"], status["files_done"]) == (4, 2)
    assert status["core_hours"] > 0
    assert status["eta_seconds"] is None or status["eta_seconds"] > 0
    assert retry.stdout == "1,3\n"
    assert (part.stdout, part.stderr) == ("1\n", "1 shard before 2 left out.\n")
    assert "2 of 4 done" in text.stdout
    assert "cost 0.00" not in text.stdout


def test_what_is_done_is_told_and_its_texts_are_exported_as_lines_and_as_a_table(shards: Shards) -> None:
    write_inputs(shards)
    shards.plan("--pages-per-shard", "2")
    for index in range(2):
        shards.run(index)
    status = shards.status()
    watched = shards.ocr("shards", "status", shards.plan_folder, shards.out, "--watch")
    lines, tables = shards.home / "lines", shards.home / "tables"

    first = shards.ocr.answer("shards", "export", shards.plan_folder, shards.out, lines)
    again = shards.ocr.answer("shards", "export", shards.plan_folder, shards.out, lines)
    shards.ocr.answer("shards", "export", shards.plan_folder, shards.out, tables, "--format", "parquet")
    # Its files would bear the names of those that are there.
    shards.ocr.answer(
        "shards", "plan", shards.inputs, "--plan", shards.home / "other", "--pages-per-shard", "1"
    )
    other = shards.ocr("shards", "export", shards.home / "other", shards.out, lines)

    assert (status["done"], status["failed"], status["missing"]) == (2, {"corrupt": 1}, "")
    assert "all is done" in watched.stdout
    assert (other.returncode, "another plan" in other.stderr) == (2, True), other.stderr
    assert (first["shards"], first["rows"], again["shards"], again["kept"]) == (2, 3, 0, 2)
    records: list[dict[str, Any]] = []
    for path in sorted(lines.rglob("*.jsonl.zst")):
        plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read()
        records += [json.loads(line) for line in plain.splitlines()]
    found = {record["url"].rpartition("/")[2]: record["text"] for record in records}
    assert found == {f"paper0{n}.pdf": f"This is paper0{n}\n" for n in (1, 2, 3)}
    rows = [
        row
        for path in sorted(tables.rglob("*.parquet"))
        for row in pyarrow.parquet.read_table(path).to_pylist()
    ]
    assert rows == records


def test_nobody_else_imports_what_shards_take() -> None:
    script = (
        "import sys; from ocr_worker.cli.app import run, OtherFaces; from ocr_worker.__main__ import _open_shards;"
        "faces = OtherFaces(print, _open_shards); run(['--version'], faces); run(['doctor', '--json'], faces);"
        "run(['shards', 'plan', '--help'], faces); import ocr_sidecar, ocr_worker.stdio.app, ocr_worker.jobs.runtime;"
        "print(*{name.partition('.')[0] for name in sys.modules} & {'fsspec', 's3fs', 'aiohttp', 'botocore', 'zstandard', 'pyarrow'}, file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")

    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == ""


def test_without_the_extra_it_is_said_what_to_install(shards: Shards) -> None:
    hidden = shards.home / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'fsspec' else find(name, *a)\n",
        encoding="ascii",
    )
    shards.ocr.variables["PYTHONPATH"] = str(hidden)

    process = shards.ocr.start("shards", "status", "plan", "out")
    _, stderr = process.communicate()

    assert process.returncode not in (0, 70)
    assert "ocr-sidecar[shards]" in stderr
