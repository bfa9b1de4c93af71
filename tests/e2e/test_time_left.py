"""How long a job will still take, told from pages of unlike size."""

from __future__ import annotations

from pathlib import Path

import pypdf
import pytest

from tests.e2e.host import Host
from tests.e2e.material import Material


def test_a_page_that_is_many_times_larger_is_expected_to_take_many_times_longer(
    worker: Host, material: Material, tmp_path: Path
) -> None:
    scan = material.pdf(tmp_path / "scan.pdf", "qs")
    small, large = (page.mediabox.width * page.mediabox.height for page in pypdf.PdfReader(scan).pages)

    worker.batch([scan], tmp_path / "out", max_workers=1)
    told = worker.wait(lambda event: event["data"].get("page") == 1, "the first page")["data"]

    assert large > 3 * small
    assert told["eta_seconds"] == pytest.approx(told["elapsed_seconds"] * large / small, rel=0.1, abs=0.2)
