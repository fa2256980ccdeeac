"""The hooks that a channel or an operator may implement (pluggy project name ``coursewire``).

All arguments are passed by keyword. An implementation may leave out arguments that it does not need; one
that names an argument or a hook which is not here is refused when it is loaded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import httpx
    import typer

    from coursewire.model.channel import Channel
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import ContentItem
    from coursewire.model.inbound import CodeGrant, InboundRoute
    from coursewire.model.instant import Moment
    from coursewire.model.kinds import Kind
    from coursewire.model.outcomes import Assessment, Completion, EnrollmentReport, LastReported, Outcome
    from coursewire.model.payload import Batch, JsonObject, Operation, Payload, RemoteItem, Result
    from coursewire.model.session import Session, Tokens

PROJECT = "coursewire"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function as the implementation of the hook whose name it has."""


class ChannelSpecs:
    """The hooks that make a module or object a channel."""

    @hookspec(firstresult=True)
    def declare_channel(self) -> Channel:
        """Say what the channel is: code, title, configuration model, capabilities, limits."""
        raise NotImplementedError


class ExporterSpecs:
    """Turning domain objects into the LMS's payloads. Pure: no clock, no network, no change of arguments."""

    @hookspec(firstresult=True)
    def export_content(
        self, config: ChannelConfig, item: ContentItem, moment: Moment, remote_key: str
    ) -> JsonObject:
        """Build the payload of one content item.

        Args:
            config: The configuration that the item goes out under.
            item: The item; do not change it.
            moment: The "now" of the run. Ask it instead of a clock, so that core knows when the payload
                would change by the passing of time.
            remote_key: The key that the LMS knows the item by, or will know it by: what the hook of that name
                says, unless the channel maps keys and the item was given one before.

        Returns:
            Plain data for this item alone, as the LMS takes it.

        Raises:
            NotExportableError: The item lacks a field that the LMS demands.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def export_retirement(self, config: ChannelConfig, confirmed: Mapping[str, Any]) -> JsonObject:
        """Build the payload that retires an item, from what the LMS last confirmed of it.

        The source no longer has the item, so that nothing else is known. Core's default returns
        ``confirmed`` as it is.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def export_completion(self, config: ChannelConfig, completion: Completion) -> JsonObject:
        """Build the payload of one completion."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def export_assessment(self, config: ChannelConfig, assessment: Assessment) -> JsonObject:
        """Build the payload of one assessment."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def export_enrollment(self, config: ChannelConfig, enrollment: EnrollmentReport) -> JsonObject:
        """Build the payload of one enrollment, or of its end.

        The end of an enrollment is told only to an LMS that may have been told of the enrollment.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def remote_key(self, config: ChannelConfig, item: ContentItem) -> str:
        """Return the key by which the LMS knows the item. Core's default is the content key."""
        raise NotImplementedError


