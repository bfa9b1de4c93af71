"""`languages: auto`: which of the installed languages a file is in, told from a sample of its pages.

A page is read once by whichever language is at hand; the lists of words in the data of all that share its script say which
are likely; and of the likeliest, which have read it themselves, the one counts that knows most of what it read, surely.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ocr_worker.engines.images import image_files
from ocr_worker.engines.images.grey_image import GreyImage
from ocr_worker.engines.ocr import registry
from ocr_worker.engines.ocr.engine import ScriptFinder
from ocr_worker.engines.ocr.languages import name_of
from ocr_worker.engines.ocr.tessdata import SCRIPT
from ocr_worker.engines.ocr.vocabulary import Vocabulary, of_script, vocabulary
from ocr_worker.errors import LanguageMissingError, OcrError
from ocr_worker.model.page import Page
from ocr_worker.model.tasks import PageSettings, PageTask, Source
from ocr_worker.pages.page import PageWork
from ocr_worker.pages.rendering import draw, load_sheet, take_image

LIKELIEST = 3
"""So many read the sample themselves."""
ENOUGH_LETTERS = 60
"""In words, on a page from which a language can be told; with less another page is looked at, too."""
MOST_PAGES = 3
SURE_SCRIPT = 0.6
"""A reading that is so sure, and so much of which is in words that are known, is in the right script."""
LEAST_SURETY = 0.3
"""Below, a reading is no text, where the page's look does not say of what script it is either."""
LEAST_TOLD = 0.12
"""Of what the likeliest language has read: grainy print and faxes have 0.49 at least, what is in another script 0.06."""
FRAKTUR = "Fraktur"
_OLD = frozenset({"enm", "frm", "frk", "ita_old", "kat_old", "spa_old", "deu_latf", "deu_frak", "grc"})
"""Of old books alone; taken where nothing else reads the script, or for Fraktur."""
_FRAKTUR_CODES = frozenset({"frk", "deu_latf", "deu_frak", "script/Fraktur"})
_SCRIPT_OF_FINDER = {"Japanese": "Han", "Korean": "Hangul"}
"""By most of the characters of their data; kana tell Japanese from Chinese, once both have read the page."""
_ASKED_FOR = {"Han": "Chinese", "Latin": "script/Latin", FRAKTUR: "frk"}
"""Where what the finder says is not what `ocr-worker languages` calls it, or means another."""
_UNSPACED = frozenset({"Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"})
"""What is written without spaces has no words to be looked up."""
_KANA = frozenset({"Hiragana", "Katakana"})
LEAST_KANA = 0.1
UNTOLD = "The language could not be told, as too little was read in any that is installed; it was read as {}"
LACKING = (
    "The page looks to be in {} letters, which no installed language has; it was read as {}. "
    "`ocr-worker languages {}` says how to get one"
)


@dataclass(frozen=True, slots=True)
class Told:
    languages: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """What a page says of its language."""

    code: str | None = None
    """None where there is too little to tell it from."""
    reader: str = ""
    """Then, who reads it best, if anybody was looked for."""
    lacking: str = ""
    """Then, the script that it looks to be in, where none that is installed has it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A page as one language read it."""

    words: tuple[tuple[str, float], ...]
    """With their confidences, from 0 to 1."""
    is_own_text: bool = False
    """The file's own text, which no language has read."""

    @property
    def letters(self) -> int:
        return sum(len(word) for word, _ in self.words)

    @property
    def confidence(self) -> float:
        return sum(len(word) * sure for word, sure in self.words) / (self.letters or 1)


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    work: PageWork
    scratch: Path

    def of_file(self, source: Source, kind: str, pages: int, settings: PageSettings) -> Told:
        """The language of a file with so many pages. Raises LanguageMissingError when none is installed."""
        return self.of_pages(source, kind, _sample_pages(pages), settings)

    def of_pages(self, source: Source, kind: str, pages: Iterable[int], settings: PageSettings) -> Told:
        """The language of the first of these pages that tells it. Raises LanguageMissingError when none is installed."""
        known = _candidates(settings)
        if not known:
            raise LanguageMissingError(registry.NOT_ANY, missing=list(settings.languages))
        if len(known) == 1:
            return Told((next(iter(known)),))
        usual, untold = _reader(known), Guess()
        for page in pages:
            try:
                guess = _File(self.work, source, kind, settings, self.scratch, page, known).language(usual)
            except OcrError:
                # Of a page that can't be read its own task will tell.
                continue
            if guess.code:
                return Told((guess.code,))
            untold = untold if untold.reader or untold.lacking else guess
        return _untold(untold.reader or usual, untold.lacking)


