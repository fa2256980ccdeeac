"""``coursewire preview``: payloads from a bundle, without a database and without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from coursewire.cli.common import run_to_end
from coursewire.cli.options import Instant, Keys, KindArgument
from coursewire.cli.outcome_preview import preview_outcomes
from coursewire.cli.output import note, put_json
from coursewire.configurations.files import ConfigurationFile, read_file
from coursewire.configurations.secret_values import OpenedSecrets, SecretValue
from coursewire.configurations.validation import check, sort_out
from coursewire.errors import ConfigurationError, ContractError, NotExportableError
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment, utc_now
from coursewire.model.payload import Kind, Operation
from coursewire.pipeline.export.catalogs import wanted_keys
from coursewire.pipeline.selection import refuse_other_kinds
from coursewire.plugins.loading import load_channels
from coursewire.plugins.registry import LoadedChannel
from coursewire.settings import Settings
from coursewire.sources.base import Source
from coursewire.sources.bundle_source import BundleSource


def preview(
    kind: KindArgument,
    channel: Annotated[str, typer.Option("--channel", metavar="CODE", help="Code of the channel.")],
    config: Annotated[
        Path,
        typer.Option("--config", metavar="FILE", help="As for `config add`; the customer may be left out."),
    ],
    bundle: Annotated[Path, typer.Option("--bundle", metavar="DIR", help="The bundle with the items.")],
    keys: Keys = None,
    at: Instant = None,
    _json: Annotated[bool, typer.Option("--json", help="Errors as JSON, too; payloads always are.")] = False,
) -> None:
    """Print payloads from a bundle, one JSON object a line.

    Nothing is stored and nothing is sent. Each line is {"key", "operation", "payload"}, as for an LMS that has
    nothing yet; for outcomes, as for one that has the courses. With a customer in the file only its catalogs and
    learners are shown, else everything in the bundle. The key of an outcome is the enrollment's id, with a blank
    and the subsection's id for an assessment. What would not go is listed on stderr with the reason; what cannot
    be exported makes the exit status 1.
    """
    settings = Settings.load()
    channels = load_channels(allowed=settings.channels, hooks_file=settings.hooks_file)
    loaded = channels.get(channel.upper())
    refuse_other_kinds(kind, [loaded])
    file = read_config(config, loaded)
    model = model_of(file, loaded, settings, where=str(config))
    source = BundleSource(bundle)
    given = (source, loaded, model, file.customer, keys, at)
    left = run_to_end(_preview(*given) if kind is Kind.CONTENT else _preview_outcomes(kind, *given))
    if left:
        raise typer.Exit(1)


def read_config(path: Path, channel: LoadedChannel) -> ConfigurationFile:
    """A configuration file for a channel; it may leave the customer out.

    Raises:
        ConfigurationError: It cannot be read, or is for another channel.
    """
    file = read_file(path, customer_needed=False)
    if file.channel.upper() != channel.channel.code:
        raise ConfigurationError(
            f"the file is for channel {file.channel}",
            where=str(path),
            next_step=f"Give --channel {file.channel}, or another file.",
        )
    return file


def model_of(
    file: ConfigurationFile, channel: LoadedChannel, settings: Settings, *, where: str
) -> ChannelConfig:
    """The validated model of a file. Secrets' stand-ins will do, since nothing is sent.

    Raises:
        ConfigurationError: It is not valid.
    """
    model = channel.channel.config
    fields, given = sort_out(model, file.fields, where)
    secrets = {
        name: SecretValue("not needed for a preview")
        if value is not None and value.from_environment
        else value
        for name, value in given.items()
    }
    checked = check(
        model,
        {name: value for name, value in fields.items() if value is not None},
        OpenedSecrets().with_changes(secrets),
        insecure_urls=settings.allow_insecure_urls,
    )
    if checked.config is None:
        raise ConfigurationError(
            "the configuration is not valid",
            where=where,
            why=str(checked.validity),
            next_step="Correct the file.",
            missing=checked.validity.missing,
            incorrect=checked.validity.incorrect,
        )
    return checked.config


async def _preview(
    source: BundleSource,
    channel: LoadedChannel,
    config: ChannelConfig,
    customer: str,
    only: Sequence[str] | None,
    at: datetime | None,
) -> int:
    """Print payloads; returns how many lines and items could not be taken."""
    left = 0
    for problem in await source.problems():
        left += 1
        note(f"refused: {problem}", style="red")
    keys = await keys_in(source, config, customer)
    if only:
        for key in only:
            if key not in keys:
                left += 1
                note(f"{key}: neither the catalogs nor the bundle have it", style="red")
        keys = [key for key in keys if key in only]
    now = at or utc_now()
    async for item in items_of(source, keys):
        if item.content_type not in channel.channel.capabilities.content_types:
            note(f"{item.content_key}: the channel does not take content of type {item.content_type.value}")
            continue
        try:
            body = channel.hook_caller.export_content(config, item, Moment(now))
        except (NotExportableError, ContractError) as error:
            left += 1
            note(f"{item.content_key}: {error}", style="red")
            continue
        put_json({"key": item.content_key, "operation": Operation.CREATE.value, "payload": body})
    return left


async def _preview_outcomes(
    kind: Kind,
    source: BundleSource,
    channel: LoadedChannel,
    config: ChannelConfig,
    customer: str,
    only: Sequence[str] | None,
    at: datetime | None,
) -> int:

    return await preview_outcomes(
        source,
        channel,
        config,
        kind,
        customer=customer.lower(),
        keys=await keys_in(source, config, customer),
        only=only,
        now=at or utc_now(),
    )


async def keys_in(source: BundleSource, config: ChannelConfig, customer: str) -> list[str]:
    """The keys that a customer's catalogs hold; without a customer everything in the bundle.

    Raises:
        ConfigurationError: The bundle does not have the customer, or a catalog that the configuration names.
    """
    if not customer:
        return await source.keys()
    if await source.customer(customer.lower()) is None:
        raise ConfigurationError(
            f"the bundle has no customer {customer}",
            next_step="Correct the customer of the file, or leave it out to see everything in the bundle.",
        )
    # It lacks a source's answers about learners, which nobody asks for here.
    return await wanted_keys(cast("Source", source), config, customer.lower())


async def items_of(source: BundleSource, keys: Sequence[str]) -> AsyncIterator[ContentItem]:
    """The items of these keys, one by one."""
    async for page in source.content(keys):
        for item in page:
            yield item
