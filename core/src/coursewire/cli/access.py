"""``coursewire access``: the people and tokens that may use the host service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from coursewire.cli.host import actor, open_host
from coursewire.cli.lazy import command_group
from coursewire.cli.options import Json
from coursewire.cli.output import instant, note, put, put_json, put_table
from coursewire.errors import ConfigurationError
from coursewire.host import Host
from coursewire.service.accounts import Accounts
from coursewire.service.rights import RoleAssignment, parse_assignments
from coursewire.service.tokens import ApiTokens

Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        metavar="ROLE[@CUSTOMER]",
        help="viewer, operator, administrator or lms; for one customer by UUID, else for all. May be repeated.",
    ),
]


def list_(json: Json = False) -> None:
    """List people and tokens."""
    with open_host(read_only=True) as host:
        people = _accounts(host).list()
        tokens = _tokens(host).list()
        now = host.installation.clock()
    if json:
        for person in people:
            put_json(
                {
                    "account": person.name,
                    "disabled_at": person.disabled_at,
                    "grants": _texts(person.assignments),
                }
            )
        for each in tokens:
            put_json(
                {
                    "token": each.uuid,
                    "name": each.name,
                    "created_by": each.created_by,
                    "expires_at": each.expires_at,
                    "revoked_at": each.revoked_at,
                    "used_at": each.used_at,
                    "grants": _texts(each.assignments),
                }
            )
        return
    rows: list[tuple[Any, ...]] = [
        (
            "account",
            person.name,
            _texts(person.assignments),
            "disabled" if person.disabled_at else "",
        )
        for person in people
    ]
    for each in tokens:
        over = each.expires_at is not None and each.expires_at <= now
        state = (
            "revoked"
            if each.revoked_at
            else "over"
            if over
            else f"used {instant(each.used_at)}"
            if each.used_at
            else "never used"
        )
        rows.append((f"token {each.uuid.hex[:8]}", each.name, _texts(each.assignments), state))
    put_table(
        ("what", "name", "may", "state"),
        rows,
        empty="Nobody yet. `coursewire access add NAME --role administrator` adds the first account.",
    )


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as an e-mail address.")],
    role: Roles,
    password: Annotated[
        str | None,
        typer.Option(
            "--password-from",
            metavar="VARIABLE",
            help="Take the password from this variable of the environment; it is asked for otherwise.",
        ),
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For one who signs in by OpenID Connect only.")
    ] = False,
    json: Json = False,
) -> None:
    """Add an account for a person."""
    if no_password and password is not None:
        raise typer.BadParameter("--password-from and --no-password exclude each other")
    assignments = _assignments(role)
    with open_host() as host:
        secret = None if no_password else _secret(password)
        made = _accounts(host).add(name, secret, assignments)
    if json:
        put_json({"account": made.name, "grants": _texts(made.assignments)})
    else:
        put(f"{made.name} may sign in as {', '.join(_texts(made.assignments))}.")


def grant(name: Annotated[str, typer.Argument(metavar="NAME")], role: Roles, json: Json = False) -> None:
    """Give a person these roles, in place of those before."""
    with open_host() as host:
        changed = _accounts(host).assign_roles(name, _assignments(role))
    if json:
        put_json({"account": changed.name, "grants": _texts(changed.assignments)})
    else:
        put(f"{changed.name} is {', '.join(_texts(changed.assignments))} from now on.")


def password(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    password: Annotated[str | None, typer.Option("--password-from", metavar="VARIABLE")] = None,
) -> None:
    """Set another password, lift a lock, and end every session of the account."""
    with open_host() as host:
        _accounts(host).set_password(name, _secret(password))
    put(f"{name} has another password, and must sign in again.")


def disable(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Shut a person out at once."""
    _set_disabled(name, disabled=True)


def enable(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Let a person in again."""
    _set_disabled(name, disabled=False)


def _set_disabled(name: str, *, disabled: bool) -> None:

    with open_host() as host:
        _accounts(host).disable(name, disabled=disabled)
    put(f"{name} is shut out." if disabled else f"{name} may sign in again.")


def remove(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Remove an account; histories keep its name."""
    with open_host() as host:
        _accounts(host).remove(name)
    put(f"{name} is removed.")


def token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For people, such as what it is for.")],
    role: Roles,
    days: Annotated[
        int | None, typer.Option("--days", min=1, metavar="N", help="It is over after so many days.")
    ] = None,
    json: Json = False,
) -> None:
    """Make an API token and print it. Nobody can show it again."""
    assignments = _assignments(role)
    with open_host() as host:
        expires_at = host.installation.clock() + timedelta(days=days) if days else None
        made, value = _tokens(host).add(name, assignments, created_by=actor(), expires_at=expires_at)
    if json:
        put_json(
            {"token": made.uuid, "value": value, "expires_at": expires_at, "grants": _texts(assignments)}
        )
        return
    put(value)
    note(f"It is shown this once. `coursewire access revoke {made.uuid.hex[:8]}` ends it.", style="dim")


def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="The beginning of the token's id.")],
) -> None:
    """End a token at once."""
    with open_host() as host:
        tokens = _tokens(host)
        start = token.replace("-", "").lower()
        matches = [each for each in tokens.list() if start and each.uuid.hex.startswith(start)]
        if len(matches) != 1:
            raise ConfigurationError(
                f"{len(matches)} tokens begin with {token!r}",
                next_step="`coursewire access list` shows those there are.",
            )
        tokens.revoke(matches[0].uuid)
    put(f"The token {matches[0].name!r} is revoked.")


def _accounts(host: Host) -> Accounts:
    return Accounts(host.installation.engine, clock=host.installation.clock)


def _tokens(host: Host) -> ApiTokens:
    return ApiTokens(host.installation.engine, clock=host.installation.clock)


def _assignments(texts: Sequence[str]) -> list[RoleAssignment]:
    """Read the values of ``--role``.

    Raises:
        BadParameter: There is no such role, or the customer is no UUID.
    """

    try:
        return parse_assignments(texts)
    except ValueError as error:
        raise typer.BadParameter(f"--role: {error}") from None


def _texts(assignments: Sequence[RoleAssignment]) -> list[str]:
    return [f"{each.role}@{each.customer}" if each.customer else each.role.value for each in assignments]


def _secret(variable: str | None) -> SecretStr:
    """Take a password from a variable of the environment, or ask for it where none is named.

    Raises:
        BadParameter: There is no such variable.
    """

    if variable is None:
        return SecretStr(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    if variable not in os.environ:
        raise typer.BadParameter(f"--password-from: there is no variable {variable}")
    return SecretStr(os.environ[variable])


access = command_group()
access.command("list")(list_)
access.command()(add)
access.command()(grant)
access.command()(password)
access.command()(disable)
access.command()(enable)
access.command()(remove)
access.command()(token)
access.command()(revoke)
