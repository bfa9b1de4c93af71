"""What Tesseract calls languages, and the packages that bring their data: so that advice names only what there is."""

from __future__ import annotations

import difflib
import re
import unicodedata

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
amh: Amharic am አማርኛ
ara: Arabic ar العربية arb
asm: Assamese as
aze: Azerbaijani az azeri azərbaycan azj
aze_cyrl: Azerbaijani_in_Cyrillic az_cyrl
bel: Belarusian be беларуская
ben: Bengali bn bangla বাংলা
bod: Tibetan bo tib བོད་སྐད།
bos: Bosnian bs bosanski
bre: Breton br brezhoneg
bul: Bulgarian bg български
cat: Catalan ca valencian català valencià
ceb: Cebuano
ces: Czech cs cze čeština
chi_sim: Simplified_Chinese zh zho chi cn zh_cn zh_sg zh_hans chinese mandarin cmn 中文 简体中文 chinese_simplified
chi_sim_vert: Simplified_Chinese_in_columns
chi_tra: Traditional_Chinese zh_tw zh_hk zh_mo zh_hant tw 繁體中文 chinese_traditional 繁体中文
chi_tra_vert: Traditional_Chinese_in_columns
chr: Cherokee
cos: Corsican co corsu
cym: Welsh cy wel cymraeg
dan: Danish da dansk
deu: German de ger deutsch
div: Dhivehi dv maldivian
dzo: Dzongkha dz
ell: Greek el gre ελληνικά
eng: English en
enm: Middle_English
epo: Esperanto eo
est: Estonian et eesti ekk
eus: Basque eu baq euskara euskera
fao: Faroese fo føroyskt
fas: Persian fa per farsi فارسی pes prs dari
fil: Filipino tl tgl tagalog
fin: Finnish fi suomi
fra: French fr fre francais français
frk: German_in_Fraktur de_latf
frm: Middle_French
fry: West_Frisian fy frisian frysk
gla: Scottish_Gaelic gd gàidhlig
gle: Irish ga gaeilge irish_gaelic
glg: Galician gl galego gallego
grc: Ancient_Greek
guj: Gujarati gu ગુજરાતી
hat: Haitian_Creole ht haitian kreyol kreyòl_ayisyen
heb: Hebrew he iw עברית ivrit
hin: Hindi hi हिन्दी
hrv: Croatian hr hrvatski
hun: Hungarian hu magyar
hye: Armenian hy arm հայերեն
iku: Inuktitut iu
ind: Indonesian id in bahasa_indonesia
isl: Icelandic is ice íslenska
ita: Italian it italiano
ita_old: Old_Italian
jav: Javanese jv jw basa_jawa
jpn: Japanese ja jp 日本語 nihongo
jpn_vert: Japanese_in_columns
kan: Kannada kn ಕನ್ನಡ
kat: Georgian ka geo ქართული
kat_old: Old_Georgian
kaz: Kazakh kk қазақша
khm: Khmer km cambodian ខ្មែរ
kir: Kyrgyz ky kirghiz кыргызча
kmr: Kurdish ku kur kurmanji kurdî
kor: Korean ko 한국어
kor_vert: Korean_in_columns
lao: Lao lo laotian ລາວ
lat: Latin la
lav: Latvian lv latviešu lvs
lit: Lithuanian lt lietuvių
ltz: Luxembourgish lb lëtzebuergesch
mal: Malayalam ml മലയാളം
mar: Marathi mr मराठी
mkd: Macedonian mk mac македонски
mlt: Maltese mt malti
mon: Mongolian mn монгол khk
mri: Maori mi mao
msa: Malay ms may bahasa_melayu zsm
mya: Burmese my bur မြန်မာ
nep: Nepali ne नेपाली npi
nld: Dutch nl dut nederlands flemish
nor: Norwegian no nb nn nob nno norsk bokmål nynorsk norwegian_bokmål norwegian_nynorsk
oci: Occitan oc occità
ori: Odia or oriya ଓଡ଼ିଆ ory
pan: Punjabi pa ਪੰਜਾਬੀ
pol: Polish pl polski
por: Portuguese pt portugues português brazilian_portuguese
pus: Pashto ps پښتو
que: Quechua qu
ron: Romanian ro rum moldavian română mo mol
rus: Russian ru русский
san: Sanskrit sa
sin: Sinhala si sinhalese සිංහල
slk: Slovak sk slo slovenčina
slv: Slovenian sl slovene slovenščina
snd: Sindhi sd سنڌي
spa: Spanish es espanol español castilian castellano
spa_old: Old_Spanish
sqi: Albanian sq alb shqip
srp: Serbian sr српски
srp_latn: Serbian_in_Latin_letters sr_latn serbian_latin
sun: Sundanese su
swa: Swahili sw kiswahili swh
swe: Swedish sv svenska
syr: Syriac
tam: Tamil ta தமிழ்
tat: Tatar tt татарча
tel: Telugu te తెలుగు
tgk: Tajik tg тоҷикӣ
tha: Thai th ไทย
tir: Tigrinya ti ትግርኛ
ton: Tongan to
tur: Turkish tr turkce türkçe
uig: Uyghur ug uighur ئۇيغۇرچە
ukr: Ukrainian uk українська
urd: Urdu ur اردو
uzb: Uzbek uz ozbek uzn
uzb_cyrl: Uzbek_in_Cyrillic uz_cyrl
vie: Vietnamese vi tiếng_việt
yid: Yiddish yi ji ייִדיש ydd
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


def _plain(name: str) -> str:
    """However a keyboard or a file's name puts its letters together."""
    return re.sub(r"[-\s]+", "_", unicodedata.normalize("NFC", name.strip().casefold()))


_CODES_BY_NAME = {_plain(name): code for code, names in _NAMES_OF.items() for name in names}
_OF_COUNTRIES = {
    "at": "deu", "au": "eng", "br": "por", "cz": "ces", "dk": "dan", "ee": "est", "gb": "eng", "gr": "ell", "il": "heb",
    "ir": "fas", "kr": "kor", "mx": "spa", "rs": "srp", "se": "swe", "si": "slv", "ua": "ukr", "us": "eng", "vn": "vie",
}  # fmt: skip
"""Not what a language is called, but what is meant by it where nothing else is."""


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
    plain = _plain(name)
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
    plain = _plain(code)
    if found := _OF_COUNTRIES.get(plain):
        return found
    # The same letters in another order, before the same beginning, before a name with a wrong letter.
    close = [known for known in sorted(CODES) if sorted(known) == sorted(plain)]
    if len(plain) == CODE_LETTERS:
        close += [known for known in sorted(CODES) if len(known) == CODE_LETTERS and known[:2] == plain[:2]]
    else:
        close += difflib.get_close_matches(plain, sorted(CODES | _CODES_BY_NAME.keys()), 1, 0.75)
    return _CODES_BY_NAME.get(close[0], close[0]) if close else None
