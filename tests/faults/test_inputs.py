"""INPUTS.md, line by line, through the real worker. Files of content go in a batch or two of each part; the rest has tests of its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pypdfium2
import pytest

from ocr_protocol.codes import RETRYABLE
from tests.conftest import REPOSITORY
from tests.faults.host import Event, Spawn, Worker, nothing_is_left, running
from tests.faults.rows import ROWS, Delivered, Row

LINES = range(1, 76)
IN_ROWS = {row.line for row in ROWS}
LIMIT_MIB = 1_536
"""Address space of a page process here, so that a bomb bursts soon."""
PARTS = {
    "damaged": {*range(1, 13), 23},
    "documents": {*range(13, 23), 25, 26},
    "bombs": {24},
    "pictures": {*range(27, 44)},
}
"""Lines by the worker that they go through, so that no worker has all."""


@dataclass(frozen=True)
class Session:
    """The rows of a part in one worker's life."""

    rows: list[Row]
    worker: Worker
    folder: Path
    results: list[Event]
    done: dict[str, Event]
    """By the file's name."""
    hashes: dict[str, str]
    _inspected: dict[str, Event] = field(default_factory=dict)

    def inspect(self, row: Row) -> Event:
        """The answer to `inspect`, which is asked once for each file."""
        if row.name not in self._inspected:
            file = str(self.folder / row.name)
            self._inspected[row.name] = self.worker.ask("inspect", file=file, password=row.password)
        return self._inspected[row.name]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Session]]:
    """The session of a part, from its first test to the last of all."""
    with ExitStack() as stack:
        yield cache(lambda part: stack.enter_context(session_of(part, tmp_path_factory.mktemp(part))))


@pytest.fixture
def session(part: str, sessions: Callable[[str], Session]) -> Session:
    return sessions(part)


@contextmanager
def session_of(part: str, home: Path) -> Iterator[Session]:
    rows = [row for row in ROWS if row.line in PARTS[part]]
    folder = home / "in"
    folder.mkdir()
    for row in rows:
        if row.make:
            (folder / row.name).write_bytes(row.make())
    hashes = _hashes(folder)
    with running(home, Spawn({"OCR_WORKER_MEMORY_LIMIT_MIB": str(LIMIT_MIB)})) as worker:
        results = [_run(worker, folder, home / "out", alike) for alike in _by_options(rows)]
        done = {
            Path(e["file"]).name: e
            for e in (e["data"] for e in worker.events)
            if e.get("kind") == "file_done"
        }
        yield Session(rows, worker, folder, results, done, hashes)


def of_rows(rows: Iterable[Row]) -> pytest.MarkDecorator:
    """Run a test for each of these rows, in the session of its part."""
    parts = {line: part for part, lines in PARTS.items() for line in lines}
    cases = [
        pytest.param(parts[row.line], row, marks=_marks(parts[row.line]), id=f"part={parts[row.line]}-{row}")
        for row in rows
    ]
    return pytest.mark.parametrize(("part", "row"), cases)


def _marks(part: str) -> list[pytest.MarkDecorator]:
    """Bombs burst at their limits, each in its time."""
    return [pytest.mark.long] if part == "bombs" else []


of_parts = pytest.mark.parametrize(
    "part", [pytest.param(part, marks=_marks(part), id=f"part={part}") for part in PARTS]
)


@of_rows(ROWS)
def test_a_file_gets_what_its_line_says(row: Row, session: Session) -> None:
    done = session.done[row.name]

    if row.code:
        assert done["status"] == "failed", done
        assert done["error"]["code"] == row.code
        assert done["error"]["retryable"] is (row.code in RETRYABLE)
        assert row.name in done["error"]["message"]
    else:
        _is_delivered(row, Delivered(done))


@of_rows(row for row in ROWS if row.code)
def test_a_failure_says_what_happened_and_what_to_do(row: Row, session: Session) -> None:
    message = session.done[row.name]["error"]["message"]

    assert re.search(r"\w{3,}\W{0,2}[;.] \w+ .*\w{2,}", message), message


@of_rows(row for row in ROWS if row.line == 15)
def test_what_no_password_opens_asks_for_none(row: Row, session: Session) -> None:
    assert "password" not in session.done[row.name]["error"]["message"]