@dataclass(frozen=True, slots=True)
class _File:
    """A page of a file, and the languages that might be its."""

    work: PageWork
    source: Source
    kind: str
    settings: PageSettings
    scratch: Path
    page: int
    known: Mapping[str, Vocabulary]

    def language(self, usual: str) -> Guess:
        first = self._read(usual)
        if first.is_own_text:
            return Guess(self._of_text(first))
        scripts = self._of_script(self.known[usual].script)
        surety = first.confidence * _known_share(first, scripts.values())
        if surety < SURE_SCRIPT:
            script = self._found_script()
            found = self._looking_so(script)
            lacking = "" if found else script
            if found and usual not in found:
                reader = _reader(found)
                other = self._read(reader)
                # The look of a card may be anything.
                if other.confidence > first.confidence:
                    usual, first, scripts = reader, other, found
                else:
                    found = {}
            if not found and surety < LEAST_SURETY:
                return Guess(lacking=lacking)
            scripts = found or scripts
        return self._of_scripts(usual, first, scripts)

    def _of_scripts(self, usual: str, first: Sample, scripts: Mapping[str, Vocabulary]) -> Guess:
        """Of those that the page may be in; `first` is how one of them has read it."""
        if len(scripts) == 1:
            return Guess(next(iter(scripts)))
        if first.letters < ENOUGH_LETTERS:
            return Guess(reader=usual)
        return self._best(usual, first, scripts)

    def _best(self, usual: str, first: Sample, scripts: Mapping[str, Vocabulary]) -> Guess:
        likeliest = _ranked(first, scripts)[:LIKELIEST]
        read = {code: first if code == usual else self._read(code) for code in likeliest}
        spaced = not any(scripts[code].script in _UNSPACED for code in likeliest)
        if not spaced:
            return Guess(max(likeliest, key=lambda code: _unspaced_quality(read[code], scripts[code])))
        best = max(likeliest, key=lambda code: read[code].confidence * _votes(read[code], scripts)[code])
        # The look of one script may be taken for another's, of which nobody then reads a word.
        surety = read[best].confidence * _known_share(read[best], [scripts[best]])
        return Guess(best) if surety >= LEAST_TOLD else Guess()

    def _of_text(self, text: Sample) -> str | None:
        if text.letters < ENOUGH_LETTERS:
            return None
        scripts = self._of_script(_script_of(word for word, _ in text.words))
        return _ranked(text, scripts)[0] if scripts else None

    def _of_script(self, script: str) -> dict[str, Vocabulary]:
        return _usual({code: one for code, one in self.known.items() if one.script == script})

    def _found_script(self) -> str:
        """The script that the page looks to be in; empty where that can't be told."""
        finder = self.work.engines.finder(replace(self.settings, languages=tuple(self.known)[:1]))
        image = self._bitmap()
        if not isinstance(finder, ScriptFinder) or image is None:
            return ""
        return finder.find_script(image)

    def _looking_so(self, script: str) -> dict[str, Vocabulary]:
        if script == FRAKTUR:
            return {code: one for code, one in self.known.items() if code in _FRAKTUR_CODES}
        return self._of_script(_SCRIPT_OF_FINDER.get(script, script))

    def _bitmap(self) -> GreyImage | None:
        path, most = Path(self.source.place), self.settings.max_pixels
        if self.kind != "pdf":
            with image_files.opened(path, self.kind, most) as opened:
                image_files.select_page(opened, path, self.page, most)
                return image_files.read_grey(opened, path)
        pdf = self.work.documents.pdf(path, self.source.password, self.source.stamp)
        sheet = load_sheet(pdf, self.page)
        return take_image(pdf, sheet, self.settings) or draw(pdf, sheet, self.settings, path)

    def _read(self, code: str) -> Sample:
        # A sample is to be quick, and what is told of it is by the data's own network.
        settings = replace(self.settings, languages=(code,), second_reader="off")
        task = PageTask(self.source, settings, self.page, str(self.scratch / "sample.page"))
        page = self.work.process(task)
        return Sample(tuple(_words(page)), page.status == "has_text")


