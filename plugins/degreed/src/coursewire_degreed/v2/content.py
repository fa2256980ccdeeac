"""Courses, course runs and programs as courses of Degreed's API v2."""

from __future__ import annotations

from typing import Any

import coursewire as cw
from coursewire_degreed.fields import effort_phrase, hours_of, image_of, language_of, title_of, truncate
from coursewire_degreed.v2.config import Degreed2Config

TYPE = "content/courses"


@cw.hookimpl
def export_content(config: Degreed2Config, item: cw.ContentItem, moment: cw.Moment) -> cw.JsonObject:
    """Build the course, and beside it its skills where it has any.

    Args:
        config: The configuration, which says whether prices are sent.
        item: A course, course run or program.
        moment: The "now" of the run, by which the course run is chosen that speaks for a course.

    Returns:
        ``data`` as Degreed takes it when a course is created or changed, ``skills`` as it takes them for a
        course that exists.

    Raises:
        NotExportableError: The item has no title.
    """
    attributes: cw.JsonObject = {
        "title": title_of(item),
        "external-id": item.content_key,
        "summary": _summary(item, moment),
        "image-url": image_of(item),
        "language": language_of(item, moment),
        "duration": hours_of(item, moment),
        "duration-type": "Hours",
        "obsolete": False,
        "cost-units": _cost(config, item),
        "cost-unit-type": "USD",
        "difficulty": item.text("level_type"),
        "video-url": _video(item),
    }
    if item.enrollment_url:
        attributes["url"] = item.enrollment_url
    payload: cw.JsonObject = {"data": {"type": TYPE, "attributes": attributes}}
    if names := _texts(item.get("skill_names")):
        payload["skills"] = {"data": [{"type": "skills", "id": name} for name in sorted(set(names))]}
    return payload


@cw.hookimpl
def export_retirement(config: Degreed2Config) -> cw.JsonObject:
    """Build what marks a course as obsolete; a deletion carries nothing."""
    if config.retire_strategy is cw.RetireStrategy.DELETE:
        return {}
    return {"data": {"type": TYPE, "attributes": {"obsolete": True}}}


def _summary(item: cw.ContentItem, moment: cw.Moment) -> str:
    """Return the description as plain text, after the names of the owners and the effort."""
    texts = (cw.description_with_type(item), item.short_description, title_of(item))
    text = next(filter(None, map(cw.plain_text, texts)), "")
    names = [cw.plain_text(name) for name in _texts([owner.get("name") for owner in item.objects("owners")])]
    return truncate((f"[{', '.join(names)}]: " if names else "") + effort_phrase(item, moment) + text)


def _video(item: cw.ContentItem) -> str | None:
    addresses = _texts([video.get("src") for video in item.objects("video")])
    return next(filter(cw.is_web_address, addresses), None)


def _cost(config: Degreed2Config, item: cw.ContentItem) -> int:
    """Return the price in whole units, halves rounded up: Degreed takes no others, and no unknown price."""
    price = cw.first_active_price(item) if config.show_course_price else None
    return int((price or 0) + 0.5)


def _texts(values: Any) -> list[str]:
    """Return the texts in a list that may hold anything, without blanks around them."""
    listed = values if isinstance(values, list) else []
    return [value.strip() for value in listed if isinstance(value, str) and value.strip()]
