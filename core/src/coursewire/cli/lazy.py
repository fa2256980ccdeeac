"""Commands whose modules are imported only when they are needed, so that ``coursewire --help`` is quick."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from coursewire.cli.commands import CommandRow
from coursewire.errors import SetupError


class LazyCommand(TyperCommand):
    """Stand in the list of commands for one that is not imported yet.

    Its name and its one line of help come from the table of commands, and serve ``coursewire --help``, completion and
    suggestions. The command itself is imported when somebody calls it or asks for its own help.

    Args:
        row: The command's row in the table.
    """

    def __init__(self, row: CommandRow) -> None:
        super().__init__(row.name, help=row.help, rich_help_panel=row.section, rich_markup_mode=None)
        self._row = row

    def load(self) -> Any:
        """Import the command.

        Returns:
            The command or the group itself, as typer makes it.

        Raises:
            SetupError: The optional dependencies that the command needs are not installed.
        """
        return _load(self._row)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context of the command itself: everything from here on is its own."""
        return self.load().make_context(info_name, args, parent=parent, **extra)


@cache
def _load(row: CommandRow) -> Any:
    try:
        found = getattr(import_module(row.module), row.attribute)
    except ModuleNotFoundError as error:
        if not row.extra:
            raise
        raise SetupError(
            f"`coursewire {row.name}` is not installed",
            why=f"there is no module {error.name}",
            next_step=f"Run: pip install 'coursewire[{row.extra}]'",
        ) from None
    application = command_group()
    if isinstance(found, typer.Typer):
        application.add_typer(found, name=row.name, help=row.help)
    else:
        application.command(row.name)(found)
    return typer.main.get_group(application).commands[row.name]


def command_group(**options: Any) -> typer.Typer:
    """Return an empty group of commands that prints its help when none of them is named.

    Args:
        **options: Further arguments of :class:`typer.Typer`, such as ``name`` and ``help``.
    """
    return typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False, **options)
