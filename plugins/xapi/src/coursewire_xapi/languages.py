"""Languages of content, as the sources name them and as standards write them."""

from __future__ import annotations

import langcodes

UNDETERMINED = "und"
"""The tag of a language that nobody has named (ISO 639-2)."""

_FORMS = {2: str.upper, 4: str.capitalize}


def language_tag(code: str | None) -> str:
    """Return a language's code as a BCP 47 tag in its usual capitals (RFC 5646, 2.1.1).

    Args:
        code: A code as sources write it, such as ``ZH_hans_cn`` or ``pt-BR``.

    Returns:
        The tag, such as ``zh-Hans-CN``; :data:`UNDETERMINED` where there is no code, or what stands there is no tag
        of registered subtags: a name such as ``English``, or ``en-US-WP``, which names two regions.

    Example:
        >>> language_tag("pt_br"), language_tag("Spanish - Mexico")
        ('pt-BR', 'und')
    """
    written = (code or "").strip().replace("_", "-")
    if not langcodes.tag_is_valid(written):
        return UNDETERMINED
    first, *others = written.lower().split("-")
    # What follows a single letter is an extension or for private use, and has no capitals of its own.
    end = next((place for place, part in enumerate(others) if len(part) == 1), len(others))
    shown = [_FORMS.get(len(part), str.lower)(part) for part in others[:end]]
    return "-".join([first, *shown, *others[end:]])
