"""What tests of several engines share."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocr_worker.engines import catalogue


@pytest.fixture(scope="session")
def english() -> Path:
    """The folder of the English data."""
    return catalogue.find_tessdata(["eng"])["eng"].parent