def _untold(code: str, lacking: str) -> Told:
    name = name_of(code) or code
    warning = (
        LACKING.format(lacking, name, _ASKED_FOR.get(lacking, lacking)) if lacking else UNTOLD.format(name)
    )
    return Told((code,), (warning,))


def _candidates(settings: PageSettings) -> dict[str, Vocabulary]:
    """By their codes; those of whole scripts, and of columns, only where there are no others."""
    files = registry.data_files(settings)
    found = {
        code: known
        for code, file in sorted(files.items())
        if (known := of_script(code.removeprefix(SCRIPT)) if code.startswith(SCRIPT) else vocabulary(file))
    }
    return {code: known for code, known in found.items() if not code.endswith("_vert")} or found


def _usual(known: dict[str, Vocabulary]) -> dict[str, Vocabulary]:
    """Without those of old books and of whole scripts, as far as there are others."""
    usual = {code: one for code, one in known.items() if code not in _OLD and "/" not in code}
    return usual or {code: one for code, one in known.items() if code not in _OLD} or known


def _reader(scripts: Mapping[str, Vocabulary]) -> str:
    return "eng" if "eng" in scripts else next(iter(scripts))


def _sample_pages(pages: int) -> list[int]:
    return list(dict.fromkeys([1, (pages + 1) // 2, pages]))[:MOST_PAGES]


def _words(page: Page) -> Iterator[tuple[str, float]]:
    for word in page.words:
        letters = "".join(one for one in word.text if one.isalpha() or unicodedata.combining(one))
        if len(letters) > 1 or (letters and unicodedata.east_asian_width(letters[0]) == "W"):
            yield letters, 1.0 if word.confidence is None else word.confidence / 100


def _known_share(sample: Sample, vocabularies: Iterable[Vocabulary]) -> float:
    """Of its letters, those in words that one of these knows."""
    lists = list(vocabularies)
    known = sum(len(word) for word, _ in sample.words if any(one.knows(word) for one in lists))
    return known / (sample.letters or 1)


def _ranked(sample: Sample, vocabularies: Mapping[str, Vocabulary]) -> list[str]:
    """The likeliest first."""
    votes = _votes(sample, vocabularies)
    return sorted(votes, key=lambda code: (-votes[code], code))


def _votes(sample: Sample, vocabularies: Mapping[str, Vocabulary]) -> dict[str, float]:
    """Each word speaks for those that know it, the more the fewer they are: lists hold much of other languages."""
    votes = dict.fromkeys(vocabularies, 0.0)
    for word, _ in sample.words:
        knowing = [code for code, one in vocabularies.items() if one.knows(word)]
        for code in knowing:
            votes[code] += len(word) / len(knowing) / (sample.letters or 1)
    return votes


def _unspaced_quality(sample: Sample, known: Vocabulary) -> float:
    # Japanese has kana in every sentence; the same Han characters without are Chinese.
    is_chinese = known.scripts & _KANA and _kana_share(sample) < LEAST_KANA
    return sample.confidence * (0.5 if is_chinese else 1.0)


def _kana_share(sample: Sample) -> float:
    kana = sum("\u3041" <= letter <= "\u30ff" for word, _ in sample.words for letter in word)
    return kana / (sample.letters or 1)


def _script_of(words: Iterable[str]) -> str:
    """Of a text, as language data names it."""
    counted = Counter(
        unicodedata.name(letter, "").partition(" ")[0].title() for word in words for letter in word
    )
    name = counted.most_common(1)[0][0] if counted else ""
    return "Han" if name == "Cjk" or counted["Hiragana"] + counted["Katakana"] > 0 else name
