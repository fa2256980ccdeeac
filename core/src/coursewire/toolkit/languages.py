"""Languages of content, as the sources name them and as standards write them."""

from __future__ import annotations

import re

UNDETERMINED = "und"
"""The tag of a language that nobody has named (ISO 639-2)."""

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)
_FORMS = {2: str.upper, 4: str.capitalize}


def language_tag(code: str | None) -> str:
    """A language's code as a BCP 47 tag in its usual capitals (RFC 5646, 2.1.1): ``zh-Hans-CN`` of ``ZH_hans_cn``.

    Returns:
        The tag; :data:`UNDETERMINED` where there is no code, or a name such as ``English`` in its place.
    """
    written = (code or "").strip().replace("_", "-")
    if not _TAG.fullmatch(written):
        return UNDETERMINED
    first, *others = written.split("-")
    return "-".join([first.lower(), *(_FORMS.get(len(part), str.lower)(part) for part in others)])
