"""What Tesseract calls languages, and the packages that bring their data: so that advice names only what there is."""

from __future__ import annotations

import difflib
import re

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
_NAMES = """
afr: Afrikaans af
amh: Amharic am
ara: Arabic ar العربية
asm: Assamese as
aze: Azerbaijani az azeri
aze_cyrl: Azerbaijani_in_Cyrillic az_cyrl
bel: Belarusian be
ben: Bengali bn bangla
bod: Tibetan bo tib
bos: Bosnian bs
bre: Breton br
bul: Bulgarian bg български
cat: Catalan ca valencian
ceb: Cebuano
ces: Czech cs cze čeština
chi_sim: Simplified_Chinese zh zho chi cn zh_cn zh_sg zh_hans chinese mandarin cmn 中文 简体中文
chi_sim_vert: Simplified_Chinese_in_columns
chi_tra: Traditional_Chinese zh_tw zh_hk zh_mo zh_hant tw 繁體中文
chi_tra_vert: Traditional_Chinese_in_columns
chr: Cherokee
cos: Corsican co
cym: Welsh cy wel cymraeg
dan: Danish da dansk
deu: German de ger deutsch
div: Dhivehi dv maldivian
dzo: Dzongkha dz
ell: Greek el gre ελληνικά
eng: English en
enm: Middle_English
epo: Esperanto eo
est: Estonian et eesti
eus: Basque eu baq euskara
fao: Faroese fo
fas: Persian fa per farsi فارسی
fil: Filipino tl tgl tagalog
fin: Finnish fi suomi
fra: French fr fre francais français
frk: German_in_Fraktur de_latf
frm: Middle_French
fry: West_Frisian fy frisian
gla: Scottish_Gaelic gd
gle: Irish ga gaeilge
glg: Galician gl galego
grc: Ancient_Greek
guj: Gujarati gu
hat: Haitian_Creole ht haitian kreyol
heb: Hebrew he iw עברית
hin: Hindi hi हिन्दी
hrv: Croatian hr hrvatski
hun: Hungarian hu magyar
hye: Armenian hy arm
iku: Inuktitut iu
ind: Indonesian id in
isl: Icelandic is ice
ita: Italian it italiano
ita_old: Old_Italian
jav: Javanese jv jw
jpn: Japanese ja jp 日本語
jpn_vert: Japanese_in_columns
kan: Kannada kn
kat: Georgian ka geo
kat_old: Old_Georgian
kaz: Kazakh kk
khm: Khmer km cambodian
kir: Kyrgyz ky kirghiz
kmr: Kurdish ku kur kurmanji
kor: Korean ko 한국어
kor_vert: Korean_in_columns
lao: Lao lo laotian
lat: Latin la
lav: Latvian lv
lit: Lithuanian lt
ltz: Luxembourgish lb
mal: Malayalam ml
mar: Marathi mr
mkd: Macedonian mk mac
mlt: Maltese mt
mon: Mongolian mn
mri: Maori mi mao
msa: Malay ms may
mya: Burmese my bur
nep: Nepali ne
nld: Dutch nl dut nederlands flemish
nor: Norwegian no nb nn nob nno norsk
oci: Occitan oc
ori: Odia or oriya
pan: Punjabi pa
pol: Polish pl polski
por: Portuguese pt portugues português
pus: Pashto ps
que: Quechua qu
ron: Romanian ro rum moldavian
rus: Russian ru русский
san: Sanskrit sa
sin: Sinhala si sinhalese
slk: Slovak sk slo
slv: Slovenian sl slovene
snd: Sindhi sd
spa: Spanish es espanol español castilian
spa_old: Old_Spanish
sqi: Albanian sq alb
srp: Serbian sr српски
srp_latn: Serbian_in_Latin_letters sr_latn serbian_latin
sun: Sundanese su
swa: Swahili sw
swe: Swedish sv svenska
syr: Syriac
tam: Tamil ta
tat: Tatar tt
tel: Telugu te
tgk: Tajik tg
tha: Thai th ไทย
tir: Tigrinya ti
ton: Tongan to
tur: Turkish tr turkce türkçe
uig: Uyghur ug uighur
ukr: Ukrainian uk українська
urd: Urdu ur
uzb: Uzbek uz
uzb_cyrl: Uzbek_in_Cyrillic uz_cyrl
vie: Vietnamese vi tiếng_việt
yid: Yiddish yi ji ייִדיש
yor: Yoruba yo
"""
"""Of each code the English name, and what else people call it: ISO 639-1, the other code of ISO 639-2, names."""
CODE_LETTERS = 3
_TAG = re.compile(
    r"(?P<base>[a-z]{2,3})(?P<script>_(latn|latf|cyrl|hans|hant|arab|deva|guru))?(_([a-z]{2}|[0-9]{3}))?(_([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
)
"""A tag such as zh-Hant-TW, es-419 or de-CH-1996."""
_NAMES_OF = {
    code: names.split() for code, _, names in (row.partition(": ") for row in _NAMES.split("\n") if row)
}
_CODES_BY_NAME = {name.casefold(): code for code, names in _NAMES_OF.items() for name in names}


def package_of(code: str) -> str | None:
    """The system's package with its data; None where there is none."""
    if code in CODES:
        return f"tesseract-ocr-{code.replace('_', '-')}"
    script = SCRIPTS.get(code.removeprefix("script/")) if "/" in code else None
    return f"tesseract-ocr-script-{script}" if script else None


def name_of(code: str) -> str:
    """What it is called in English; of a script its name; empty for what Tesseract does not publish."""
    if code in _NAMES_OF:
        return _NAMES_OF[code][0].replace("_", " ")
    script = code.removeprefix("script/")
    return f"{script.replace('_', ' ')} script" if code.startswith("script/") and script in SCRIPTS else ""


def code_of(name: str) -> str | None:
    """The code that a name, an ISO code or a tag stands for without doubt: `deu` for de, ger, German or de-AT."""
    if name in CODES or (name.startswith("script/") and name.removeprefix("script/") in SCRIPTS):
        return name
    plain = re.sub(r"[-\s]+", "_", name.strip().casefold())
    tag = _TAG.fullmatch(plain)
    for known in (plain, *((tag["base"] + (tag["script"] or ""), tag["base"]) if tag else ())):
        if found := _CODES_BY_NAME.get(known) or (known if known in CODES else None):
            return found
    script = plain.removeprefix("script/")
    return next((f"script/{known}" for known in SCRIPTS if known.casefold() == script), None)


def nearest(code: str) -> str | None:
    """The code that was probably meant by one that is none: `deu` for de, ger, german or due."""
    if "/" in code:
        match = difflib.get_close_matches(code.partition("/")[2], SCRIPTS, 1)
        return f"script/{match[0]}" if match else None
    if found := code_of(code):
        return found
    plain = code.casefold().replace("-", "_")
    # The same letters in another order, before the same beginning, before a name with a wrong letter.
    close = [known for known in sorted(CODES) if sorted(known) == sorted(plain)]
    if len(plain) == CODE_LETTERS:
        close += [known for known in sorted(CODES) if len(known) == CODE_LETTERS and known[:2] == plain[:2]]
    else:
        close += difflib.get_close_matches(plain, sorted(CODES | _CODES_BY_NAME.keys()), 1, 0.75)
    return _CODES_BY_NAME.get(close[0], close[0]) if close else None
