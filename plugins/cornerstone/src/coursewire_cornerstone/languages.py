"""Names of languages as catalogs write them, and the tags by which Cornerstone knows them."""

from __future__ import annotations

import json
from importlib.resources import files

DEFAULT = "en-US"

TAGS: dict[str, str] = json.loads(files(__package__).joinpath("languages.json").read_bytes())
"""The tag by the name of the language."""

_BY_CODE = {tag.split("-")[0].lower(): tag for tag in reversed(TAGS.values())}
_BY_CODE |= {tag.lower(): tag for tag in TAGS.values()}


def tag_of(language: str) -> str:
    """Return the tag of a language.

    Args:
        language: Name or code of a language. A regional one that has no tag of its own gets that of the language, an
            unknown one that of English.
    """
    name, code = language.strip(), language.strip().lower().replace("_", "-")
    by_name = TAGS.get(name) or TAGS.get(name.partition(" - ")[0])
    return by_name or _BY_CODE.get(code) or _BY_CODE.get(code.partition("-")[0], DEFAULT)
