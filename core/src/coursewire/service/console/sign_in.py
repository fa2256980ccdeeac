"""Signing in and out, and the console's assets."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.service.console.site import ASSETS, CONSOLE, asset, go, render, root_of, safe_path
from coursewire.service.guard import SESSION_COOKIE, GuardedRouter, public
from coursewire.service.problems import Problem
from coursewire.service.rate import SIGN_IN, address

router = GuardedRouter(prefix=CONSOLE, include_in_schema=False)

FAULT = (
    "Name and password do not fit, or the account is locked for a while after wrong passwords. "
    "Try again later, or ask an administrator."
)


@router.get("/sign-in")
@public
def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """The form."""
    return render(request, "sign_in.html", caller=None, fault="", name="", following=safe_path(next))


@router.post("/sign-in")
@public
async def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=255)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002 - as above
) -> Response:
    """Begin a session. The cookie goes to no other site and no script."""
    request.app.state.rates.demand(SIGN_IN, "sign in", address(request))
    following = safe_path(next)
    begun = await run_in_threadpool(request.app.state.accounts.sign_in, name, password)
    if begun is None:
        return render(
            request, "sign_in.html", caller=None, status=401, fault=FAULT, name=name, following=following
        )
    answer = go(request, following)
    answer.set_cookie(
        SESSION_COOKIE,
        begun.cookie,
        expires=begun.expires_at,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path=root_of(request) or "/",
    )
    return answer


@router.post("/sign-out")
@public
async def sign_out(request: Request) -> Response:
    """End the session; that somebody else's site asks for it does no harm."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie:
        await run_in_threadpool(request.app.state.accounts.sign_out, cookie)
    answer = go(request, "/sign-in")
    answer.delete_cookie(SESSION_COOKIE, path=root_of(request) or "/")
    return answer


@router.get("/static/{digest}/{name}")
@public
def static_file(digest: str, name: str) -> Response:
    """An asset."""
    if name not in ASSETS or digest != asset(name)[1]:
        raise Problem(404, "there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(asset(name)[0], headers=headers, media_type=ASSETS[name])
