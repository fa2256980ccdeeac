"""``coursewire serve``: the host service."""

from __future__ import annotations

import signal
from typing import Annotated

import typer
import uvicorn

from coursewire.cli.host import open_host
from coursewire.pipeline.runners.inline import calm_collector
from coursewire.service.connections import OPTIONS, BoundedProtocol


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
    with open_host() as opened:
        app = opened.asgi()
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
            http=BoundedProtocol,
            **OPTIONS,
        )
        _end_quietly()
        uvicorn.Server(config).run()


def _end_quietly() -> None:
    """Let a signal that ended the service be no failure: uvicorn raises it again once all has ended."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
