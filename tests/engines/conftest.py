"""What tests of several engines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.engines.ocr import tessdata


@pytest.fixture(scope="session")
def english() -> Path:
    """The folder of the English data."""
    return tessdata.find_tessdata(["eng"])["eng"].parent
