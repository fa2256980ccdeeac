"""Courses, course runs and programs as Cornerstone's Online Content Connector lists them.

What is listed has one more field, the time of its last change; it is put in when the list is served.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

import coursewire as cw
from coursewire_cornerstone.config import CornerstoneConfig
from coursewire_cornerstone.languages import DEFAULT, tag_of

KEYS = UUID("0c7b9a54-4b2f-5b07-9d0e-3f6f1d8a2c11")
"""Name space of the ids that courses get at Cornerstone. Never change it: portals know courses by them."""
LONGEST_DESCRIPTION = 10_000
LONGEST_PARTNER = 500
DEFAULT_SUBJECT = "Industry Specific"
DEFAULT_PARTNER = "edX: edX Inc"


@cw.hookimpl
def remote_key(item: cw.ContentItem) -> str:
    """Return the id of an item at every portal: 36 characters, derived from a key of any length and any letters."""
    return str(uuid5(KEYS, item.content_key))


@cw.hookimpl
def export_content(
    config: CornerstoneConfig, item: cw.ContentItem, moment: cw.Moment, remote_key: str
) -> cw.JsonObject:
    """Build one entry of the course list; a field whose value is not known is left out.

    Raises:
        NotExportableError: No title, or nowhere to send learners.
    """
    program = item.content_type is cw.ContentType.PROGRAM
    # The run whose start is nearest to now; which one is advertised does not matter here.
    run = cw.choose_run(item.model_copy(update={"advertised_course_run_uuid": None}), moment)
    link = item.enrollment_url or (item.text("marketing_url") if program else None)
    subjects = None if config.disable_subject_metadata_transmission else _subjects(config, item)
    payload: cw.JsonObject = {
        "ID": remote_key,
        "Title": cw.title_with_type(item) or cw.require_text(item, "title"),
        "Description": _description(item),
        "Thumbnail": item.card_image_url if program else item.image_url,
        "URL": _url(config, item, link or cw.require_text(item, "enrollment_url")),
        "IsActive": _is_active(item),
        "IsMobile": True,
        "Duration": _duration(run.estimated_hours if run else None),
        "Partners": [{"Name": name[:LONGEST_PARTNER]} for name in _partners(item)],
        "Languages": _languages(config, item),
        "Subjects": subjects,
    }
    return {name: value for name, value in payload.items() if value is not None}


@cw.hookimpl
def export_retirement(confirmed: Mapping[str, Any]) -> cw.JsonObject:
    """Return the entry as it was listed last, made inactive."""
    return {**confirmed, "IsActive": False}


def _description(item: cw.ContentItem) -> str:
    full = cw.description_with_type(item)
    fits = 0 < len(full) <= LONGEST_DESCRIPTION
    return full if fits else cw.clean_html(item.short_description or item.title)


def _url(config: CornerstoneConfig, item: cw.ContentItem, link: str) -> str:
    if config.launch_url is None:
        return link
    return f"{config.launch_url}/{quote(item.content_key, safe='')}?{urlencode({'url': link})}"


def _is_active(item: cw.ContentItem) -> bool:
    if item.content_type is cw.ContentType.PROGRAM:
        return item.status.lower() == "active" if item.status else bool(item.get("published"))
    runs = (item,) if item.content_type is cw.ContentType.COURSE_RUN else item.course_runs
    return any(run.is_available for run in runs)


def _duration(hours: float | None) -> str | None:
    """Hours as ``HH:MM:00``; None when they are not known."""
    minutes = int(Decimal(str(hours or 0)) * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:00" if minutes > 0 else None


def _partners(item: cw.ContentItem) -> list[str]:
    owners = item.objects("owners") or item.objects("authoring_organizations")
    named = [f"{owner['key']}: {owner['name']}" for owner in owners if _has_text(owner, "key", "name")]
    names = map(cw.plain_text, item.names("organizations") or named)
    return list(filter(None, names)) or [DEFAULT_PARTNER]


def _has_text(data: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(data.get(name), str) for name in names)


def _languages(config: CornerstoneConfig, item: cw.ContentItem) -> list[str]:
    own = item.content_language if item.content_type is cw.ContentType.COURSE_RUN else None
    tags = dict.fromkeys(map(tag_of, [own] if own else item.names("languages")))
    return [tag for tag in tags if tag in config.languages] or [DEFAULT]


def _subjects(config: CornerstoneConfig, item: cw.ContentItem) -> list[str]:
    found = dict.fromkeys(
        theirs
        for name in item.names("subjects")
        for theirs, ours in config.subject_mapping.items()
        if name.casefold() in map(str.casefold, ours)
    )
    return list(found) or [DEFAULT_SUBJECT]
