"""The OCR worker: a process that a desktop app spawns, and the library behind it."""
