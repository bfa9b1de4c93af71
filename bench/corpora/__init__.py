"""Scans made by code from text written for them: rendered, worn with fixed seeds, saved with their truth.

`build("noisy", folder, count=3)` leaves three files in the folder and returns where they are and what stands in them.
The same kind, seed and count give the same bytes with the same library versions. No network, no font files, no numpy.
"""

from bench.corpora.books import BOOKS, save_blank_book, save_book, save_mixed_book, save_text_book
from bench.corpora.kinds import KINDS, Sample, build

__all__ = [
    "BOOKS",
    "KINDS",
    "Sample",
    "build",
    "save_blank_book",
    "save_book",
    "save_mixed_book",
    "save_text_book",
]
