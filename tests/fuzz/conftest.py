"""Says where this run's mutations begin, so that it can be had again."""

from __future__ import annotations

from tests.fuzz.mutations import FIRST, LONG


def pytest_report_header() -> list[str]:
    return [f"mutations: from OCR_FUZZ_FIRST={FIRST} on"] if LONG else []
