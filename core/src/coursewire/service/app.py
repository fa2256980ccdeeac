"""The application: every route of the host service, over one installation."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from coursewire.service import api, console, events, health, inbound, metrics, oidc, problems
from coursewire.service.accounts import Accounts
from coursewire.service.console.site import home_of, problem_page
from coursewire.service.headers import SafeHeaders
from coursewire.service.paging import API
from coursewire.service.rate import Rates
from coursewire.service.stats import Stats
from coursewire.service.tokens import ApiTokens
from coursewire.service.tracing import Traced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from coursewire.host import Host

LARGEST_BODY = 1_048_576
"""Bytes of any request."""

DESCRIPTION = """\
Everything that the `coursewire` command does for a running installation. Send an API token as a bearer
(`coursewire access token NAME --role ROLE`). Lists come in pages: give `next` of one as `after` for the following. Errors are
`application/problem+json` (RFC 9457) with what failed, why and what to do next. Secrets go in and never come out.
"""


ROUTERS = (health.router, metrics.router, events.router, *api.ROUTERS, *console.ROUTERS)
"""All but the inbound routes, which depend on the channels that are installed."""


def create_app(
    host: Host,
    *,
    learner_of: inbound.LearnerOf | None = None,
) -> FastAPI:
    """Make the application.

    It may be mounted below any path of another one. The lifespan of a mounted application is not run by those that
    mount it; then nothing starts the runs of the schedule, and whoever made the host ends its jobs.

    Args:
        host: Does everything that is asked. Its installation is not read-only; whoever made the host closes it.
        learner_of: Says which learner is calling; the one that the settings name when left out.

    Raises:
        CoursewireError: The database is missing or of another schema.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        host.background.reopen()
        async with host.serving():
            try:
                yield
            finally:
                await host.background.aclose()
                await app.state.stats.aclose()

    installation = host.installation
    oidc.check(installation.settings)
    app = FastAPI(
        title="Coursewire",
        version=version("coursewire"),
        description=DESCRIPTION,
        lifespan=lifespan,
        max_body_size=LARGEST_BODY,
        redirect_slashes=False,  # such a redirect would go by the Host header
        docs_url=None,  # it would load its scripts from elsewhere
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
    )
    app.state.host = host
    app.state.installation = installation
    app.state.tokens = ApiTokens(installation.engine, clock=installation.clock)
    app.state.accounts = Accounts(installation.engine, clock=installation.clock)
    app.state.oidc = oidc.OpenIdConnect(installation)
    app.state.stats = Stats(installation)
    app.state.rates = Rates()
    app.state.conformance = {}
    app.state.metrics = metrics.Metrics()
    host.background.listeners += [app.state.metrics.note_end, app.state.stats.job_ended]
    app.add_middleware(SafeHeaders)
    app.add_middleware(metrics.Counted, metrics=app.state.metrics)
    if installation.settings.traces:
        app.add_middleware(Traced)
    problems.install(app, page=console_page)
    # Put in as they are, and not included: so every route of the application can be looked at.
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    header = installation.settings.learner_header
    named = inbound.header_learner(header) if header else inbound.nobody
    app.router.routes.extend(inbound.router(installation, learner_of or named).routes)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def console_page(request: Request, problem: problems.Problem) -> Response | None:
    """Return the page that shows a problem to a person; None where a program asks."""
    return problem_page(request, problem) if request.url.path.startswith(home_of(request)) else None


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = document_of(app.routes)
    return app.openapi_schema


def document_of(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the OpenAPI document of the routes."""
    schema = get_openapi(
        title="Coursewire", version=version("coursewire"), description=DESCRIPTION, routes=routes
    )
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = problems.SCHEMA
    components["Event"] = events.Event.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(components["Event"].pop("$defs"))
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)  # our answer to it is a problem
    return schema
