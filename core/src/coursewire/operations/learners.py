"""Learners: who is known to an LMS by which id, and links that a person makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from coursewire.configurations.configuration import Configuration
from coursewire.installation import Installation
from coursewire.model.reasons import Reason
from coursewire.storage.audit.jobs import note_done
from coursewire.storage.identity_links import IdentityLinks, Unmatched


@dataclass(frozen=True, slots=True)
class UnmatchedLearner:
    """A learner whose outcomes wait, since no single id at the LMS is known.

    Attributes:
        configuration: The configuration whose LMS it is.
        link: The link as it is stored: username, reason, what is known, and how many outcomes wait.
    """

    configuration: Configuration
    link: Unmatched

    @property
    def missing(self) -> str:
        """The missing thing, in words."""
        one = self.link
        if one.reason == Reason.LEARNER_AMBIGUOUS:
            what = "which of several ids it is" + (f" ({one.known_as})" if one.known_as else "")
        elif one.known_as:
            what = f"{self.configuration.channel} does not know {one.known_as}"
        else:
            what = f"an id from {one.provider}" if one.provider else "an id"
        return f"{what} [{one.origin}]" if one.origin else what

    def as_dict(self) -> dict[str, Any]:
        """Return the stable form, as ``learners unmatched --json`` prints it."""
        return {
            "configuration": self.configuration.uuid,
            "channel": self.configuration.channel,
            "customer": self.configuration.customer,
            "learner": self.link.username,
            "reason": self.link.reason,
            "provider": self.link.provider,
            "known_as": self.link.known_as,
            "origin": self.link.origin,
            "outcomes": self.link.outcomes,
            "missing": self.missing,
        }


class Learners:
    """The links between learners and their ids at LMSs.

    Args:
        installation: The installation.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def unmatched(self, configurations: Sequence[Configuration]) -> Iterator[UnmatchedLearner]:
        """Yield the learners whose outcomes wait for an id, configuration by configuration.

        Args:
            configurations: The configurations to look at.
        """
        for configuration in configurations:
            links, after = IdentityLinks(self._installation.engine, configuration.uuid), ""
            while page := links.unmatched(after=after):
                yield from (UnmatchedLearner(configuration, link) for link in page)
                after = page[-1].username

    async def is_known(self, configuration: Configuration, username: str) -> bool:
        """Tell whether the source has an enrollment of a learner at the configuration's customer.

        Raises:
            SourceError: The source could not answer.
        """
        pages = self._installation.source.enrollments(configuration.customer, username=username, page_items=1)
        return any([page async for page in pages])

    def link(self, configuration: Configuration, username: str, remote_id: str, *, actor: str) -> None:
        """Store the id that a learner has at an LMS. It stands above what the source says, until :meth:`unlink`.

        Args:
            configuration: The configuration whose LMS it is.
            username: The learner's username.
            remote_id: The id of the learner at the LMS.
            actor: A name for who says so, for the list of jobs.
        """
        IdentityLinks(self._installation.engine, configuration.uuid).link(
            username, remote_id, now=self._installation.clock()
        )
        self._note(configuration, "linked", actor)

    def unlink(self, configuration: Configuration, username: str, *, actor: str) -> bool:
        """Take back a link that was made by hand; the next run goes by the source again.

        Args:
            configuration: The configuration whose LMS it is.
            username: The learner's username.
            actor: A name for who says so, for the list of jobs.

        Returns:
            False when no link of the learner was made by hand.
        """
        if not IdentityLinks(self._installation.engine, configuration.uuid).unlink(username):
            return False
        self._note(configuration, "unlinked", actor)
        return True

    def forget(self, username: str) -> dict[str, int]:
        """Forget a learner in every table, at every customer. What an LMS holds stays there.

        Args:
            username: The learner's username, compared letter by letter.

        Returns:
            The number of rows that were deleted or emptied, by table; tables without any are left out.
        """
        return self._installation.forget(username)

    def _note(self, configuration: Configuration, what: str, actor: str) -> None:
        """Write who did it to the list of jobs; not for whom, so that it need not be forgotten there."""
        with self._installation.engine.begin() as connection:
            note_done(
                connection,
                uuid4(),
                kind="link",
                configuration=configuration.uuid,
                actor=actor,
                options={},
                summary={what: 1},
                now=self._installation.clock(),
            )
