"""When the `coursewire` command meets a word that is no command of core's: it may be the name of a channel, as its entry
point has it, or its code. The commands stand below that: `lighthouse regions`."""

import typer

from coursewire import hookimpl


@hookimpl
def channel_commands() -> typer.Typer:
    """One command; a group of several is a `Typer` with several."""
    commands = typer.Typer(no_args_is_help=True, help="What only Lighthouse needs.")

    @commands.command()
    def regions() -> None:
        """List the regions of Lighthouse."""
        typer.echo("eu\nus")

    return commands
