"""The statuses of HTTP and what each says about a request: the one table from which every channel's verdicts follow.

It holds the registered statuses, and those that proxies, load balancers and content delivery networks make up. A status
that has no row has the meaning of its class: an unknown 4xx or 5xx passes, since only a status with a known meaning can
be a refusal.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from coursewire.http.redact import is_html, media_type_of
from coursewire.model.reasons import Reason, http_reason

if TYPE_CHECKING:
    import httpx


class Verdict(Enum):
    """The meaning of a status that is not a success, for what the request carried."""

    REFUSED = auto()
    """The LMS does not take what was sent, or cannot do it as things are there."""
    CREDENTIALS = auto()
    """The LMS does not accept the credentials."""
    PERSON = auto()
    """Somebody has to act at the LMS before the same request can succeed."""
    NOT_NOW = auto()
    """It says nothing about what was sent: the same request may succeed later."""


class StatusMeaning(NamedTuple):
    """The meaning of one status.

    Attributes:
        verdict: What it says for the item.
        reason: The reason code.
        not_done: True when the request was surely not carried out. After any other status, nobody knows what became of
            a request that something between us and the LMS may have answered.
        at_once: True when it is worth while to repeat a request that is safe to repeat within seconds.
    """

    verdict: Verdict
    reason: str
    not_done: bool = False
    at_once: bool = False


def _refused(reason: str) -> StatusMeaning:
    return StatusMeaning(Verdict.REFUSED, reason, not_done=True)


def _later(reason: str) -> StatusMeaning:
    return StatusMeaning(Verdict.NOT_NOW, reason, not_done=True)


def _unknown(status: int, *, at_once: bool = False) -> StatusMeaning:
    return StatusMeaning(Verdict.NOT_NOW, http_reason(status), at_once=at_once)


def _gateway(*, at_once: bool = True) -> StatusMeaning:
    return StatusMeaning(Verdict.NOT_NOW, Reason.LMS_ERROR, at_once=at_once)


STATUSES: dict[int, StatusMeaning] = {
    400: _refused(Reason.INVALID),
    401: StatusMeaning(Verdict.CREDENTIALS, Reason.CREDENTIALS, not_done=True),
    402: StatusMeaning(Verdict.PERSON, Reason.PAYMENT_REQUIRED, not_done=True),
    403: _refused(Reason.FORBIDDEN),
    404: _refused(Reason.NOT_FOUND_AT_LMS),
    405: _refused(Reason.METHOD_NOT_ALLOWED),
    406: _refused(http_reason(406)),
    407: _later(http_reason(407)),  # a proxy of ours asks who we are
    408: StatusMeaning(Verdict.NOT_NOW, Reason.LMS_TIMEOUT, at_once=True),
    409: _refused(Reason.CONFLICT),
    410: _refused(Reason.NOT_FOUND_AT_LMS),
    411: _refused(http_reason(411)),
    412: _later(http_reason(412)),  # what is there changed while we were writing
    413: _refused(Reason.TOO_LARGE),
    414: _refused(Reason.TOO_LARGE),
    415: _refused(http_reason(415)),
    416: _refused(http_reason(416)),
    417: _later(http_reason(417)),
    418: _unknown(418),  # firewalls use it for a ban that ends
    419: _unknown(419),  # a session that has ended, by some frameworks
    420: _unknown(420),  # "enhance your calm"
    421: _later(http_reason(421)),  # the connection belongs to another host
    422: _refused(Reason.INVALID),
    423: _later(Reason.LOCKED),
    424: _later(http_reason(424)),  # another request failed
    425: _later(Reason.TOO_EARLY),
    426: _later(http_reason(426)),
    428: _refused(http_reason(428)),
    429: _later(Reason.SLOW_DOWN),
    430: _unknown(430),  # too many at once, by some shops
    431: _refused(Reason.TOO_LARGE),
    440: _unknown(440),  # IIS: the log-in has run out
    444: _unknown(444),  # nginx: closed without an answer
    449: _unknown(449),  # IIS: try again
    450: _unknown(450),
    451: StatusMeaning(Verdict.PERSON, http_reason(451), not_done=True),
    460: _unknown(460),  # AWS: the client was gone before the answer
    463: _unknown(463),  # AWS: too many addresses in X-Forwarded-For
    464: _unknown(464),
    494: _unknown(494),  # nginx, to 497: headers, certificates, plain http to a TLS port
    495: _unknown(495),
    496: _unknown(496),
    497: _unknown(497),
    498: _unknown(498),  # a token that has run out
    499: _unknown(499, at_once=True),  # nginx: the client was gone before the answer
    500: _gateway(at_once=False),
    501: _gateway(at_once=False),
    502: _gateway(),
    503: _gateway(),
    504: _gateway(),
    505: _gateway(at_once=False),
    509: _gateway(at_once=False),  # bandwidth is used up
    511: _gateway(at_once=False),  # a network that wants a log-in
    520: _gateway(),  # Cloudflare, to 527: the origin did not answer as it should
    521: _gateway(),
    522: _gateway(),
    523: _gateway(),
    524: _gateway(),
    525: _gateway(),
    526: _gateway(at_once=False),
    527: _gateway(),
    529: _gateway(at_once=False),  # overloaded
    530: _gateway(at_once=False),
    540: _gateway(at_once=False),
    561: _gateway(at_once=False),  # AWS: the identity provider failed
    598: _gateway(),
    599: _gateway(),
}
"""The meaning of each status that is neither a success nor a redirect."""

_PAGES_SETTLE = frozenset({401, 403, 413, 414, 429, 431})
"""Statuses that are given before a request is passed on, whoever gives them and in whatever form."""

_OTHERS_PAGES = frozenset({403, 404, 405, 406, 410})
"""Refusals that are taken for somebody else's where they come as a page. An LMS may well word a 400 in HTML."""


