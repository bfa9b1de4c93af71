"""A pytest plugin for Windows: what does not run there is skipped, by the names and for the reasons of docs/windows.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from tests.limits import IS_WINE

if IS_WINE:
    import _winapi

    # Wine 8 ends whoever calls it; without it `shutil` copies as elsewhere.
    vars(_winapi).pop("CopyFile2")

REPOSITORY = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"^- `(tests/[^`]+)`:((?:.|\n  )+)", re.MULTILINE)
"""A file or folder, or one test of a file; then why."""
LACKING = ("needs the command ", "of the extra `second-reader`")
"""Words of reasons that hold on any machine which lacks such a thing."""


@cache
def entries() -> dict[str, str]:
    """What is skipped, and why."""
    text = (REPOSITORY / "docs" / "windows.md").read_text(encoding="utf-8")
    return {name: " ".join(reason.split()) for name, reason in ENTRY.findall(text)}


class Elsewhere(pytest.File):
    """A file that is not even imported, or a folder whose conftest is not."""

    reason = ""

    def collect(self) -> NoReturn:
        pytest.skip(self.reason, allow_module_level=True)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> Elsewhere | None:
    return _elsewhere(path, parent, f"{path.relative_to(REPOSITORY).as_posix()}/")


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Elsewhere | None:
    return _elsewhere(module_path, parent, module_path.relative_to(REPOSITORY).as_posix())


def _elsewhere(path: Path, parent: pytest.Collector, name: str) -> Elsewhere | None:
    """What stands in the place of a file or folder that is skipped whole."""
    if name not in entries():
        return None
    skipped: Elsewhere = Elsewhere.from_parent(parent, path=path)
    skipped.reason = entries()[name]
    return skipped


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skipped = {name: reason for name, reason in entries().items() if "::" in name}
    found = set[str]()
    for item in items:
        for name in _names(item):
            if name in skipped:
                found.add(name)
                item.add_marker(pytest.mark.skip(reason=skipped[name]))
    files = {item.nodeid.partition("::")[0] for item in items}
    gone = [name for name in skipped.keys() - found if name.partition("::")[0] in files]
    if gone:
        raise pytest.UsageError(f"docs/windows.md names tests that are not there: {', '.join(sorted(gone))}")


class Outcomes:
    """Shows a failure at once: a test that hangs ends all, and with it what would be shown at the end.

    A skip that docs/windows.md does not list is a failure, too; but not where a command or an extra is not there.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.unlisted: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._config.get_terminal_writer().line(
                f"\n{report.nodeid} ({report.when})\n{report.longreprtext}"
            )
        elif report.skipped and not hasattr(report, "wasxfail"):
            self._hold_to_the_list(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._hold_to_the_list(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unlisted:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.unlisted:
            terminalreporter.write_line(f"Skipped, and docs/windows.md does not say why: {line}")

    def _hold_to_the_list(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        if not is_listed(report.nodeid) and not any(words in reason for words in LACKING):
            self.unlisted.append(f"{report.nodeid}: {reason}")


def is_listed(nodeid: str) -> bool:
    """Whether docs/windows.md says why a test, or all of its file, is skipped."""
    file = nodeid.partition("::")[0]
    return not entries().keys().isdisjoint({nodeid, nodeid.partition("[")[0], file, f"{file}/"})


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Outcomes(config))


def _names(item: pytest.Item) -> Iterator[str]:
    """As one case, and as a test with all its cases."""
    yield item.nodeid
    yield item.nodeid.partition("[")[0]
