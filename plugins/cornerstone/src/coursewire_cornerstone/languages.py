"""Names of languages as catalogs write them, and the tags by which Cornerstone knows them."""

from __future__ import annotations

import coursewire as cw

DEFAULT = "en-US"

TAGS: dict[str, str] = cw.packaged_data(__package__, "languages.json")
"""Name to tag."""

_BY_CODE = {tag.split("-")[0].lower(): tag for tag in reversed(TAGS.values())}
_BY_CODE |= {tag.lower(): tag for tag in TAGS.values()}


def tag_of(language: str) -> str:
    """The tag of a language, by its name or code; that of a region's language by the language; else English."""
    name, code = language.strip(), language.strip().lower().replace("_", "-")
    by_name = TAGS.get(name) or TAGS.get(name.partition(" - ")[0])
    return by_name or _BY_CODE.get(code) or _BY_CODE.get(code.partition("-")[0], DEFAULT)
