"""Scans made by code from text written for them: rendered, worn with fixed seeds, saved with their truth.

`build("noisy", folder, count=3)` leaves three files in the folder and returns where they are and what stands in them.
The same kind, seed and count give the same bytes with the same library versions. No network, no font files, no numpy.
"""

from samples.books import BOOKS, save_blank_book, save_book, save_mixed_book, save_text_book
from samples.hard_kinds import HARD_KINDS
from samples.kinds import KINDS, Sample, build, save_slow_page

__all__ = [
    "BOOKS",
    "HARD_KINDS",
    "KINDS",
    "Sample",
    "build",
    "save_blank_book",
    "save_book",
    "save_mixed_book",
    "save_slow_page",
    "save_text_book",
]