class TransmitterSpecs:
    """Deciding what travels together and what travels again. Pure."""

    @hookspec(firstresult=True)
    def make_batches(
        self, config: ChannelConfig, kind: Kind, operation: Operation | None, payloads: Sequence[Payload]
    ) -> Iterator[Batch]:
        """Group payloads of one operation into batches, keeping their order.

        Args:
            config: The configuration.
            kind: What is transmitted; content and outcomes have limits of their own.
            operation: What the payloads have in common; None where the channel mixes operations.
            payloads: One page of payloads, each exactly once in the answer.

        Core's default fills batches up to the limits of the channel and the configuration. Outcomes that belong
        together, such as those of one course, it keeps together by ``Limits.outcomes_by``.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def should_transmit(
        self,
        config: ChannelConfig,
        outcome: Outcome,
        record: Mapping[str, Any] | None,
        last_reported: LastReported | None,
    ) -> bool:
        """Tell whether an outcome that differs from what the LMS last confirmed goes out again.

        Core's default goes by ``resend_outcomes``; a completion always follows a report of being in progress,
        and the end of an enrollment always follows its beginning.
        It is not asked where nothing was confirmed yet, nor when a person forces the sending.

        Args:
            config: The configuration.
            outcome: Built afresh from the source.
            record: The last confirmed payload.
            last_reported: What that payload said, in core's words.
        """
        raise NotImplementedError


class ClientSpecs:
    """Speaking HTTP to the LMS, through the session that core hands over."""

    @hookspec(firstresult=True)
    def authenticate(self, config: ChannelConfig, tokens: Tokens) -> httpx.Auth:
        """Return the way in which every request of this configuration proves who we are."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    async def send_content(self, session: Session, batch: Batch) -> list[Result]:
        """Send one batch of content.

        Returns:
            One result per payload, in the order of the batch. A refused item is a result, not an error.

        Raises:
            SendError: Nothing more can be said about any item of the batch; core makes the results.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    async def send_outcomes(self, session: Session, batch: Batch) -> list[Result]:
        """Send one batch of outcomes of one kind; see ``send_content``.

        A payload's ``remote_key`` is the learner's id at the LMS, its ``remote_id`` what an earlier result for
        this outcome gave. A learner whom the LMS does not know, or knows twice, is ``BLOCKED`` with the reason
        ``learner-unmatched`` or ``learner-ambiguous``; a result that somebody changed there by hand is
        ``BLOCKED`` with ``instructor-changed-it``. Such outcomes rest a day, or until the learner's id, the
        outcome or the configuration changes.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    async def find_remote(self, session: Session, key: str) -> RemoteItem | None:
        """Look one item up by the key the LMS knows it by; None when it is surely not there.

        Raises:
            SendError: The LMS could not tell; that is not the same as "not there".
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    async def list_remote(self, session: Session) -> list[RemoteItem]:
        """All items at the LMS that are ours. Optional."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def list_inactive_learners(self, session: Session) -> AsyncIterator[str]:
        """List the learners whose account at the LMS is inactive. Optional.

        Write it as an async generator: ``async def`` with a ``yield`` for each learner. Core finds out who they are
        at the platform, and unlinks them from the customer when a person says so.

        Returns:
            The ids by which results name the learners, page by page as the LMS gives them; an id may come twice.

        Raises:
            IncompleteListError: The list could not be read to its end. What came before is shown, and nobody is
                unlinked.
            SendError: The LMS could not tell.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    async def check_connection(self, session: Session) -> list[str]:
        """Try the way of real requests with harmless ones.

        Returns:
            One sentence for each thing that works, for people.

        Raises:
            SendError: What does not work, with the next step.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def read_slow_down(self, config: ChannelConfig, response: httpx.Response) -> float | None:
        """Recognise an answer that means "slow down" where it is not a 429.

        Core's default knows a 403 with words or ``X-Rate-Limit-Remaining: 0``, where ``slow_down`` declares a 403.

        Returns:
            Seconds to wait (0 when the LMS does not say), or None when the answer means something else.
        """
        raise NotImplementedError


class HostSpecs:
    """The hooks with which a channel adds to the host service and the command line."""

    @hookspec(firstresult=True)
    def oauth_application(self) -> CodeGrant:
        """Say how an administrator of the LMS grants the application of this channel access.

        Core serves the page that starts the grant and the page that the LMS returns to, and stores the tokens. A channel
        whose configuration holds credentials that need no such grant does not implement it.

        Returns:
            What :meth:`coursewire.OAuthApplication.grant` makes of an application.
        """
        raise NotImplementedError

    @hookspec
    def inbound_routes(self) -> Sequence[InboundRoute]:
        """List the endpoints that the LMS or its users call."""
        raise NotImplementedError

    @hookspec
    def channel_commands(self) -> typer.Typer:
        """Commands of the channel, shown as ``coursewire <channel> ...``."""
        raise NotImplementedError


class OperatorSpecs:
    """The hooks of operators; every implementation is called.

    A hook must be quick, must not print secrets, and may run more than once for the same batch.
    """

    @hookspec
    def job_started(self, job: Mapping[str, Any]) -> None:
        """Note that a job has its lease and begins."""

    @hookspec(firstresult=True)
    def batch_sending(self, job: Mapping[str, Any], batch: Batch) -> Batch | None:
        """Note that a batch is about to leave. A wrapper may return a changed batch, or None to hold it back.

        Payloads may be changed or left out, not added. What is left out waits with the reason
        ``held-by-hook``.
        """
        raise NotImplementedError

    @hookspec
    def batch_sent(self, job: Mapping[str, Any], batch: Batch, results: Sequence[Result]) -> None:
        """Note that a batch has its results; they are stored at once or with those of the next batches."""

    @hookspec
    def transmission_failed(self, job: Mapping[str, Any], payload: Payload, result: Result) -> None:
        """Note that an item did not arrive."""

    @hookspec
    def job_finished(self, job: Mapping[str, Any], summary: Mapping[str, Any]) -> None:
        """Note that a job has ended; ``summary`` is what ``transmit --json`` prints."""


SPECS = (ChannelSpecs, ExporterSpecs, TransmitterSpecs, ClientSpecs, HostSpecs, OperatorSpecs)
