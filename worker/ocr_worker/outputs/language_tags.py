"""Language codes as BCP 47 writes them: `deu` is `de`, `chi_sim` is `zh-Hans`."""

from __future__ import annotations

_PAIRS = (
    "afr:af amh:am ara:ar asm:as aze:az bel:be ben:bn bod:bo bos:bs bre:br bul:bg cat:ca ces:cs cos:co cym:cy "
    "dan:da deu:de div:dv dzo:dz ell:el eng:en epo:eo est:et eus:eu fao:fo fas:fa fin:fi fra:fr fry:fy gla:gd "
    "gle:ga glg:gl guj:gu hat:ht heb:he hin:hi hrv:hr hun:hu hye:hy iku:iu ind:id isl:is ita:it jav:jv jpn:ja "
    "kan:kn kat:ka kaz:kk khm:km kir:ky kor:ko lao:lo lat:la lav:lv lit:lt ltz:lb mal:ml mar:mr mkd:mk mlt:mt "
    "mon:mn mri:mi msa:ms mya:my nep:ne nld:nl nor:no oci:oc ori:or pan:pa pol:pl por:pt pus:ps que:qu ron:ro "
    "rus:ru san:sa sin:si slk:sk slv:sl snd:sd spa:es sqi:sq srp:sr sun:su swa:sw swe:sv tam:ta tat:tt tel:te "
    "tgk:tg tha:th tir:ti ton:to tur:tr uig:ug ukr:uk urd:ur uzb:uz vie:vi yid:yi yor:yo"
)
_SHORT = dict(pair.split(":") for pair in _PAIRS.split())
_WHOLE = {
    "chi_sim": "zh-Hans", "chi_tra": "zh-Hant", "aze_cyrl": "az-Cyrl", "srp_latn": "sr-Latn", "uzb_cyrl": "uz-Cyrl",
    "deu_latf": "de-Latf", "deu_frak": "de-Latf", "frk": "de-Latf", "kmr": "kmr-Latn",
}  # fmt: skip
_SCRIPTS = {
    "Arabic": "Arab", "Armenian": "Armn", "Bengali": "Beng", "Cyrillic": "Cyrl", "Devanagari": "Deva",
    "Ethiopic": "Ethi", "Fraktur": "Latf", "Georgian": "Geor", "Greek": "Grek", "HanS": "Hans", "HanT": "Hant",
    "Hangul": "Hang", "Hebrew": "Hebr", "Japanese": "Jpan", "Latin": "Latn", "Thai": "Thai",
}  # fmt: skip
UNKNOWN = "und"


def tag(language: str) -> str:
    """`und` for what is none of the known ones, or a script: a model for it reads many languages."""
    name = language.removesuffix("_vert")
    if name.startswith("script/"):
        script = _SCRIPTS.get(name.removeprefix("script/"))
        return f"{UNKNOWN}-{script}" if script else UNKNOWN
    if name in _WHOLE:
        return _WHOLE[name]
    code = name.split("_")[0]
    # Those of three letters that have no shorter one stand for themselves.
    return _SHORT.get(code, code if len(code) == 3 and code.isascii() and code.isalpha() else UNKNOWN)


def tags(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, in this order."""
    return tuple(dict.fromkeys(map(tag, languages)))