_SENT_ON = frozenset({301, 307, 308})
"""Redirects that ask for the same request at another address. A 302 or 303 may follow what was carried out."""


def meaning_of(response: httpx.Response) -> StatusMeaning:
    """Return what an answer that is not a success means, by its status and by who seems to have given it.

    A redirect that was not followed leads to a log-in, to a page about maintenance, or to another address. A page of HTML
    where an API should answer is somebody else's. Neither is a refusal of what was sent.

    Args:
        response: The answer; redirects that may be followed have been.
    """
    status = response.status_code
    if 300 <= status < 400:
        return StatusMeaning(Verdict.NOT_NOW, Reason.REDIRECTED, not_done=status in _SENT_ON)
    meaning = STATUSES.get(status)
    if meaning is None:
        known_class = 500 <= status < 600
        return StatusMeaning(Verdict.NOT_NOW, Reason.LMS_ERROR if known_class else http_reason(status))
    if meaning.verdict is Verdict.CREDENTIALS or not is_page(response):
        return meaning
    not_done = meaning.not_done and status in _PAGES_SETTLE
    if status in _OTHERS_PAGES:
        return StatusMeaning(Verdict.NOT_NOW, Reason.UNREADABLE_ANSWER, not_done=not_done)
    return meaning._replace(not_done=not_done)


def is_page(response: httpx.Response) -> bool:
    """Return True when the answer is a page of HTML, which an interface for programs does not give."""
    if not response.content.strip():
        return False
    beginning = response.content[:200].lstrip(b"\xef\xbb\xbf \t\r\n").decode("ascii", errors="replace")
    return is_html(media_type_of(response), beginning)


def may_have_been_done(response: httpx.Response) -> bool:
    """Return True when the LMS may have carried out the request although the answer is not a success.

    Only the LMS's own application can say that it did not, so that every 5xx, a redirect that may follow success, every status that something
    in between makes up and every page leaves it open.

    Args:
        response: The answer to a request whose body has left.
    """
    return not response.is_success and not meaning_of(response).not_done
