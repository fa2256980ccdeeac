"""The pages to sign in and out, and the console's assets."""

from __future__ import annotations

import logging
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Form, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.service.accounts import SignedIn
from coursewire.service.authorization import SESSION_COOKIE, GuardedRouter, public
from coursewire.service.console.site import (
    ASSETS,
    CONSOLE,
    HEADERS,
    address_of,
    asset,
    go,
    render,
    root_of,
    safe_path,
)
from coursewire.service.oidc import ROUND_TRIP_S, OpenIdConnect, SignInError
from coursewire.service.problems import Problem
from coursewire.service.rate import SIGN_IN, address

router = GuardedRouter(prefix=CONSOLE, include_in_schema=False)

LOG = logging.getLogger(__name__)

WAY_COOKIE = "coursewire_way"
BACK = f"{CONSOLE}/oidc/back"
NO_ACCOUNT = (
    "You have no account here. Ask an administrator for one (`coursewire access add NAME --no-password`)."
)

FAULT = (
    "Name and password do not fit, or the account is locked for a while after wrong passwords. "
    "Try again later, or ask an administrator."
)


@router.get("/sign-in")
@public
def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Show the form."""
    return _form(request, safe_path(next))


@router.post("/sign-in")
@public
async def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=255)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002 - as above
) -> Response:
    """Begin a session. The cookie goes to no other site and no script; a form of another site is refused."""
    _demand_own_form(request)
    request.app.state.rates.demand(SIGN_IN, "sign in", address(request))
    following = safe_path(next)
    begun = await run_in_threadpool(request.app.state.accounts.sign_in, name, password)
    if begun is None:
        return _form(request, following, fault=FAULT, name=name)
    return await _enter(request, begun, following)


@router.get("/oidc")
@public
async def elsewhere(request: Request, next: str = "/") -> Response:  # noqa: A002 - as above
    """Lead to the OpenID Connect provider."""
    oidc = _oidc(request)
    request.app.state.rates.demand(SIGN_IN, "sign in", address(request))
    following = safe_path(next)
    try:
        way = await oidc.start(redirect_uri=f"{address_of(request)}{BACK}", following=following)
    except SignInError as error:
        LOG.warning("sign-in by %s: %s", oidc.provider, error)
        return _form(request, following, fault=str(error))
    answer = RedirectResponse(way.url, 303, HEADERS)
    answer.set_cookie(WAY_COOKIE, way.cookie, max_age=ROUND_TRIP_S, **_cookie_options(request))
    return answer


@router.get("/oidc/back")
@public
async def back(request: Request) -> Response:
    """Take what the provider sent the browser back with, and begin a session."""
    oidc = _oidc(request)
    request.app.state.rates.demand(SIGN_IN, "sign in", address(request))
    try:
        proved = await oidc.finish(dict(request.query_params), request.cookies.get(WAY_COOKIE, ""))
    except SignInError as error:
        LOG.warning("sign-in by %s: %s", oidc.provider, error)
        answer = _form(request, "/", fault=str(error))
    else:
        begun = await run_in_threadpool(request.app.state.accounts.enter, proved.name)
        if begun is None:
            answer = _form(request, "/", fault=NO_ACCOUNT)
        else:
            answer = await _enter(request, begun, safe_path(proved.following))
    answer.delete_cookie(WAY_COOKIE, path=root_of(request) or "/")
    return answer


def _oidc(request: Request) -> OpenIdConnect:
    oidc: OpenIdConnect = request.app.state.oidc
    if not oidc.offered:
        raise Problem(404, "nobody signs in by OpenID Connect here", "Set oidc_issuer for it.")
    return oidc


def _form(request: Request, following: str, *, fault: str = "", name: str = "") -> Response:
    oidc: OpenIdConnect = request.app.state.oidc
    return render(
        request,
        "sign_in.html",
        caller=None,
        status=401 if fault else 200,
        fault=fault,
        name=name,
        following=following,
        provider=oidc.provider if oidc.offered else "",
    )


def _demand_own_form(request: Request) -> None:
    """Refuse a form of another site, which would sign a person in to an account that is not theirs.

    Browsers say where a form comes from; a program that says nothing is none.

    Raises:
        Problem: 403.
    """
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    own = urlsplit(address_of(request))
    if site == "same-origin" or (not site and not origin):
        return
    if site in ("", "none") and origin.lower() == f"{own.scheme}://{own.netloc}".lower():
        return
    raise Problem(403, "the form is of another site", "Open the sign-in page itself, and sign in there.")


async def _enter(request: Request, begun: SignedIn, following: str) -> Response:
    if earlier := request.cookies.get(SESSION_COOKIE):
        await run_in_threadpool(request.app.state.accounts.sign_out, earlier)
    answer = go(request, following)
    answer.set_cookie(SESSION_COOKIE, begun.cookie, expires=begun.expires_at, **_cookie_options(request))
    return answer


def _cookie_options(request: Request) -> dict[str, Any]:
    return {
        "httponly": True,
        "samesite": "lax",
        "secure": request.url.scheme == "https",
        "path": root_of(request) or "/",
    }


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
    """Return an asset."""
    if name not in ASSETS or digest != asset(name)[1]:
        raise Problem(404, "there is no such file")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(asset(name)[0], headers=headers, media_type=ASSETS[name])
