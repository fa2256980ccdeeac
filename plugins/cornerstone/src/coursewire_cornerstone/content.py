"""Courses, course runs and programs as Cornerstone's Online Content Connector lists them.

What is listed has one more field, the time of its last change; it is put in when the list is served.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

from coursewire.errors import NotExportableError
from coursewire.export.course_runs import ENROLLABLE_AVAILABILITY, choose_run
from coursewire.export.executive_education import marked_description, marked_title
from coursewire.model.content import ContentItem, ContentType
from coursewire_cornerstone.languages import DEFAULT, tag_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from coursewire.model.content import CourseRun
    from coursewire.model.instant import Moment
    from coursewire.model.payload import JsonObject
    from coursewire_cornerstone.config import CornerstoneConfig

KEYS = UUID("0c7b9a54-4b2f-5b07-9d0e-3f6f1d8a2c11")
"""Name space of the ids that courses get at Cornerstone. Never change it: portals know courses by them."""
LONGEST_DESCRIPTION = 10_000
LONGEST_PARTNER = 500
DEFAULT_SUBJECT = "Industry Specific"
DEFAULT_PARTNER = "edX: edX Inc"


def remote_key(item: ContentItem) -> str:
    """The id of an item at every portal: 36 characters, whatever its key holds and however long it is."""
    return str(uuid5(KEYS, item.content_key))


def course_payload(
    config: CornerstoneConfig, item: ContentItem, moment: Moment, remote_key: str
) -> JsonObject:
    """Build one entry of the course list; a field whose value is not known is left out.

    Raises:
        NotExportableError: No title, or nowhere to send learners.
    """
    program = item.content_type is ContentType.PROGRAM
    run = _closest_run(item, moment)
    payload: JsonObject = {
        "ID": remote_key,
        "Title": marked_title(item) or _missing("title"),
        "Description": _description(item),
        "Thumbnail": item.card_image_url if program else item.image_url,
        "URL": _url(config, item),
        "IsActive": _is_active(item),
        "IsMobile": True,
        "Duration": _duration(run),
        "Partners": [{"Name": name[:LONGEST_PARTNER]} for name in _partners(item)],
        "Languages": _languages(config, item),
        "Subjects": None if config.disable_subject_metadata_transmission else _subjects(config, item),
    }
    return {name: value for name, value in payload.items() if value is not None}


def retired(confirmed: Mapping[str, Any]) -> JsonObject:
    """The entry as it was listed last, made inactive."""
    return {**confirmed, "IsActive": False}


def _missing(field: str) -> str:
    raise NotExportableError(field, "it is missing or empty", next_step="Fill it at the source.")


def _closest_run(item: ContentItem, moment: Moment) -> CourseRun | None:
    """The run whose start is nearest to now; which one is advertised does not matter here."""
    return choose_run(item.model_copy(update={"advertised_course_run_uuid": None}), moment)


def _description(item: ContentItem) -> str:
    full = marked_description(item)
    if 0 < len(full) <= LONGEST_DESCRIPTION:
        return full
    return item.short_description or item.title or ""


def _url(config: CornerstoneConfig, item: ContentItem) -> str:
    program_page = item.get("marketing_url") if item.content_type is ContentType.PROGRAM else None
    url = str(item.enrollment_url or program_page or _missing("enrollment_url"))
    if config.launch_url is None:
        return url
    return f"{config.launch_url}/{quote(item.content_key, safe='')}?{urlencode({'url': url})}"


def _is_active(item: ContentItem) -> bool:
    if item.content_type is ContentType.PROGRAM:
        return (item.status or "").lower() == "active" if item.status else bool(item.get("published"))
    runs = (item,) if item.content_type is ContentType.COURSE_RUN else item.course_runs
    return any(run.availability in ENROLLABLE_AVAILABILITY for run in runs)


def _duration(run: CourseRun | None) -> str | None:
    """Hours as ``HH:MM:00``; None when they are not known."""
    hours = run.estimated_hours if run else None
    if not isinstance(hours, int | float) or not hours > 0:
        return None
    minutes = int(Decimal(str(hours)) * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def _partners(item: ContentItem) -> list[str]:
    names = [name for name in _listed(item, "organizations") if isinstance(name, str)]
    owners = [*_listed(item, "owners"), *_listed(item, "authoring_organizations")]
    by_owner = [
        ": ".join(filter(None, (owner.get("key"), owner.get("name"))))
        for owner in owners
        if isinstance(owner, dict)
    ]
    return names or [name for name in by_owner if name] or [DEFAULT_PARTNER]


def _languages(config: CornerstoneConfig, item: ContentItem) -> list[str]:
    names = [name for name in _listed(item, "languages") if isinstance(name, str)]
    if item.content_type is ContentType.COURSE_RUN and item.content_language:
        names = [item.content_language]
    tags = dict.fromkeys(map(tag_of, names))
    return [tag for tag in tags if tag in config.languages] or [DEFAULT]


def _subjects(config: CornerstoneConfig, item: ContentItem) -> list[str]:
    found = dict.fromkeys(
        theirs
        for name in _subject_names(item)
        for theirs, ours in config.subject_mapping.items()
        if name.casefold() in map(str.casefold, ours)
    )
    return list(found) or [DEFAULT_SUBJECT]


def _subject_names(item: ContentItem) -> Iterator[str]:
    for subject in _listed(item, "subjects"):
        name = subject.get("name") if isinstance(subject, dict) else subject
        if isinstance(name, str):
            yield name


def _listed(item: ContentItem, field: str) -> list[Any]:
    value = item.get(field)
    return value if isinstance(value, list) else []
