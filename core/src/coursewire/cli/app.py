"""The application: its commands in groups, channels' own commands, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from coursewire.errors import CoursewireError

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # typer gives it no public name

READER_GONE = 141
"""What a shell says of a program that its reader left: 128 and the number of SIGPIPE."""

SECTIONS = ("Set up", "Configurations", "Transmit", "Look", "Serve", "Try out", "Write a channel")


class Commands(TyperGroup):
    """The commands, listed by what they are for. A name that is not among them may be a channel's."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands under the headings of :data:`SECTIONS`."""
        width = max(map(len, self.commands))
        for section in SECTIONS:
            rows = [
                (name.ljust(width), command.get_short_help_str(formatter.width - width - 6))
                for name, command in self.commands.items()
                if getattr(command, "rich_help_panel", None) == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by name; a channel's commands by the channel's name or code."""
        return super().get_command(ctx, cmd_name) or self._of_channel(cmd_name)

    @staticmethod
    def _of_channel(name: str) -> Any:
        from coursewire.plugins.loading import load_channels
        from coursewire.settings import Settings

        settings = Settings.load()
        for row in load_channels(allowed=settings.channels, hooks_file=settings.hooks_file):
            if name.casefold() in (row.name.casefold(), row.channel.code.casefold()):
                own = typer.Typer(
                    name=row.name, help=f"Commands of {row.channel.title}.", rich_markup_mode=None
                )
                groups = row.hook_caller.channel_commands()
                for group in groups:
                    own.registered_commands += group.registered_commands
                    own.registered_groups += group.registered_groups
                return typer.main.get_group(own) if groups else None
        return None


app = typer.Typer(
    name="coursewire",
    cls=Commands,
    rich_markup_mode=None,  # rich would take longer to load than everything else that --help needs
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"coursewire {version('coursewire')}")
        raise typer.Exit


@app.callback(
    epilog="Exit status: 0 all well, 1 some items failed, 2 usage or configuration error, 3 another run "
    "of the same job is under way, 4 the retirement guard stopped the run."
)
def coursewire(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Carry course catalogues to learning management systems, and results back to them."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        args: Without the program's name; those of the process when left out.

    Returns:
        The exit status.
    """
    args = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        # A title in a script that the terminal cannot show must not end a run.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        status = app(args, prog_name="coursewire", standalone_mode=False)
    except _UsageError as error:
        return _usage_error(error, args)
    except CoursewireError as error:
        return _our_error(error, args)
    except typer.Abort:
        sys.stderr.write("Nothing was done.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    except SystemExit as ended:
        # typer ends so when it has completed a word, and with 1 when the reader of our output is gone.
        return READER_GONE if ended.code == 1 else 0
    except Exception as error:  # noqa: BLE001 - the last resort, so that no traceback meets an operator
        return _unexpected(error, args)
    return status if isinstance(status, int) else 0


def _usage_error(error: Any, args: Sequence[str]) -> int:
    error.show()
    if "--json" in args:
        from coursewire.cli.output import put_json

        put_json(
            {
                "error": {
                    "code": "usage",
                    "what": error.format_message(),
                    "where": "",
                    "why": "",
                    "next_step": "",
                }
            }
        )
    return int(error.exit_code)


def _our_error(error: CoursewireError, args: Sequence[str]) -> int:
    from coursewire.cli.output import error_json, put_json, show_error

    show_error(error)
    if "--json" in args:
        put_json({"error": error_json(error)})
    return error.exit_status


def _unexpected(error: Exception, args: Sequence[str]) -> int:
    if os.environ.get("COURSEWIRE_DEBUG") == "1":
        raise error
    from coursewire.plugins.faults import describe

    unexpected = CoursewireError(
        "this should not have happened",
        why=describe(error),
        next_step="It is a fault of Coursewire or of a plugin. Run the command again with COURSEWIRE_DEBUG=1 "
        "and report what it prints.",
    )
    return _our_error(unexpected, args)


# The modules below add their commands to ``app``, in the order in which they are listed.
from coursewire.cli import (  # noqa: E402
    access,
    audit,
    authors,
    config,
    content,
    learners,
    serve,
    setup,
    simulate,
    why,
)

for module in (setup, config, content, audit, why, learners, serve, access, simulate, authors):
    module.register(app)
