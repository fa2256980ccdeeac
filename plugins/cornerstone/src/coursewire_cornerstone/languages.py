"""Names of languages as catalogs write them, and the tags by which Cornerstone knows them."""

from __future__ import annotations

DEFAULT = "en-US"

_TABLE = """
Afrikaans=af Arabic=ar-AE Basque (Basque)=eu Belarusian=be Bulgarian=bg-BG Catalan=ca Chinese - China=zh-CN
Chinese - Hong Kong SAR=zh-HK Chinese - Macau SAR=zh-MO Chinese - Mandarin=zh-CMN Chinese - Simplified=zh-Hans
Chinese - Singapore=zh-SG Chinese - Taiwan=zh-TW Chinese - Traditional=zh-Hant Croatian=hr Czech=cs-CZ Danish=da-DK
Dutch=nl-NL English=en-US Estonian=et Farsi=fa Finnish=fi-FI French=fr-FR German=de-DE Greek=el-GR Hebrew=he-IL
Hindi=hi Hungarian=hu-HU Icelandic=is Indonesian=id-ID Italian=it-IT Japanese=ja-JP Korean=ko-KR Lithuanian=lt-LT
Malay=ms-MY Maltese=mt Norwegian=nb-NO Polish=pl-PL Portuguese=pt-BR Romanian=ro-RO Russian=ru-RU Sanskrit=sa
Slovak=sk-SK Slovenian=sl-SI Sorbian=sb Spanish=es-ES Swahili=sw Swedish=sv-SE Tamil=ta Tatar=tt Thai=th-TH
Tsonga=ts Turkish=tr-TR Ukrainian=uk Urdu=ur Uzbek=uz-UZ Vietnamese=vi Xhosa=xh Yiddish=yi Zulu=zu
"""


def _read(table: str) -> dict[str, str]:
    tags: dict[str, str] = {}
    name: list[str] = []
    for word in table.split():
        last, _, tag = word.partition("=")
        name.append(last)
        if tag:
            tags[" ".join(name)] = tag
            name = []
    return tags


TAGS = _read(_TABLE)
"""Name to tag."""

_BY_CODE = {tag.split("-")[0].lower(): tag for tag in reversed(TAGS.values())} | {
    tag.lower(): tag for tag in TAGS.values()
}


def tag_of(language: str) -> str:
    """The tag of a language, by its name or code; that of a region's language by the language; else English."""
    name, code = language.strip(), language.strip().lower().replace("_", "-")
    return (
        TAGS.get(name)
        or TAGS.get(name.partition(" - ")[0])
        or _BY_CODE.get(code)
        or _BY_CODE.get(code.partition("-")[0], DEFAULT)
    )
