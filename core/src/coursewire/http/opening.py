"""Opening of sessions: for a stored configuration, or for a draft that is only tried out."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from coursewire.configurations.destinations import digest_of_destination
from coursewire.http.session import HttpSession
from coursewire.http.token_store import MemoryTokenStore, SqlTokenStore
from coursewire.storage.launches import Launches
from coursewire.storage.locks.rate_buckets import MemoryBuckets, SqlBuckets

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

    from coursewire.http.session import Authenticate
    from coursewire.http.token_store import SecretBox
    from coursewire.model.channel import Channel
    from coursewire.model.configuration import ChannelConfig


def open_session(
    *,
    channel: Channel,
    config: ChannelConfig,
    configuration: UUID,
    authenticate: Authenticate,
    engine: Engine,
    box: SecretBox,
    **options: Any,
) -> HttpSession:
    """Open a session whose tokens and rates are kept in the database, shared with all workers.

    Args:
        channel: The channel.
        config: The configuration's settings.
        configuration: UUID of the configuration; its row must exist, since tokens refer to it.
        authenticate: The channel's hook, with its configuration bound.
        engine: The installation's database.
        box: Box that encrypts tokens.
        options: Further arguments of :class:`HttpSession`.
    """
    return HttpSession(
        channel=channel,
        config=config,
        configuration=configuration,
        authenticate=authenticate,
        token_store=SqlTokenStore(engine, box, configuration, digest_of_destination(config)),
        buckets=SqlBuckets(engine),
        launches=Launches(engine, box, configuration),
        **options,
    )


def open_draft_session(
    *, channel: Channel, config: ChannelConfig, authenticate: Authenticate, **options: Any
) -> HttpSession:
    """Open a session that keeps its tokens and rates in memory: for tests, and for checking a draft."""
    return HttpSession(
        channel=channel,
        config=config,
        configuration=options.pop("configuration", None) or uuid.uuid4(),
        authenticate=authenticate,
        token_store=MemoryTokenStore(),
        buckets=MemoryBuckets(),
        **options,
    )
