"""``coursewire simulate``: a small stand-in for a channel's LMS, until Ctrl-C."""

from __future__ import annotations

import asyncio
import json as json_module
import signal
from contextlib import suppress
from typing import Annotated, Any

import typer

from coursewire.cli.installed import installed_channels
from coursewire.cli.options import Json
from coursewire.cli.output import note, put, put_json
from coursewire.errors import SettingsError
from coursewire.plugins.registry import LoadedChannel
from coursewire.plugins.simulators import make_simulator
from coursewire.suggest import did_you_mean


def simulate(
    channel: Annotated[str, typer.Argument(metavar="CODE", help="Code of the channel.", show_default=False)],
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 0,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--option", metavar="NAME=VALUE", help="Set a property of the simulator; may be repeated."
        ),
    ] = None,
    misbehave: Annotated[
        list[str] | None,
        typer.Option(
            "--misbehave",
            metavar="NAME[:TIMES]",
            help="Answer badly, once or so many times or `always`; may be repeated.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run a small stand-in for a channel's LMS, until Ctrl-C."""
    loaded = installed_channels().get(channel.upper())
    simulator = make_simulator(loaded)
    for option in options or ():
        _set(simulator, option)
    try:
        for each in misbehave or ():
            simulator.add_misbehaviour(each)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    asyncio.run(_serve(simulator, loaded, port, json=json))


def _set(simulator: Any, option: str) -> None:
    """Set a property of the simulator that is a truth value, a number or text, in its present type.

    Args:
        simulator: The simulator.
        option: The name and the new value, as ``NAME=VALUE``.

    Raises:
        BadParameter: There is no such property, or the value is of another type.
    """
    name, equals, value = option.partition("=")
    can = {
        each: getattr(simulator, each)
        for each in (*vars(simulator), *vars(type(simulator)))
        if not each.startswith("_") and isinstance(getattr(simulator, each), bool | int | float | str)
    }
    for fixed in ("code", "url"):
        can.pop(fixed, None)
    if not equals or name not in can:
        raise typer.BadParameter(f"there is no property {name!r}; {did_you_mean(name, can)}")
    kind = type(can[name])
    try:
        setattr(simulator, name, value.lower() in ("1", "true", "yes", "on") if kind is bool else kind(value))
    except ValueError as error:  # of a text, only the simulator knows what is wrong with it
        wrong = str(error) if kind is str else f"it is a {kind.__name__}, and {value!r} is not"
        raise typer.BadParameter(f"{name}: {wrong}") from None


async def _serve(simulator: Any, channel: LoadedChannel, port: int, *, json: bool) -> None:
    """Run the simulator until SIGINT or SIGTERM.

    Raises:
        SettingsError: It cannot listen on the port.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # only a process's main thread may
            loop.add_signal_handler(number, stopped.set)
    try:
        await simulator.start(port=port)
    except OSError as error:
        raise SettingsError(
            "the simulator cannot listen",
            where=f"127.0.0.1:{port}",
            why=error.strerror or "",
            next_step="Take another --port, or leave it out.",
        ) from error
    try:
        _put_address(simulator, channel, json=json)
        await stopped.wait()
    finally:
        await simulator.stop()


def _put_address(simulator: Any, channel: LoadedChannel, *, json: bool) -> None:
    """Print where the simulator is, and a configuration for it."""
    config = {"channel": channel.channel.code, "customer": "", "active": True, **simulator.sample_config()}
    if json:
        put_json({"url": simulator.url, "config": config})
        return
    put(f"{channel.channel.title} is simulated at {simulator.url}", style="bold green")
    put()
    put("A configuration for it; fill in the customer, and set COURSEWIRE_ALLOW_INSECURE_URLS=1:")
    typer.echo(json_module.dumps(config, indent=2, ensure_ascii=False))
    put()
    put(f"What it holds:    {simulator.url}/_simulator/items")
    put(f"What it was asked: {simulator.url}/_simulator/requests")
    put(f"Counts:           {simulator.url}/_simulator/counts")
    note("Ctrl-C ends it.", style="dim")
