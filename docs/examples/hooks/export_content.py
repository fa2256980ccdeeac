"""In every run over content, for each item that has to be looked at: it is new, it changed at the source, its last
attempt did not end well, the configuration changed, or the run is forced. Also by `coursewire plan` and `preview`. The
answer is compared with what the LMS last confirmed; only a payload that differs is sent.

It is called in order, one item at a time, in whatever thread core likes. So the same item must give the same payload,
in every process and at any time: no clock, no random number, no network, no `hash()`. Ask `moment` for the time."""

import coursewire as cw


@cw.hookimpl
def export_content(config, item: cw.ContentItem, moment) -> cw.JsonObject:
    """A Lighthouse course. What the LMS demands is asked for by `required`, so that an item without it waits."""
    return {
        "title": cw.cut(cw.required(item, "title"), 120),
        "link": cw.required(item, "enrollment_url"),
        "summary": item.get("short_description") or "",
        "region": config.region,
        "upcoming": item.start is not None and not moment.has_passed(item.start),
    }
