"""``coursewire sap``: what only this channel can do."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from coursewire.cli.host import actor, open_host
from coursewire.cli.output import note, put_json, put_table
from coursewire.errors import ConfigurationError, GuardError
from coursewire.pipeline.rules.guard import Guard
from coursewire.sources.database import DatabaseSource, unlink
from coursewire.storage.audit.jobs import note_done
from coursewire_sap.config import SapConfig
from coursewire_sap.inactive import UNLINKED, Survey, survey_inactive

if TYPE_CHECKING:
    from coursewire.configurations.configuration import Configuration
    from coursewire.installation import Installation

log = logging.getLogger("coursewire.sap")

commands = typer.Typer(rich_markup_mode=None)


@commands.command("inactive-learners")
def inactive_learners(
    config: Annotated[
        str,
        typer.Option("--config", metavar="ID", help="The configuration; the beginning of its id is enough."),
    ],
    apply: Annotated[
        bool,
        typer.Option("--apply", help="End the membership of the linked ones. Without it nothing changes."),
    ] = False,
    confirm: Annotated[
        int | None,
        typer.Option(
            "--confirm", min=0, metavar="N", help="With --apply: agree to up to N, above the guard."
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object a line; the last is the summary.")
    ] = False,
) -> None:
    """List the learners whose account at SAP is inactive: they have left the customer.

    linked: --apply ends the membership at this customer, and no other. not linked: it has ended already.
    ambiguous: the id of several learners. unknown: nobody here has this id.
    """
    with open_host() as host:
        installation = host.installation
        found = installation.configurations.find(config)
        survey = asyncio.run(_survey(installation, found))
        if apply and survey.fault is None:
            _unlink(installation, found, survey, confirm)
    _show(survey, found, json=json)
    if survey.fault is not None:
        raise survey.fault


async def _survey(installation: Installation, found: Configuration) -> Survey:
    channel = installation.channels.get(SapConfig.code)
    config = installation.configurations.load(found.uuid, channel.channel)
    customer = await installation.source.customer(found.customer)
    if customer is None:
        raise ConfigurationError(
            f"customer {found.customer} is not known to the source",
            where=found.where,
            next_step="Load the customer, or remove the configuration.",
        )
    async with installation.session(channel, config, found.uuid) as session:
        return await survey_inactive(installation, session, found.uuid, customer)


def _unlink(installation: Installation, found: Configuration, survey: Survey, confirm: int | None) -> None:
    """End memberships and note it, in one transaction.

    Raises:
        ConfigurationError: The source is not ours to change.
        GuardError: These are too many to go without a person's yes.
    """
    leavers, settings = survey.leavers(), installation.settings
    if not isinstance(installation.source, DatabaseSource):
        raise ConfigurationError(
            f"the source {settings.source!r} cannot be changed from here",
            where=found.where,
            next_step="Run the command without --apply, and unlink the learners where the source has them from.",
        )
    guard = Guard(settings.guard_share, settings.guard_number, settings.guard_floor)
    if guard.stops(len(leavers), survey.linked) and len(leavers) > (confirm or 0):
        raise GuardError(
            f"{len(leavers)} of the customer's {survey.linked} linked learners would be unlinked; nobody was",
            where=found.where,
            why=f"the guard stops at {guard.share:.0%}, at {guard.number}, and at everybody",
            next_step=f"If they have all left, add `--confirm {len(leavers)}`.",
        )
    if not leavers:
        return
    names = [student.username for student in leavers]
    with installation.engine.begin() as connection:
        unlink(connection, found.customer, names)
        note_done(
            connection,
            uuid4(),
            kind="unlink",
            configuration=found.uuid,
            actor=actor(),
            options={"confirm": confirm},
            summary=survey.counts() | {UNLINKED: len(names)},
            now=installation.clock(),
        )
    for student in leavers:
        student.state = UNLINKED
        log.info(
            "learner %s was unlinked from customer %s: inactive at SAP", student.username, found.customer
        )


def _show(survey: Survey, found: Configuration, *, json: bool) -> None:
    counts = dict(sorted(survey.counts().items()))
    if json:
        for each in survey.students:
            put_json(asdict(each))
        put_json(
            {
                "configuration": found.uuid,
                "customer": found.customer,
                "complete": survey.fault is None,
                **counts,
            }
        )
        return
    put_table(
        ("student", "learner", "state", "other customers"),
        [(each.student_id, each.username, each.state, each.elsewhere or "") for each in survey.students],
        empty="SAP names no inactive user.",
    )
    note(", ".join(f"{count:,} {state}" for state, count in counts.items()))
    if survey.leavers():
        note("Nothing was changed. --apply ends the membership of those who are linked.")
