"""The OCR worker: a process that a desktop app spawns, and the library behind it."""

__version__ = "0.2.0"
"""The version of the product: the wheel, `hello` and `ocr-worker version` take it from here."""
