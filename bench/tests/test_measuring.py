"""Time, cost and memory of a command, and ratios of interleaved runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.jobs import Job
from bench.meter import Command, Run, measure
from bench.pairs import Row, race
from samples.scores import Score

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
BUSY = "import time\nwhile time.process_time() < 0.5: pass"
GREEDY = (
    "import time; block = bytearray(64 << 20); block[::4096] = b'x' * (len(block) // 4096); time.sleep(2)"
)


def _python(code: str, stdin: bytes = b"") -> Command:
    return Command([sys.executable, "-c", code], stdin)


def test_the_work_of_a_child_process_is_counted(tmp_path: Path) -> None:
    run = measure(_python(PARENT.format(child=BUSY)), tmp_path / "log")

    assert run.cpu_seconds >= 0.5
    assert run.seconds >= 0.5


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_the_work_of_an_orphan_is_counted(tmp_path: Path) -> None:
    run = measure(
        _python(f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BUSY!r}])"),
        tmp_path / "log",
    )

    assert run.cpu_seconds >= 0.5


def test_the_memory_of_a_child_process_is_counted(tmp_path: Path) -> None:
    run = measure(_python(PARENT.format(child=GREEDY)), tmp_path / "log")

    assert run.peak_pss_bytes > 64 << 20


def test_what_is_piped_in_arrives(tmp_path: Path) -> None:
    code = f"import sys; open({str(tmp_path / 'got')!r}, 'wb').write(sys.stdin.buffer.read())"

    measure(_python(code, b"a line\n"), tmp_path / "log")

    assert (tmp_path / "got").read_bytes() == b"a line\n"


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="what went wrong"):
        measure(_python("import sys; sys.exit('what went wrong')"), tmp_path / "log")


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    command = Command([sys.executable, "-c", "import time; time.sleep(60)"], limit_seconds=0.5)

    with pytest.raises(RuntimeError, match="-9"):
        measure(command, tmp_path / "log")


def test_preparations_do_not_count_where_a_command_has_its_own_clock(tmp_path: Path) -> None:
    clock = tmp_path / "seconds"
    code = f"from pathlib import Path; from bench.meter import write_clock; write_clock(Path({str(clock)!r}), 0.25, 0.5)"

    run = measure(Command([sys.executable, "-c", code], own_clock=clock), tmp_path / "log")

    assert (run.seconds, run.cpu_seconds) == (0.25, 0.5)


def test_memory_is_told_beside_the_pages_done_as_the_events_tell_of_them(tmp_path: Path) -> None:
    code = """import sys, time
for done in (1, 2, 3):
    print('{"type":"progress","data":{"current":%d,"total":3}}' % done, flush=True)
    time.sleep(1)"""

    run = measure(_python(code), tmp_path / "log")

    assert {pages for *_, pages in run.samples} >= {1, 2, 3}
    assert all(mb > 1 for _, mb, _ in run.samples[:3])


def test_ratios_are_taken_within_a_round_and_their_median_is_shown() -> None:
    ours = [Run(seconds, 1, 1) for seconds in (1, 2, 4)]
    theirs = [Run(seconds, 1, 1) for seconds in (3, 4, 16)]

    row = Row("job", 10, {"ours": ours, "theirs": theirs}, {"ours": Score(), "theirs": Score()})

    assert row.ratios("theirs") == [2, 3, 4]
    assert "x3.00 (2.00 to 4.00)" in row.lines()[-1]


def test_contenders_take_turns(tmp_path: Path) -> None:
    log = tmp_path / "turns"

    def write(name: str) -> Command:
        return _python(f"open({str(log)!r}, 'a').write({name!r})")

    contenders = {
        "a": lambda files, output_dir: _made(output_dir, write("a")),
        "b": lambda files, output_dir: _made(output_dir, write("b")),
    }
    race(Job("job", [], 1, []), contenders, tmp_path, rounds=2)

    assert log.read_text(encoding="utf-8") == "abab"


def _made(output_dir: Path, command: Command) -> Command:
    output_dir.mkdir(parents=True)
    return command
