"""In every run over content, for each item that has to be looked at: it is new, it changed at the source, its last
attempt did not end well, the configuration changed, or the run is forced. Also by `coursewire plan` and `preview`. The
answer is compared with what the LMS last confirmed; only a payload that differs is sent.

It is called in order, one item at a time, in whatever thread core likes. So the same item must give the same payload,
in every process and at any time: no clock, no random number, no network, no `hash()`. Ask `moment` for the time: its methods
are [`has_passed` and `will_change_at`](../plugin-api.md#cwmoment), and `moment.now` is for helpers that note the next change themselves.

A course has its dates and its language in its runs: of the item itself, `start` and `content_language` are None then.
`cw.choose_run(item, moment)` is the run that speaks for it. Descriptions are HTML; `cw.plain_text` makes text of them. Core lets no address of the item's own fields through that a
browser would run; `cw.is_web_address` tells of one that you take from elsewhere in the item, such as a video's."""

import coursewire as cw


@cw.hookimpl
def export_content(config, item: cw.ContentItem, moment) -> cw.JsonObject:
    """A Lighthouse course. What the LMS demands is asked for by `require_text`, so that an item without it waits."""
    run = cw.choose_run(item, moment)
    start = run.start if run else item.start
    return {
        "title": cw.truncate(cw.require_text(item, "title"), 120),
        "link": cw.require_text(item, "enrollment_url"),
        "summary": cw.plain_text(item.short_description),
        "region": config.region,
        "upcoming": start is not None and not moment.has_passed(start),
    }