@of_rows(row for row in ROWS if row.make)
def test_inspect_agrees_with_the_batch(row: Row, session: Session) -> None:
    answer = session.inspect(row)

    if answer["type"] == "error":
        assert answer["data"]["code"] == (row.code or row.page_code)
    else:
        assert answer["data"]["pages"] == session.done[row.name].get("pages") or row.code


@of_rows(row for row in ROWS if not row.code)
def test_inspect_says_the_sizes_that_the_results_say(row: Row, session: Session) -> None:
    answer = session.inspect(row)
    if answer["type"] == "error":
        assert answer["data"]["code"] == row.page_code
        return

    for told, page in zip(answer["data"]["page_list"], Delivered(session.done[row.name]).pages, strict=True):
        if page["status"] != "failed":
            assert told["width_points"] == pytest.approx(page["width_points"], abs=0.01)
            assert told["height_points"] == pytest.approx(page["height_points"], abs=0.01)


@of_parts
def test_every_file_is_in_exactly_one_list(session: Session) -> None:
    for result in session.results:
        listed = [e["file"] for key in ("successful", "failed", "skipped") for e in result[key]]
        assert len(listed) == len(set(listed)) == result["total_files"]
        assert result["status"] == "completed"

    assert sum(result["total_files"] for result in session.results) == len(session.rows)


@of_parts
def test_nothing_is_left_behind_and_the_worker_still_answers(session: Session) -> None:
    assert session.worker.ask("ping")["data"]["state"] == "idle"
    nothing_is_left(session.worker.home)
    assert list(session.worker.temp.iterdir()) == []
    assert not list((session.worker.state / "jobs").rglob("*.page"))


@of_parts
def test_the_originals_are_untouched(session: Session) -> None:
    assert _hashes(session.folder) == session.hashes


@of_parts
def test_no_input_costs_more_memory_than_a_page_may_take(session: Session) -> None:
    assert max(result["statistics"]["peak_rss_bytes"] for result in session.results) < 2 * LIMIT_MIB << 20
    # A bomb costs a process at each of its three tries, and nothing else does.
    bombs = [row for row in session.rows if "crashed" in (row.code, *row.statuses)]
    assert sum(result["statistics"]["worker_restarts"] for result in session.results) == 3 * len(bombs)


@of_parts
def test_passwords_are_never_repeated(session: Session) -> None:
    said = str(session.worker.events) + session.worker.log_text()
    kept = b"".join(
        path.read_bytes() for path in session.worker.home.rglob("*") if path.suffix in {".json", ".sqlite3"}
    )

    for word in {row.password for row in session.rows if row.password}:
        assert f"'{word}'" not in said
        assert f'"{word}"'.encode() not in kept


