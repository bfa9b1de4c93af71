"""What a machine lacks that it could have is a named skip at home, and a failure in CI: a green run has run it all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import miss, need_command
from tests.faults import injection
from tests.faults.conftest import Mounted

at_home_and_in_ci = pytest.mark.parametrize(
    ("ci", "end"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)


def _use_what_is_missing() -> None:
    miss("needs a thing")


def _call_what_is_missing() -> None:
    need_command("no-such-command")


def _trace() -> None:
    injection.failing("fsync:error=EIO")


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (_use_what_is_missing, "needs a thing"),
        (_call_what_is_missing, "needs the command no-such-command"),
        pytest.param(_trace, "does not let strace trace", marks=pytest.mark.needs("strace")),
    ],
)
@at_home_and_in_ci
def test_what_a_machine_lacks_fails_in_ci_and_is_skipped_elsewhere(
    use: Callable[[], None],
    reason: str,
    ci: str,
    end: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(injection, "_may_trace", lambda: False)

    with pytest.raises(end, match=reason):
        use()


@at_home_and_in_ci
def test_a_file_system_that_can_not_be_mounted_is_lacked_too(
    ci: str, end: type[BaseException], mount: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci)

    with pytest.raises(end, match="can't mount"):
        mount("disk", "-t", "no-such-file-system", "none")
