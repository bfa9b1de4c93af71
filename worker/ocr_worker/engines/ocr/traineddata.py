"""Language data that is not taken on trust: its settings are read before Tesseract obeys them, and it is handed on as a copy.

A traineddata file holds settings of any kind, some of which name files to write or start programs. Besides, Tesseract
takes it for an archive first where it can, so a file may say one thing to us and another to it; the copy can't.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ocr_worker.errors import LanguageMissingError
from ocr_worker.files.regular import open_regular

ENTRIES, CONFIG, VERSION, ABSENT = 24, 0, 23, -1
"""How many entries there are at most, which holds the settings, which is the last, and the place of one that is not there."""
LSTM, PUNCTUATION, WORDS, NUMBERS, CHARACTERS, CODES = 17, 18, 19, 20, 21, 22
"""Of the network, its lists of words, and the characters that it knows."""
_HEAD_BYTES = 4 + 8 * ENTRIES
_Place = tuple[int, int]
MOST_BYTES = 2**28
SUBLANGUAGES = "tessedit_load_sublangs"
_CHARACTERS = {"tessedit_char_blacklist", "tessedit_char_whitelist", "tessedit_char_unblacklist"}
_READING = """
    allow_blob_division assume_fixed_pitch_char_segment chop_enable classify_class_pruner_multiplier
    classify_integer_matcher_multiplier classify_misfit_junk_penalty edges_children_count_limit edges_children_fix
    edges_max_children_layers edges_max_children_per_outline edges_use_new_outline_complexity enable_new_segsearch
    force_word_assoc language_model_ngram_nonmatch_score language_model_ngram_on language_model_ngram_scale_factor
    language_model_ngram_space_delimited_language language_model_penalty_punc language_model_use_sigmoidal_certainty
    load_bigram_dawg load_freq_dawg load_number_dawg load_punc_dawg load_system_dawg load_unambig_dawg
    merge_fragments_in_matrix pageseg_devanagari_split_strategy paragraph_text_based preserve_interword_spaces
    segment_nonalphabetic_script segment_penalty_dict_nonword segment_penalty_garbage segsearch_max_char_wh_ratio
    segsearch_max_futile_classifications stopper_nondict_certainty_base tessedit_ocr_engine_mode
    textord_excess_blobsize textord_force_make_prop_words textord_max_noise_size textord_min_linesize
    textord_no_rejects textord_noise_normratio textord_noise_rejwords textord_noise_sizelimit
    textord_occupancy_threshold textord_single_height_mode textord_space_size_is_variable
    textord_tabfind_aligned_gap_fraction textord_tabfind_vertical_horizontal_mix textord_tabfind_vertical_text_ratio
    textord_tabvector_vertical_box_ratio textord_tabvector_vertical_gap_fraction textord_use_cjk_fp_model
    tosp_force_wordbreak_on_punct tosp_old_sp_kn_th_factor tosp_old_to_constrain_sp_kn tosp_old_to_method
    tosp_only_small_gaps_for_kern tosp_use_pre_chopping wordrec_enable_assoc
