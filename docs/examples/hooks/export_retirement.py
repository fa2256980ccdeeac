"""In a run over content, for each item that the catalogs of the configuration no longer hold and the LMS still does,
or may do. The source has nothing to say about such an item any more, so the hook gets what the LMS last confirmed. When
nothing was ever confirmed, that is empty.

A channel that retires with a bare DELETE needs no hook: core's default gives the confirmed payload back as it is."""

import coursewire as cw


@cw.hookimpl
def export_retirement(confirmed) -> cw.JsonObject:
    """Lighthouse hides a course that is marked as archived, and shows it again when the mark goes."""
    return {**confirmed, "archived": True}
