"""The parts that pages share: templates, assets, and the page of an error."""

from __future__ import annotations

import hashlib
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from coursewire.model.reasons import Surface, explain
from coursewire.service.console.words import colour_of
from coursewire.service.rights import Right

if TYPE_CHECKING:
    from starlette.requests import Request

    from coursewire.service.problems import Problem
    from coursewire.service.rights import Caller

CONSOLE = "/console"
"""The path of the console within the application, which may itself lie below a path: see :func:`home_of`."""

NAVIGATION = (
    ("/", "Overview"),
    ("/configurations", "Configurations"),
    ("/jobs", "Jobs"),
    ("/records", "Records"),
    ("/transmissions", "Transmissions"),
    ("/learners", "Learners"),
    ("/channels", "Channels"),
)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' "
    "https:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Of every page. Styles stand inline in a few places; scripts never do."""

ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


@cache
def asset(name: str) -> tuple[bytes, str]:
    """Return an asset's bytes, and a digest that changes with them."""
    body = files(__package__).joinpath("static", name).read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:12]


def root_of(request: Request) -> str:
    """Return the path that the application is mounted under, as the browser sees it; "" for none."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def home_of(request: Request) -> str:
    """Return the console's path as the browser sees it, without a slash at its end."""
    return root_of(request) + CONSOLE


def address_of(request: Request) -> str:
    """Return the address of the application as seen from outside, without a slash at its end.

    The setting ``public_url`` where there is one, else what the request says.
    """
    public: str = request.app.state.installation.settings.public_url.rstrip("/")
    return public or f"{request.url.scheme}://{request.url.netloc}{root_of(request)}"


@cache
def templates() -> Environment:
    """Return the templates; a name that a page did not get is an error, not a blank."""
    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["urlpart"] = lambda text: quote(str(text), safe="")
    environment.filters["total"] = lambda counts: sum(counts.values())
    environment.filters["count_of"] = lambda counts: (
        sum(counts.values()) if isinstance(counts, dict) else counts
    )
    environment.globals.update(
        navigation=NAVIGATION, explain=partial(explain, on=Surface.CONSOLE), query=_query, colour_of=colour_of
    )
    return environment


def _query(**values: Any) -> str:
    """Return the query of those values that are filled."""
    filled = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(filled)}" if filled else ""


def render(
    request: Request, template: str, *, caller: Caller | None, status: int = 200, **values: Any
) -> HTMLResponse:
    """Render a template.

    Args:
        request: The request; its path says where in the navigation the page is.
        template: Name of a template.
        caller: The caller who is signed in; None for the pages that need nobody.
        status: The HTTP status of the answer.
        values: The values that the template shows.
    """
    home = home_of(request)
    path = request.url.path.removeprefix(home)
    here = next((each for each, _ in NAVIGATION[1:] if path.startswith(each)), "/" if path == "/" else "")
    proof = Markup('<input type="hidden" name="csrf" value="{}">').format(caller.csrf if caller else "")
    body = (
        templates()
        .get_template(template)
        .render(
            caller=caller,
            here=here,
            root=root_of(request),
            console=home,
            # Browsers may keep an asset for ever, since its address changes with it.
            static=lambda name: f"{home}/static/{asset(name)[1]}/{name}",
            csrf=lambda: proof,
            may_administer=caller is not None and caller.has(Right.ADMINISTER),
            may_operate=caller is not None and caller.has(Right.OPERATE),
            **values,
        )
    )
    return HTMLResponse(body, status, HEADERS)


def go(request: Request, path: str) -> RedirectResponse:
    """Lead to a page of the console after a form, by GET."""
    return RedirectResponse(home_of(request) + path, 303)


def problem_page(request: Request, problem: Problem) -> Response:
    """Return a problem as a page; somebody who is not signed in is asked to sign in."""
    if problem.status == 401:
        following = request.url.path.removeprefix(home_of(request))
        if request.url.query:
            following += f"?{request.url.query}"
        return go(request, f"/sign-in?{urlencode({'next': following if request.method == 'GET' else '/'})}")
    return render(request, "problem.html", caller=None, status=problem.status, problem=problem)


def safe_path(text: str) -> str:
    """Return a path within the console, whatever was handed in; never one of another site or above the console.

    It is looked at in every form that somebody on the way may decode it to.
    """
    form = text
    for _ in range(MOST_ENCODINGS):
        if not _stays(form):
            return "/"
        if (decoded := unquote(form)) == form:
            return text
        form = decoded
    return "/"


MOST_ENCODINGS = 5
"""Times that a path may be encoded over."""


def _stays(text: str) -> bool:
    if not text.startswith("/") or "\\" in text or any(ord(each) <= 32 or ord(each) == 127 for each in text):
        return False
    path = text.partition("?")[0].partition("#")[0]
    *folders, last = path[1:].split("/")
    return last not in (".", "..") and not {"", ".", ".."} & {each.partition(";")[0] for each in folders}