"""
"""What the data that Tesseract publishes sets: how it reads, and nothing else."""
_NUMBERS = frozenset(_READING.split())
_NUMBER = re.compile(r"[TF]|true|false|-?[0-9]+(\.[0-9]+)?")
_LANGUAGES = re.compile(r"~?[A-Za-z][A-Za-z0-9_]*(\+~?[A-Za-z][A-Za-z0-9_]*)*")
_LONGEST_LINE_BYTES = 250
"""Tesseract takes what is beyond for another line."""
_CLEAR = 1 << 17
"""Bytes of ours before and after the entries: whatever looks for an archive by its beginning or its end finds none."""
_BEFORE = (b"#" + b" " * 126 + b"\n") * (_CLEAR // 128)
_OLD = b"Pre-4.0.0"
"""The version of data that names none."""


def require_harmless(file: Path) -> tuple[str, ...]:
    """The languages that the data asks for beside its own. Raises LanguageMissingError for data that sets more than how it reads."""
    with _opened(file) as data:
        config = _places(file, data).get(CONFIG)
        return _vetted(file, _read(data, config) if config else b"")


def copy_harmless(file: Path, copy: Path) -> tuple[str, ...]:
    """As `require_harmless`, and leave a copy that holds what was looked at and can be taken for nothing else."""
    entries = read_entries(file)
    more = _vetted(file, entries.get(CONFIG, b""))
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(_written(entries))
    return more


def read_entries(file: Path) -> dict[int, bytes]:
    """What the data holds, by the numbers of its entries. Raises LanguageMissingError for a file that is no data."""
    with _opened(file) as data:
        return {number: _read(data, place) for number, place in _places(file, data).items()}


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        data = open_regular(file)
    except OSError as error:
        raise _refusal(file, f"can't be read ({error.strerror})") from error
    with data:
        yield data


def _places(file: Path, data: BinaryIO) -> dict[int, _Place]:
    """Where the entries lie, by their numbers. Each reaches to the beginning of the next one that there is.

    Tesseract reads them one after the other, from the end of the table on, wherever the table has them begin.
    """
    size, head = data.seek(0, os.SEEK_END), _read(data, (0, _HEAD_BYTES))
    count = int.from_bytes(head[:4], "little")
    first = 4 + 8 * count
    if not 0 < count <= ENTRIES or size > MOST_BYTES or len(head) < first:
        raise _refusal(file, "is none that Tesseract could read")
    begins = struct.unpack_from(f"<{count}q", head, 4)
    there = {number: begin for number, begin in enumerate(begins) if begin != ABSENT}
    if not there:
        raise _refusal(file, "is none that Tesseract could read")
    ends = [*list(there.values())[1:], size]
    places = dict(zip(there, zip(there.values(), ends, strict=True), strict=True))
    begin = next(iter(there.values()))
    if begin != first or any(not first <= begin <= end <= size for begin, end in places.values()):
        raise _refusal(file, "is none that Tesseract could read")
    return places


def _read(data: BinaryIO, place: _Place) -> bytes:
    data.seek(place[0])
    return data.read(place[1] - place[0])


def _written(entries: dict[int, bytes]) -> bytes:
    first, last = _BEFORE + entries.get(CONFIG, b""), entries.get(VERSION, _OLD) + bytes(_CLEAR)
    table, at = [ABSENT] * ENTRIES, _HEAD_BYTES
    whole = dict(sorted({**entries, CONFIG: first, VERSION: last}.items()))
    for number, entry in whole.items():
        table[number] = at
        at += len(entry)
    return b"".join((struct.pack(f"<i{ENTRIES}q", ENTRIES, *table), *whole.values()))


def _vetted(file: Path, config: bytes) -> tuple[str, ...]:
    more: list[str] = []
    for name, value in _settings(file, config):
        if name == SUBLANGUAGES and _LANGUAGES.fullmatch(value):
            more += (code for code in value.split("+") if not code.startswith("~"))
        elif name not in _CHARACTERS and not (name in _NUMBERS and _NUMBER.fullmatch(value)):
            raise _refusal(file, f"sets {name[:60]!r} to {value[:60]!r}, which language data may not")
    return tuple(more)


def _settings(file: Path, config: bytes) -> Iterator[tuple[str, str]]:
    """Names and values, as Tesseract takes them from their lines."""
    for line in config.split(b"\n"):
        if len(line) > _LONGEST_LINE_BYTES:
            raise _refusal(file, "has a line of settings that is too long")
        text = line.decode("utf-8", "surrogateescape").rstrip("\r")
        if text.strip() and not text.startswith("#"):
            if any(ord(character) < 32 and character != "\t" for character in text):
                raise _refusal(file, "has settings that are no text")
            name, _, value = text.replace("\t", " ").partition(" ")
            yield name, value.strip(" ")


def _refusal(file: Path, why: str) -> LanguageMissingError:
    code = file.name.partition(".")[0]
    return LanguageMissingError(
        f"The language data {file} {why}, so it is not used. Install {code} as Tesseract publishes it",
        missing=[code],
    )
