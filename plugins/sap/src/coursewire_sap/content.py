"""Courses as SAP's Open Content Network import takes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import coursewire as cw
from coursewire_sap import locales
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


@cw.hookimpl
def export_content(config: SapConfig, item: cw.ContentItem, moment: cw.Moment) -> cw.JsonObject:
    """Build the course object of one course, course run or program.

    Raises:
        NotExportableError: The title or the launch link is missing; SAP would refuse the whole batch.
    """
    cw.require_text(item, "title")
    launch_url = cw.require_text(item, "enrollment_url")
    title = cw.title_with_type(item)
    run = cw.choose_run(item, moment)
    payload: cw.JsonObject = {
        "courseID": item.content_key,
        "providerID": config.provider_id,
        "status": INACTIVE if item.status == INACTIVE else ACTIVE,
        "title": _in_locales(config, item, title + _title_suffix(item, run, moment)),
        "description": _in_locales(config, item, _description(item, title, run, moment)),
        "thumbnailURI": item.card_image_url
        if item.content_type is cw.ContentType.PROGRAM
        else item.image_url,
        "content": [
            {
                "providerID": config.provider_id,
                "launchURL": launch_url,
                "contentTitle": title,
                "contentID": item.content_key,
                "launchType": NEW_BROWSER_WINDOW,
                "mobileEnabled": True,
                "mobileLaunchURL": launch_url,
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


@cw.hookimpl
def export_retirement(config: SapConfig, confirmed: Mapping[str, Any]) -> cw.JsonObject:
    """Build the course as SAP holds it, made inactive, without what SAP would refuse today."""
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


def _title_suffix(item: cw.ContentItem, run: cw.CourseRun | None, moment: cw.Moment) -> str:
    if item.content_type is not cw.ContentType.COURSE_RUN or run is None or run.start is None:
        return ""
    if cw.is_open(run, moment):
        return f" (Starts: {_month(run.start)})"
    return f" ({_month(run.start)} - Enrollment Closed)"


def _description(item: cw.ContentItem, title: str, run: cw.CourseRun | None, moment: cw.Moment) -> str:
    text = cw.description_with_type(item) or cw.clean_html(item.short_description or title)
    if item.content_type is not cw.ContentType.COURSE or run is None:
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
            "" if cw.is_open(run, moment) else "Enrollment is closed. ",
            text,
        )
    )


def _in_locales(config: SapConfig, item: cw.ContentItem, text: str) -> list[cw.JsonObject]:
    """Return the same text for each locale: the item's own first, then the configured ones in their order."""
    own = locales.DEFAULT
    if item.content_type is cw.ContentType.COURSE_RUN:
        language = item.content_language or item.get("language")
        own = locales.locale_name(language if isinstance(language, str) else None)
    names = dict.fromkeys((own, *config.additional_locales))
    return [{"locale": name, "value": text} for name in names]


def _schedule(item: cw.ContentItem, run: cw.CourseRun | None, moment: cw.Moment) -> list[cw.JsonObject]:
    """Return at most one entry; SAP refuses an entry whose dates are empty."""
    if run is None:
        return []
    if item.content_type is cw.ContentType.COURSE_RUN:
        start, end = run.start or EPOCH, run.end or OPEN_END
        active = moment.has_passed(start) and not moment.has_passed(end)
        return [{"startDate": epoch_ms(start), "endDate": epoch_ms(end), "active": active}]
    if run.start is None or run.end is None or run.end < run.start:
        return []
    return [
        {
            "startDate": epoch_ms(run.start),
            "endDate": epoch_ms(run.end),
            "active": cw.is_open(run, moment),
            "duration": f"{(run.end - run.start).days} days",
        }
    ]


def _price(config: SapConfig, item: cw.ContentItem) -> float | int:
    """Return the price. SAP demands a number: an unknown price is 0.0, and so is that of a run or program."""
    if not config.show_course_price or item.content_type is not cw.ContentType.COURSE:
        return 0.0
    price = cw.first_active_price(item)
    return 0.0 if price is None else price


def epoch_ms(instant: datetime) -> int:
    """Return milliseconds since 1970, the only form in which SAP takes an instant."""
    return (instant - EPOCH) // timedelta(milliseconds=1)


def _month(instant: datetime) -> str:
    return f"{_MONTHS[instant.month - 1]} {instant.year}"
