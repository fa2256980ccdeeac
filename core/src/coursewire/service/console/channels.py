"""The installed channels: version, capabilities, limits."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from starlette.requests import Request

from coursewire.service.console.site import CONSOLE, render
from coursewire.service.guard import GuardedRouter, Reach, needs
from coursewire.service.rights import Right

router = GuardedRouter(prefix=f"{CONSOLE}/channels", include_in_schema=False)


@router.get("")
def channels(request: Request, reach: Annotated[Reach, needs(Right.READ)]) -> Response:
    """The page."""
    registry = reach.installation.channels
    shown = [
        {
            "code": each.channel.code,
            "title": each.channel.title,
            "docs_url": each.channel.docs_url,
            "capabilities": _pairs(each.channel.capabilities.model_dump(mode="json")),
            "limits": _pairs(each.channel.limits.model_dump(mode="json")),
        }
        for each in registry
    ]
    return render(request, "channels.html", caller=reach.caller, report=registry.report, channels=shown)


def _pairs(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), _text(value))
        for name, value in values.items()
        if value not in (None, [], {})
    ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(sorted(map(_text, value)))
    if isinstance(value, dict) and set(value) == {"calls", "seconds"}:
        return f"{value['calls']:g} calls in {value['seconds']:g} s"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(each)}" for name, each in value.items())
    return str(value)
