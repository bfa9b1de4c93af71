"""Whether the page in the package is that of its sources is told without npm."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import REPOSITORY
from tools import service_page


def test_the_page_was_built_of_the_sources_as_they_stand() -> None:
    assert service_page.main() == 0


def test_a_source_that_has_changed_since_or_is_gone_is_named() -> None:
    path = Path(service_page.__file__)

    changed = service_page.changed(
        f"{'0' * 64}  {path.relative_to(REPOSITORY).as_posix()}\n{'0' * 64}  apps/ui/gone.ts\n"
    )

    assert changed == ["tools/service_page.py", "apps/ui/gone.ts"]
