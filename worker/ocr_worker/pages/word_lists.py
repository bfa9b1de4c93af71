"""Whether a text makes words of the languages that were asked for, in scripts of which only their word lists can tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from contextlib import suppress

from ocr_worker.errors import OcrError
from ocr_worker.model.tasks import PageSettings

SCRIPTS = {"Cyrillic", "Greek"}
FEWEST_WORDS, KNOWN = 15, 0.15
"""Of a text with its letters exchanged hardly any are on a list; of one in another language of the script a fifth is."""
_MOST_CHARACTERS = 5_000
_WORD = re.compile(r"[^\W\d_]{4,}")


def make_no_words(text: str, settings: PageSettings) -> bool:
    """Of a text in one of these scripts; False where no list is at hand."""
    if text.isascii():
        return False
    words = {word for word in _WORD.findall(text[:_MOST_CHARACTERS]) if not word.isascii()}
    scripts = Counter(unicodedata.name(word[0], "").partition(" ")[0].title() for word in words)
    script, count = scripts.most_common(1)[0] if scripts else ("", 0)
    if script not in SCRIPTS or count < FEWEST_WORDS:
        return False
    # Late, as most pages of real text are in Latin script.
    from ocr_worker.engines.ocr import registry
    from ocr_worker.engines.ocr.vocabulary import vocabulary

    lists = []
    # Pages of text need no engine.
    with suppress(OcrError):
        files = registry.data_files(settings)
        found = (vocabulary(files[code]) for code in settings.languages if code in files)
        lists = [one for one in found if one and one.has_words and one.script == script]
    known = sum(any(one.knows(word) for one in lists) for word in words)
    return bool(lists) and known < KNOWN * len(words)
