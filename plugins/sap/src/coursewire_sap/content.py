"""Courses as SAP's Open Content Network import takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from coursewire.errors import NotExportableError
from coursewire.hooks import hookimpl
from coursewire.model.content import ContentType
from coursewire.toolkit.course_runs import choose_run, first_active_price, is_open
from coursewire.toolkit.executive_education import description_with_type, title_with_type
from coursewire_sap import locales

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursewire.model.content import ContentItem, CourseRun
    from coursewire.model.instant import Moment
    from coursewire.model.payload import JsonObject
    from coursewire_sap.config import SapConfig

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"
HOURS_FIELDS = ("creditHours", "totalHours")
NEW_BROWSER_WINDOW = 3

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OPEN_END = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
"""The end that SAP is told of a course run without one: the last second that fits 32 bits."""

# Not strftime: its month names follow the locale of the process.
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_PACING = {"instructor_paced": "Pacing: Instructor-Paced. ", "self_paced": "Pacing: Self-Paced. "}


@hookimpl
def export_content(config: SapConfig, item: ContentItem, moment: Moment) -> JsonObject:
    """Build the course object of one course, course run or program.

    Raises:
        NotExportableError: The title or the launch link is missing; SAP would refuse the whole batch.
    """
    title = _title(item)
    if not item.enrollment_url:
        raise NotExportableError(
            "enrollment_url",
            "a course at SAP needs a link to launch it, and this item has none",
            next_step="Give the item an enrollment URL in the catalog service, then transmit again.",
        )
    run = choose_run(item, moment)
    payload: JsonObject = {
        "courseID": item.content_key,
        "providerID": config.provider_id,
        "status": INACTIVE if item.status == INACTIVE else ACTIVE,
        "title": _in_locales(config, item, title + _title_suffix(item, run, moment)),
        "description": _in_locales(config, item, _description(item, title, run, moment)),
        "thumbnailURI": item.card_image_url if item.content_type is ContentType.PROGRAM else item.image_url,
        "content": [
            {
                "providerID": config.provider_id,
                "launchURL": item.enrollment_url,
                "contentTitle": title,
                "contentID": item.content_key,
                "launchType": NEW_BROWSER_WINDOW,
                "mobileEnabled": True,
                "mobileLaunchURL": item.enrollment_url,
            }
        ],
        "revisionNumber": 1,
        "schedule": _schedule(item, run, moment),
        "price": [{"currency": "USD", "value": _price(config, item)}],
    }
    if config.transmit_course_hours:
        hours = run.estimated_hours if run else None
        payload |= dict.fromkeys(HOURS_FIELDS, float(hours or 0))
    return payload


@hookimpl
def export_retirement(config: SapConfig, confirmed: Mapping[str, Any]) -> JsonObject:
    """The course as SAP holds it, made inactive, without what SAP would refuse today."""
    payload = {**confirmed, "status": INACTIVE}
    if not config.transmit_course_hours:
        for field in HOURS_FIELDS:
            payload.pop(field, None)
    payload["schedule"] = [
        entry
        for entry in confirmed.get("schedule") or ()
        if entry.get("startDate") is not None and entry.get("endDate") is not None
    ]
    return payload


def _title(item: ContentItem) -> str:
    if not (item.title or "").strip():
        raise NotExportableError(
            "title",
            "a course at SAP needs a title, and this item has none",
            next_step="Give the item a title in the catalog, then transmit again.",
        )
    return title_with_type(item)


def _title_suffix(item: ContentItem, run: CourseRun | None, moment: Moment) -> str:
    if item.content_type is not ContentType.COURSE_RUN or run is None or run.start is None:
        return ""
    if is_open(run, moment):
        return f" (Starts: {_month(run.start)})"
    return f" ({_month(run.start)} - Enrollment Closed)"


def _description(item: ContentItem, title: str, run: CourseRun | None, moment: Moment) -> str:
    text = description_with_type(item) or item.short_description or title
    if item.content_type is not ContentType.COURSE or run is None:
        return text
    dates = [
        f"{word}: {_month(instant)}"
        for word, instant in (("Starts", run.start), ("Ends", run.end))
        if instant is not None
    ]
    return "".join(
        (
            _PACING.get(run.pacing_type or "", ""),
            f"{', '.join(dates)}. " if dates else "",
            "" if is_open(run, moment) else "Enrollment is closed. ",
            text,
        )
    )


def _in_locales(config: SapConfig, item: ContentItem, text: str) -> list[JsonObject]:
    """The same text for each locale: the item's own first, then the configured ones in their order."""
    own = locales.DEFAULT
    if item.content_type is ContentType.COURSE_RUN:
        language = item.content_language or item.get("language")
        own = locales.locale_name(language if isinstance(language, str) else None)
    names = dict.fromkeys((own, *config.additional_locales))
    return [{"locale": name, "value": text} for name in names]


def _schedule(item: ContentItem, run: CourseRun | None, moment: Moment) -> list[JsonObject]:
    """At most one entry; SAP refuses an entry whose dates are empty."""
    if run is None:
        return []
    if item.content_type is ContentType.COURSE_RUN:
        start, end = run.start or EPOCH, run.end or OPEN_END
        active = moment.has_passed(start) and not moment.has_passed(end)
        return [{"startDate": epoch_ms(start), "endDate": epoch_ms(end), "active": active}]
    if run.start is None or run.end is None or run.end < run.start:
        return []
    return [
        {
            "startDate": epoch_ms(run.start),
            "endDate": epoch_ms(run.end),
            "active": is_open(run, moment),
            "duration": f"{(run.end - run.start).days} days",
        }
    ]


def _price(config: SapConfig, item: ContentItem) -> float | int:
    """SAP demands a number: an unknown price is 0.0, and so is that of a run or program."""
    if not config.show_course_price or item.content_type is not ContentType.COURSE:
        return 0.0
    price = first_active_price(item)
    return 0.0 if price is None else price


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970, the only form in which SAP takes an instant."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _month(instant: datetime) -> str:
    return f"{_MONTHS[instant.month - 1]} {instant.year}"
