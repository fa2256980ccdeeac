"""The names that SAP SuccessFactors Learning gives to locales, and how language codes map to them."""

from __future__ import annotations

DEFAULT = "English"

NAMES = {
    "ms": "Malay",
    "ar": "Arabic",
    "bg": "Bulgarian",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "en-ca": "English Canadian",
    "en-gb": "English United Kingdom",
    "es": "Spanish",
    "es-mx": "Spanish Mexican",
    "fi": "Finnish",
    "fr": "French",
    "fr-ca": "French Canadian",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "in": "Indonesian",
    "it": "Italian",
    "iw": "Hebrew",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-br": "Brazilian Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-hk": "Chinese Hong Kong",
    "zh-tw": "Chinese Taiwan",
}
"""Language code, lower case, to SAP's name."""

_RETIRED_CODES = {"he": "iw", "id": "in", "nb": "no", "nn": "no"}
"""Today's ISO 639 codes to those that SAP's table still uses."""

_BY_NAME = {name.lower(): name for name in NAMES.values()}


def find_locale(language: str) -> str | None:
    """Return SAP's name for a language, or None when it has none.

    Args:
        language: A code in any case (``pt-BR``, ``pt_br``, ``he``), one of SAP's names, or a name with a
            region behind a dash, as the catalogue writes it (``Spanish - Mexico``). A region that SAP does
            not distinguish is dropped.
    """
    written = language.strip().lower()
    by_name = _BY_NAME.get(written) or _BY_NAME.get(written.partition(" - ")[0])
    if by_name:
        return by_name
    first, *others = written.replace("_", "-").split("-")
    base = _RETIRED_CODES.get(first, first)
    variants = (NAMES.get(f"{base}-{other}") for other in others)
    return next(filter(None, variants), NAMES.get(base))


def locale_name(language: str | None) -> str:
    """Return SAP's name for the language of a course run; English when it is unknown."""
    return find_locale(language or "") or DEFAULT
