"""What a machine lacks that it could have is a named skip at home, and a failure in CI: a green run has run it all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import miss
from tests.faults import injection
from tests.faults.conftest import Mounted


def _use_what_is_missing(_: Mounted) -> None:
    miss("needs a thing")


def _trace(_: Mounted) -> None:
    injection.failing("fsync:error=EIO")


def _mount(mount: Mounted) -> None:
    mount("disk", "-t", "no-such-file-system", "none")


@pytest.mark.parametrize("use", [_use_what_is_missing, _trace, _mount])
@pytest.mark.parametrize(("ci", "end"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_a_machine_lacks_fails_in_ci_and_is_skipped_elsewhere(
    use: Callable[[Mounted], None],
    ci: str,
    end: type[BaseException],
    mount: Mounted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(injection, "_missing", lambda: "needs the command strace")

    with pytest.raises(end, match=r"needs|can't mount"):
        use(mount)
