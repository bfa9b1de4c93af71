"""The words that some options of a batch can have."""

from __future__ import annotations

from typing import Literal

OutputKind = Literal["pdf", "txt", "json", "hocr", "alto"]
OnExisting = Literal["skip", "overwrite", "suffix"]
ExistingText = Literal["skip", "redo", "force"]
Signed = Literal["refuse", "unsigned_copy"]
Switch = Literal["auto", "on", "off"]
SecondReading = Literal["auto", "off", "words", "page"]

TOLD = "auto"
"""In place of languages: to be told from the file."""
