"""Health: whether the service is alive, and whether it can work."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from coursewire.errors import CoursewireError
from coursewire.service.authorization import GuardedRouter, identify, public
from coursewire.service.rights import Caller, Right

if TYPE_CHECKING:
    from coursewire.installation import Installation

READY_FOR_S = 2.0
"""The seconds for which an answer of ``/readyz`` stands: however often it is asked, the database is not."""

router = GuardedRouter(tags=["health"])


@router.get("/healthz", summary="Alive")
@public
async def healthz() -> dict[str, str]:
    """Say that the process answers; nothing else is looked at."""
    return {"status": "alive"}


@router.get("/readyz", summary="Able to work", responses={503: {"description": "Something is missing."}})
@public
async def readyz(request: Request, caller: Annotated[Caller | None, Depends(identify)]) -> Any:
    """Check database, secret key and channels. Faults are told to a caller who may read all customers."""
    state = request.app.state
    now = time.monotonic()
    async with _lock(state):
        if getattr(state, "ready_until", 0.0) <= now:
            state.readiness = await run_in_threadpool(_look, state.installation)
            state.ready_until = now + READY_FOR_S
    checks: dict[str, dict[str, Any]] = state.readiness
    ready = all(check["ok"] for check in checks.values())
    body: dict[str, Any] = {"status": "ready" if ready else "not ready"}
    if caller is not None and caller.customers(Right.READ) is None:
        body["checks"] = checks
    return JSONResponse(body, 200 if ready else 503)


def _lock(state: Any) -> asyncio.Lock:
    if not hasattr(state, "ready_lock"):
        state.ready_lock = asyncio.Lock()
    lock: asyncio.Lock = state.ready_lock
    return lock


def _look(installation: Installation) -> dict[str, dict[str, Any]]:
    from coursewire.storage.database.schema import require_current  # noqa: PLC0415 - with the engine

    def database() -> str:
        require_current(installation.engine)
        return "answers, and has this release's schema"

    def key() -> str:
        return f"opens stored secrets ({type(installation.secrets).__name__})"

    def channels() -> str:
        codes = installation.channels.codes()
        if not codes:
            raise CoursewireError(
                "no channel is installed", next_step="Install one, such as coursewire-canvas."
            )
        return ", ".join(codes)

    return {
        name: _check(look) for name, look in (("database", database), ("key", key), ("channels", channels))
    }


def _check(look: Any) -> dict[str, Any]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as above

    try:
        return {"ok": True, "detail": look()}
    except CoursewireError as error:
        return {"ok": False, "detail": str(error)}
    except SQLAlchemyError as error:
        return {"ok": False, "detail": f"the database does not answer ({type(error).__name__})"}
