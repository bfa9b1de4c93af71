"""What Tesseract calls languages, and the packages that bring their data: so that advice names only what there is."""

from __future__ import annotations

import difflib

_CODES = """afr amh ara asm aze aze_cyrl bel ben bod bos bre bul cat ceb ces chi_sim chi_sim_vert chi_tra chi_tra_vert chr cos
    cym dan deu div dzo ell eng enm epo est eus fao fas fil fin fra frk frm fry gla gle glg grc guj hat heb hin hrv hun
    hye iku ind isl ita ita_old jav jpn jpn_vert kan kat kat_old kaz khm kir kmr kor kor_vert lao lat lav lit ltz mal mar
    mkd mlt mon mri msa mya nep nld nor oci ori pan pol por pus que ron rus san sin slk slv snd spa spa_old sqi srp
    srp_latn sun swa swe syr tam tat tel tgk tha tir ton tur uig ukr urd uzb uzb_cyrl vie yid yor"""
CODES = frozenset(_CODES.split())
"""Of those each has a package tesseract-ocr-CODE, in Debian, Ubuntu and their kin."""
SCRIPTS = {
    "Arabic": "arab", "Armenian": "armn", "Bengali": "beng", "Canadian_Aboriginal": "cans", "Cherokee": "cher",
    "Cyrillic": "cyrl", "Devanagari": "deva", "Ethiopic": "ethi", "Fraktur": "frak", "Georgian": "geor", "Greek": "grek",
    "Gujarati": "gujr", "Gurmukhi": "guru", "Hangul": "hang", "Hangul_vert": "hang-vert", "HanS": "hans",
    "HanS_vert": "hans-vert", "HanT": "hant", "HanT_vert": "hant-vert", "Hebrew": "hebr", "Japanese": "jpan",
    "Japanese_vert": "jpan-vert", "Kannada": "knda", "Khmer": "khmr", "Lao": "laoo", "Latin": "latn", "Malayalam": "mlym",
    "Myanmar": "mymr", "Oriya": "orya", "Sinhala": "sinh", "Syriac": "syrc", "Tamil": "taml", "Telugu": "telu",
    "Thaana": "thaa", "Thai": "thai", "Tibetan": "tibt", "Vietnamese": "viet",
}  # fmt: skip
"""`script/NAME` to the end of its package's name."""
_NAMES = {
    "deu": "de ger german deutsch", "eng": "en english", "fra": "fr fre french francais français", "spa": "es spanish espanol español",
    "ita": "it italian italiano", "por": "pt portuguese portugues português", "nld": "nl dut dutch nederlands",
    "ces": "cs cze czech", "slk": "sk slo slovak", "slv": "sl slovene slovenian", "pol": "pl polish", "rus": "ru russian",
    "ukr": "uk ukrainian", "bul": "bg bulgarian", "ell": "el gre greek", "ron": "ro rum romanian", "hun": "hu hungarian",
    "swe": "sv swedish", "dan": "da danish", "nor": "no nb nn nob nno norwegian", "fin": "fi finnish", "isl": "is ice icelandic",
    "est": "et estonian", "lav": "lv latvian", "lit": "lt lithuanian", "hrv": "hr croatian", "srp": "sr serbian",
    "bos": "bs bosnian", "mkd": "mk mac macedonian", "sqi": "sq alb albanian", "tur": "tr turkish", "ara": "ar arabic",
    "heb": "he iw hebrew", "fas": "fa per persian farsi", "hin": "hi hindi", "ben": "bn bengali", "urd": "ur urdu",
    "tam": "ta tamil", "tel": "te telugu", "mar": "mr marathi", "guj": "gu gujarati", "pan": "pa punjabi", "tha": "th thai",
    "vie": "vi vietnamese", "ind": "id indonesian", "msa": "ms may malay", "fil": "tl tgl filipino tagalog",
    "jpn": "ja jp japanese", "kor": "ko korean", "chi_sim": "zh zho chi cn zh_cn zh_hans chinese", "chi_tra": "zh_tw zh_hant tw",
    "hye": "hy arm armenian", "kat": "ka geo georgian", "eus": "eu baq basque", "cat": "ca catalan", "glg": "gl galician",
    "cym": "cy wel welsh", "gle": "ga irish", "lat": "la latin", "afr": "af afrikaans", "mya": "my bur burmese",
    "bod": "bo tib tibetan", "kmr": "ku kur kurdish", "swa": "sw swahili", "bel": "be belarusian", "mri": "mi mao maori",
}  # fmt: skip
CODE_LETTERS = 3
_CODES_BY_NAME = {name: code for code, names in _NAMES.items() for name in names.split()}


def package_of(code: str) -> str | None:
    """The system's package with its data; None where there is none."""
    if code in CODES:
        return f"tesseract-ocr-{code.replace('_', '-')}"
    script = SCRIPTS.get(code.removeprefix("script/")) if "/" in code else None
    return f"tesseract-ocr-script-{script}" if script else None


def nearest(code: str) -> str | None:
    """The code that was probably meant by one that is none: `deu` for de, ger, german or due."""
    if "/" in code:
        match = difflib.get_close_matches(code.partition("/")[2], SCRIPTS, 1)
        return f"script/{match[0]}" if match else None
    plain = code.casefold().replace("-", "_")
    if found := _CODES_BY_NAME.get(plain) or _CODES_BY_NAME.get(plain.partition("_")[0]):
        return found
    if plain in CODES:
        return plain
    if scripts := [name for name in SCRIPTS if name.casefold() == plain]:
        return f"script/{scripts[0]}"
    # The same letters in another order, before the same beginning, before a name with a wrong letter.
    close = [known for known in sorted(CODES) if sorted(known) == sorted(plain)]
    if len(plain) == CODE_LETTERS:
        close += [known for known in sorted(CODES) if len(known) == CODE_LETTERS and known[:2] == plain[:2]]
    else:
        close += difflib.get_close_matches(plain, sorted(CODES | _CODES_BY_NAME.keys()), 1, 0.75)
    return _CODES_BY_NAME.get(close[0], close[0]) if close else None
