"""The application: the list of commands, channels' own commands, and the report of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import coursewire
from coursewire.cli.commands import COMMANDS, SECTIONS
from coursewire.cli.lazy import LazyCommand
from coursewire.errors import CoursewireError

READER_GONE = 141
"""The status that a shell reports of a program whose reader has gone: 128 and the number of SIGPIPE."""


class Commands(TyperGroup):
    """The commands of ``coursewire``, each imported when it is needed; other names may be those of channels."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update({row.name: LazyCommand(row) for row in COMMANDS})

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands under the headings of :data:`SECTIONS`."""
        width = max(map(len, self.commands))
        for section in SECTIONS:
            rows = [(row.name.ljust(width), row.help) for row in COMMANDS if row.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name; a channel's commands by the channel's name or code."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        from coursewire.cli.installed import find_channel_group  # noqa: PLC0415 - loads the channels

        return find_channel_group(cmd_name)


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
        typer.echo(f"coursewire {coursewire.__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit status: 0 all well, 1 some items failed, 2 usage or configuration error, 3 another run "
    "of the same job is under way, 4 the retirement guard stopped the run."
)
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Carry course catalogues to learning management systems, and results back to them."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        args: The words after the program's name; those of the process when left out.

    Returns:
        The exit status.
    """
    args = list(sys.argv[1:] if args is None else args)
    for stream in (sys.stdout, sys.stderr):
        # A title in a script that the terminal cannot show must not end a run.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        status = app(args, prog_name="coursewire", standalone_mode=False)
    except typer.TyperException as error:
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
        from coursewire.cli.output import put_json  # noqa: PLC0415 - loads rich

        what = error.format_message()
        put_json({"error": {"code": "usage", "what": what, "where": "", "why": "", "next_step": ""}})
    return int(error.exit_code)


def _our_error(error: CoursewireError, args: Sequence[str]) -> int:
    from coursewire.cli.output import error_json, put_json, show_error  # noqa: PLC0415 - loads rich

    show_error(error)
    if "--json" in args:
        put_json({"error": error_json(error)})
    return error.exit_status


def _unexpected(error: Exception, args: Sequence[str]) -> int:
    if os.environ.get("COURSEWIRE_DEBUG") == "1":
        raise error
    from coursewire.plugins.faults import describe  # noqa: PLC0415 - loads the plugins' room

    unexpected = CoursewireError(
        "this should not have happened",
        why=describe(error),
        next_step="It is a fault of Coursewire or of a plugin. Run the command again with COURSEWIRE_DEBUG=1 "
        "and report what it prints.",
    )
    return _our_error(unexpected, args)
