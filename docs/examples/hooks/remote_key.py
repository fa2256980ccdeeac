"""Right after `export_content`, with the same item; outcomes of the course then go out under this key. It must be pure
as well: a key that changes from one run to the next is another course at the LMS.

Leave it out where the LMS takes the content key as it is."""

import hashlib

import coursewire as cw


@cw.hookimpl
def remote_key(item: cw.ContentItem) -> str:
    """Lighthouse takes 40 characters. What is longer keeps its beginning, and a digest keeps it apart from others."""
    key = item.content_key
    if len(key) <= 40:
        return key
    return f"{key[:27]}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
