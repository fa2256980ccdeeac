"""What an LMS says no with where it answers every call with HTTP 200: codes, whose meaning is a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.errors import (
    BlockedError,
    CredentialsError,
    RejectedError,
    SendError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

_KINDS: dict[str, type[SendError]] = {
    "blocked": BlockedError,
    "credentials": CredentialsError,
    "later": UnreachableError,
    "rejected": RejectedError,
    "unclear": SendError,
}


def coded_error(table: Mapping[str, Sequence[str]], code: str, what: str, why: str = "") -> SendError:
    """The error for one of an LMS's codes, since words are in the language of its users.

    Args:
        table: By code, or by the beginning of codes and ``*``: what it means, and what a person can do.
            ``blocked``: at the LMS; ``credentials``; ``later``: it is out of order; ``unclear``: perhaps the fault
            of one item in a batch, which is looked for. The first that fits counts; with none it is ``rejected``.
        code: What the LMS says; "" where it says none.
        what: What was refused.
        why: The words that came with the code.
    """
    begin = (row for name, row in table.items() if name.endswith("*") and code.startswith(name[:-1]))
    kind, *step = table.get(code) or next(begin, ("rejected",))
    return _KINDS[kind](what, why=why, next_step="".join(step), http_status=200, reason=code or "lms-error")


async def lacking(tries: Mapping[str, Callable[[], Awaitable[object]]]) -> list[str]:
    """Which rights are lacking, as calls that change nothing tell; for ``check_connection``.

    Args:
        tries: By the names of rights: a call that is blocked without it. One that is refused for what it carries
            has shown that the right is there.

    Returns:
        The name of each that is lacking, with the reason.
    """
    found = []
    for name, call in tries.items():
        try:
            await call()
        except RejectedError:
            continue
        except BlockedError as error:
            found.append(f"{name} ({error.reason})")
    return found


def demand(what: str, missing: Iterable[str], next_step: str) -> None:
    """Refuse a connection for all that is missing, together.

    Raises:
        BlockedError: Something is missing.
    """
    if names := list(missing):
        raise BlockedError(what, why=", ".join(names), next_step=next_step)
