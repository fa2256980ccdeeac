"""What an LMS says no with where it answers every call with HTTP 200: codes, whose meaning is a table."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from coursewire.errors import (
    BlockedError,
    CredentialsError,
    RejectedError,
    SendError,
    UnreachableError,
)
from coursewire.model.reasons import Reason
from coursewire.model.session import Token
from coursewire.toolkit.auth import FormAuth
from coursewire.toolkit.forms import with_field
from coursewire.toolkit.responses import dig, read_noisy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import httpx

    from coursewire.model.session import Tokens

T = TypeVar("T")

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
    return _KINDS[kind](
        what, why=why, next_step="".join(step), http_status=200, reason=code or Reason.LMS_ERROR
    )


def worded_error(
    table: Mapping[str, Sequence[str]], reason: str, why: str = "", **named: object
) -> SendError:
    """An error of the channel's own, whose words stand in a table.

    Args:
        table: By reason: what it means, as for :func:`coded_error`; what is wrong; what a person can do.
        reason: Which one; results carry it.
        why: More than the table can know.
        **named: What the words name in braces.
    """
    kind, what, step = table[reason]
    return _KINDS[kind](what.format(**named), why=why, next_step=step.format(**named), reason=reason)


class Preflight:
    """What ``check_connection`` finds missing, by name, so that all of it is told together."""

    def __init__(self) -> None:
        self.missing: list[str] = []

    async def tried(self, name: str, call: Awaitable[T]) -> T | None:
        """The answer to a call that changes nothing; None where it is refused.

        Args:
            name: Of the right without which the call is blocked; noted as missing then. A call that is refused for
                what it carries has shown that the right is there.
            call: The call.
        """
        try:
            return await call
        except BlockedError as error:
            self.missing.append(f"{name} ({error.reason})")
        except RejectedError:
            pass
        return None

    def expect(self, found: Mapping[str, bool]) -> None:
        """Note names that were not found."""
        self.missing += [name for name, there in found.items() if not there]

    def demand(self, what: str, next_step: str) -> None:
        """Refuse the connection for all that is missing so far.

        Raises:
            BlockedError: Something is.
        """
        if self.missing:
            raise BlockedError(what, why=", ".join(self.missing), next_step=next_step)


class CodedAuth(FormAuth):
    """A token in a field of each call's form, from an LMS that answers every call with HTTP 200 and has codes.

    Args:
        tokens: Where tokens are kept.
        url: Where one is asked for.
        form: What is asked with.
        given: A token that a person took from the LMS, which nothing renews.
        field: The form's field that carries the token.
        member: The answer's member that has it.
        lifetime_s: Seconds after which it is asked for again, where the LMS does not say how long it lasts.
        refusals: What the codes mean that come instead of a token; see :func:`coded_error`.
        code_of: Reads the code of an answer; "" where it has none.
        over: The code that says that the token is not accepted.
        perhaps_over: The one of which only the same call again tells. So it does after a 401, a gateway's.
    """

    def __init__(
        self,
        tokens: Tokens,
        url: str,
        form: Mapping[str, str],
        *,
        given: str,
        field: str,
        member: str,
        lifetime_s: float,
        refusals: Mapping[str, Sequence[str]],
        code_of: Callable[[httpx.Response], str],
        over: str,
        perhaps_over: str,
    ) -> None:
        super().__init__(tokens, url, form, given=given)
        self._field, self._member, self._lifetime = field, member, timedelta(seconds=lifetime_s)
        self._refusals, self._code_of = refusals, code_of
        self._over, self._perhaps_over = over, perhaps_over

    def signed(self, request: httpx.Request, token: Token) -> httpx.Request:
        """The request with the token in its form."""
        return with_field(request, self._field, token.value)

    def is_over(self, response: httpx.Response) -> bool:
        """What the LMS says of a token that it does not know."""
        return self._code_of(response) == self._over

    def may_be_over(self, response: httpx.Response) -> bool:
        """After the code that leaves it open, and after 401."""
        return response.status_code == 401 or self._code_of(response) == self._perhaps_over

    def read_token(self, response: httpx.Response) -> Token:
        """Read the token, or why there is none: either comes with status 200."""
        printed = read_noisy(response.content)
        token = dig(printed and printed.data, self._member)
        if isinstance(token, str) and token.strip():
            return Token(token, self.tokens.clock() + self._lifetime)
        code = self._code_of(response)
        why = code or "the answer is not one that the LMS gives"
        raise coded_error(self._refusals, code, "the LMS gave no token", why)