ELSEWHERE = {
    44: "tests/faults/test_paths.py::test_a_language_that_is_not_installed_is_refused_before_any_work",
    45: "tests/faults/test_paths.py::test_an_odd_language_is_invalid_params",
    46: "tests/faults/test_paths.py::test_what_is_no_file_is_not_regular_and_never_blocks",
    47: "tests/faults/test_paths.py::test_links_that_lead_nowhere_are_not_found",
    48: "tests/faults/test_paths.py::test_a_file_that_may_not_be_read_is_permission",
    49: "tests/faults/test_paths.py::test_awkward_names_are_processed",
    50: "tests/faults/test_paths.py::test_a_name_that_is_not_utf8_is_processed",
    51: "tests/faults/test_outputs.py::test_names_that_look_alike_do_not_collide",
    52: "tests/faults/test_outputs.py::test_names_that_other_systems_refuse_are_made_safe",
    53: "tests/faults/test_outputs.py::test_outputs_stay_inside_the_output_folder",
    54: "tests/faults/test_outputs.py::test_an_output_folder_that_can_not_be_written_is_refused_before_any_work",
    55: "tests/faults/test_outputs.py::test_an_output_that_is_the_input_is_refused",
    56: "tests/faults/test_outputs.py::test_equal_stems_get_distinct_outputs_the_same_on_every_run",
    57: "tests/faults/test_outputs.py::test_the_same_file_twice_is_processed_once",
    58: "tests/faults/test_outputs.py::test_existing_outputs_are_kept_replaced_or_stepped_aside_from",
    59: "tests/faults/test_outputs.py::test_outputs_inside_the_input_folder_are_not_taken_for_inputs",
    60: "tests/faults/test_outputs.py::test_a_pipe_at_the_target_is_refused",
    61: "tests/faults/test_disk.py::test_a_full_output_disk_stops_the_job_and_with_room_it_goes_on",
    62: "tests/faults/test_disk.py::test_a_temp_folder_on_another_device_does_no_harm",
    63: "tests/faults/test_paths.py::test_an_input_that_changes_while_it_is_read_is_changed",
    64: "tests/faults/test_paths.py::test_an_input_deleted_in_mid_run_is_not_found",
    65: "tests/faults/test_disk.py::test_an_output_in_use_is_tried_again_and_then_locked",
    66: "tests/faults/test_kills.py::test_workers_killed_at_any_moment_side_by_side_lose_nothing_blame_nobody_and_resume",
    67: "tests/faults/test_state.py::test_a_kill_in_a_write_of_the_store_leaves_the_state_before",
    68: "tests/e2e/test_deadlines_and_crashes.py::test_a_page_that_crashes_on_every_try_fails_alone",
    69: "tests/e2e/test_deadlines_and_crashes.py::test_a_page_that_hangs_times_out_alone",
    70: "tests/faults/test_engines.py::test_without_an_engine_a_batch_is_refused_with_the_way_to_install_one",
    71: "tests/faults/test_processes.py::test_a_page_killed_for_memory_is_tried_once_more_alone",
    72: "tests/faults/test_processes.py::test_a_batch_of_which_half_fails_stops_after_ten_files",
    73: "tests/e2e/test_durability.py::test_a_job_at_work_in_one_worker_is_refused_by_another_which_does_its_own",
    74: "tests/faults/test_streams.py::test_bad_lines_long_lines_and_the_end_of_input_cost_an_error_each_and_no_more",
    75: "tests/faults/test_clock.py::test_a_clock_that_jumps_moves_neither_limits_nor_the_time_left",
}


def test_every_line_of_inputs_md_has_a_test() -> None:
    assert IN_ROWS.isdisjoint(ELSEWHERE)
    assert sorted(line for lines in PARTS.values() for line in lines) == sorted(IN_ROWS)
    assert sorted(IN_ROWS | set(ELSEWHERE)) == list(LINES)
    for name in ELSEWHERE.values():
        file, _, test = name.partition("::")
        assert f"def {test}(" in (REPOSITORY / file).read_text(encoding="utf-8"), name


def _by_options(rows: list[Row]) -> list[list[Row]]:
    """The rows, those with the same options together."""
    sets = dict.fromkeys(tuple(row.options.items()) for row in rows)
    return [[row for row in rows if tuple(row.options.items()) == options] for options in sets]


def _run(worker: Worker, folder: Path, out: Path, rows: list[Row]) -> Event:
    passwords = {str(folder / row.name): row.password for row in rows if row.password}
    options = {"stop_on_error_threshold": 1.0, "passwords": passwords, **rows[0].options}
    return worker.batch([folder / row.name for row in rows], out, **options)


def _is_delivered(row: Row, file: Delivered) -> None:
    wanted = "completed_with_errors" if row.failed_pages else "completed"
    assert file.done["status"] == wanted, file.done
    assert file.done["pages"] == len(row.texts)
    assert [p["status"] for p in file.pages] == list(row.statuses or ["ok"] * len(row.texts))
    assert [(p["page"], p["code"]) for p in file.done.get("failed_pages", [])] == [
        (page, row.page_code) for page in row.failed_pages
    ]
    for number, (page, text) in enumerate(zip(file.pages, row.texts, strict=True), 1):
        assert text in " ".join(page["text"].split()), page["text"]
        for left, top, right, bottom in (word["box_px"] for word in file.words(number)):
            assert 0 <= left <= right <= page["width_px"]
            assert 0 <= top <= bottom <= page["height_px"]
    for check in row.checks:
        check(file)
    _text_can_be_searched(row, file)


def _text_can_be_searched(row: Row, file: Delivered) -> None:
    document = pypdfium2.PdfDocument(file.pdf, password=row.password)
    assert len(document) == len(row.texts)
    wanted = [number for number, text in enumerate(row.texts) if text][:5]
    for page, text in ((document[number], row.texts[number]) for number in wanted):
        assert text in " ".join(page.get_textpage().get_text_range().split())
    document.close()


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
