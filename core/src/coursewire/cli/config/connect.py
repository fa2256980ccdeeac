"""``coursewire config connect``: an administrator's grant of access, without the host service."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

import typer

from coursewire.cli.host import actor, open_host
from coursewire.cli.options import ConfigId, Json
from coursewire.cli.output import note, put, put_json
from coursewire.configurations.configuration import Configuration
from coursewire.errors import ConfigurationError, CoursewireError, GrantError, SettingsError
from coursewire.host import Host
from coursewire.inbound.code_grants import GOOD_FOR, CodeGrants

HOST = "127.0.0.1"
PORT = 8765
PATH = "/connected"


def connect(
    config: ConfigId,
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="Port on this machine that is listened on; 0 for any."),
    ] = PORT,
    paste: Annotated[
        bool, typer.Option("--paste", help="Do not listen: ask for the address that the browser ends at.")
    ] = False,
    redirect_uri: Annotated[
        str | None,
        typer.Option(
            "--redirect-uri",
            metavar="URI",
            help="The redirect URI as registered in the LMS. Another than this machine's needs --paste.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Let an administrator of the LMS grant access, and store the tokens.

    Prints an address to open in a browser, and waits until the LMS leads back; or, with --paste, asks for the
    address that the browser ends at, also where that page does not load.
    """
    if redirect_uri and not paste:
        raise typer.BadParameter("--redirect-uri leads elsewhere: give --paste with it")
    session = secrets.token_urlsafe(32)
    with open_host() as host:
        found = host.configurations.find(config)
        grants = CodeGrants(host.installation)

        def finish(answer: Mapping[str, str]) -> Configuration:
            return asyncio.run(grants.finish(answer, session=session, actor=actor()))

        def show(url: str) -> None:
            note("Open this address in a browser, signed in to the LMS as the user whose access is granted:")
            typer.echo(f"\n{url}\n", err=True)  # in one piece, however narrow the terminal

        if paste:
            uri = redirect_uri or f"http://{HOST}:{port or PORT}{PATH}"
            show(grants.start(found.uuid, session=session, redirect_uri=uri))
            connected = finish(_pasted(typer.prompt("The address that the browser ended at", err=True)))
        else:
            with _listening(port) as (uri, wait):
                show(grants.start(found.uuid, session=session, redirect_uri=uri))
                note(f"Waiting at {uri} ...", style="dim")
                connected = wait(finish, GOOD_FOR.total_seconds())
    if json:
        put_json({"id": connected.uuid, "connected": True, "active": connected.active})
        return
    put(f"Configuration {connected.short_id} is connected.")
    if not connected.active:
        put(f"It is a draft. Next: coursewire config activate {connected.short_id}", style="dim")


@contextmanager
def hint_to_connect(host: Host, configuration: Configuration) -> Iterator[None]:
    """Name ``config connect`` as the next step, where all that a configuration lacks is what a grant brings."""
    try:
        yield
    except ConfigurationError as error:
        if lacks_grant(host, configuration, {*error.missing, *error.incorrect}):
            error.next_step = f"Let an administrator of the LMS grant access: coursewire config connect {configuration.short_id}"
        raise


def lacks_grant(host: Host, configuration: Configuration, fields: Collection[str]) -> bool:
    """Tell whether a grant would bring every field that keeps a configuration from being valid.

    Args:
        host: The host.
        configuration: The configuration.
        fields: The names of its missing and incorrect fields.
    """
    grant = host.channels.get(configuration.channel).hook_caller.oauth_application()
    return grant is not None and bool(fields) and set(fields) <= set(grant.fields)


def _pasted(text: str) -> dict[str, str]:
    """Read the query of an address that a person pasted.

    Raises:
        BadParameter: The address has no query.
    """

    query = urlsplit(text.strip()).query
    if not query:
        raise typer.BadParameter("this address has no query; paste all of it, from https:// to the end")
    return dict(parse_qsl(query, keep_blank_values=True))


@contextmanager
def _listening(
    port: int,
) -> Iterator[tuple[str, Callable[[Callable[[Mapping[str, str]], Configuration], float], Configuration]]]:
    """Listen on loopback for the browser that comes back from the LMS.

    Args:
        port: The port; 0 for any.

    Yields:
        The redirect URI, and a function that waits for the answer. The function takes what finishes the grant, and
        the number of seconds to wait; it returns the connected configuration.

    Raises:
        SettingsError: The port cannot be listened on.
    """
    outcome: list[Configuration | CoursewireError] = []
    handle: list[Callable[[Mapping[str, str]], Configuration]] = []

    class Page(BaseHTTPRequestHandler):
        timeout = 10  # of a browser that connects and says nothing

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            answer = dict(parse_qsl(parts.query, keep_blank_values=True))
            if parts.path != PATH or not answer:
                self._show(404, "There is nothing here.")
                return
            try:
                outcome.append(handle[0](answer))
                self._show(200, "Access is granted. You may close this window.")
            except CoursewireError as error:
                # What belongs to no grant of ours, another page of this machine may have sent.
                if getattr(error, "reason", "") not in ("state-missing", "state-unknown"):
                    outcome.append(error)
                self._show(400, "Access could not be granted. The terminal says why.")

        def _show(self, status: int, sentence: str) -> None:
            body = f"<!DOCTYPE html><title>Coursewire</title><p>{sentence}</p>".encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: the address holds the code."""

    try:
        server = HTTPServer((HOST, port), Page)
    except OSError as error:
        raise SettingsError(
            f"port {port} of this machine cannot be listened on",
            why=error.strerror or "",
            next_step="Choose another with --port (it must be registered in the LMS), or use --paste.",
        ) from error

    def wait(finish: Callable[[Mapping[str, str]], Configuration], seconds: float) -> Configuration:
        handle.append(finish)
        ends = time.monotonic() + seconds
        while not outcome:
            left = ends - time.monotonic()
            if left <= 0:
                raise GrantError(
                    "no-answer",
                    "nobody came back from the LMS in time",
                    next_step="Run the command again. Where the browser is on another machine, use --paste.",
                )
            server.timeout = left
            server.handle_request()
        if isinstance(outcome[0], CoursewireError):
            raise outcome[0]
        return outcome[0]

    with server:
        yield f"http://{HOST}:{server.server_address[1]}{PATH}", wait
