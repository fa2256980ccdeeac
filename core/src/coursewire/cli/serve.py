"""``coursewire serve``: the host service."""

from __future__ import annotations

import signal
from typing import Annotated, Any

import typer

from coursewire.errors import SetupError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Serve")(serve)


def serve(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Listen there.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8080,
    behind_proxy: Annotated[
        str,
        typer.Option(
            "--behind-proxy",
            metavar="ADDRESSES",
            help="Believe X-Forwarded-For and X-Forwarded-Proto of these addresses, with commas between.",
        ),
    ] = "",
    root_path: Annotated[
        str,
        typer.Option(
            "--root-path", metavar="PATH", help="Path below which a proxy shows it, and which it takes away."
        ),
    ] = "",
) -> None:
    """Serve REST API, inbound endpoints and console.

    SIGTERM or Ctrl-C ends it, after the requests and jobs under way. Put a proxy with TLS in front of it.
    """
    from coursewire.cli.common import open_installation
    from coursewire.host import Host
    from coursewire.pipeline.runners.inline import calm_collector

    uvicorn, create_app = _service()
    with open_installation() as installation:
        app = create_app(Host(installation=installation))
        calm_collector()
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,  # the installation's own
            access_log=False,
            server_header=False,
            proxy_headers=bool(behind_proxy),
            forwarded_allow_ips=behind_proxy or None,
            root_path=f"/{root_path.strip('/')}" if root_path.strip("/") else "",
            timeout_graceful_shutdown=30,
        )
        _end_quietly()
        uvicorn.Server(config).run()


def _end_quietly() -> None:
    """Let a signal that was heeded be no failure: uvicorn raises it again once all has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def _service() -> tuple[Any, Any]:
    try:
        import uvicorn

        from coursewire.service.app import create_app
    except ModuleNotFoundError as error:
        raise SetupError(
            "the host service is not installed",
            why=f"there is no module {error.name}",
            next_step="Run: pip install 'coursewire[service]'",
        ) from None
    return uvicorn, create_app
