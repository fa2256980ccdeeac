"""``coursewire xapi``: what only this channel can do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args
from urllib.parse import quote

import typer
from pydantic import ValidationError

from coursewire.channels.loading import load_channels
from coursewire.cli.common import open_installation
from coursewire.cli.options import Keys
from coursewire.cli.output import note, put, put_json
from coursewire.cli.preview import items_of, keys_in, model_of, read_config
from coursewire.config.settings import Settings
from coursewire.errors import NotExportableError
from coursewire.export.wanted import wanted_keys
from coursewire.model.instant import Moment, utc_now
from coursewire.sources.bundle_source import BundleSource
from coursewire_xapi.cmi5 import Block, MoveOn, Structure, course_block, of_many, of_one, to_zip
from coursewire_xapi.config import XapiConfig

if TYPE_CHECKING:
    from coursewire.model.content import ContentItem

commands = typer.Typer(rich_markup_mode=None)


@commands.callback()
def _group() -> None:
    """Catalogues for Learning Record Stores' companions."""


@commands.command()
def cmi5(  # noqa: PLR0917 - typer's way
    config: Annotated[
        str, typer.Option("--config", metavar="ID", help="The configuration; with --bundle, a file of one.")
    ],
    output: Annotated[Path, typer.Option("--output", metavar="DIR", help="Folder that the files go into.")],
    bundle: Annotated[
        Path | None, typer.Option("--bundle", metavar="DIR", help="Take the courses from this bundle.")
    ] = None,
    keys: Keys = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="One structure for all courses, not one for each.")
    ] = False,
    packed: Annotated[bool, typer.Option("--zip", help="Write packages, not bare XML.")] = False,
    move_on: Annotated[
        str, typer.Option("--move-on", metavar="RULE", help=f"One of {', '.join(get_args(MoveOn))}.")
    ] = "NotApplicable",
    mastery_score: Annotated[
        str | None,
        typer.Option("--mastery-score", metavar="SHARE", help="0 to 1; units are passed from it on."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """Write the catalogue as cmi5 course structures, which an LMS imports. Nothing is sent.

    Each course is a structure, its open runs are the units. Ordinary course pages do not speak cmi5 while they
    run, so that nothing but NotApplicable is ever satisfied by them.
    """
    if move_on not in get_args(MoveOn):
        raise typer.BadParameter(f"--move-on is one of {', '.join(get_args(MoveOn))}")
    model, customer, items = asyncio.run(_read(config, bundle))
    wanted = [item for item in items if not keys or item.content_key in keys]
    left = dict.fromkeys(keys or (), "no catalog holds it")
    blocks: dict[str, Block] = {}
    moment = Moment(utc_now())
    for item in wanted:
        left.pop(item.content_key, None)
        try:
            unit = {"move_on": move_on, "mastery_score": mastery_score}
            blocks[item.content_key] = course_block(model, item, moment, **unit)
        except NotExportableError as error:
            left[item.content_key] = str(error)
        except ValidationError as error:
            left[item.content_key] = _words(error)
    structures = {key: of_one(block) for key, block in blocks.items()}
    if whole and blocks:
        structures = {"cmi5": of_many(model, list(blocks.values()), key=customer or "all", name="Catalogue")}
    output.mkdir(parents=True, exist_ok=True)
    rows = [_file(output, key, structure, packed=packed) for key, structure in structures.items()]
    _show(rows, left, output, json=json)
    if left:
        raise typer.Exit(1)


async def _read(config: str, bundle: Path | None) -> tuple[XapiConfig, str, list[ContentItem]]:
    """The configuration, its customer, and what the customer's catalogs hold."""
    if bundle is not None:
        settings = Settings.load()
        loaded = load_channels(allowed=settings.channels).get(XapiConfig.code)
        file = read_config(Path(config), loaded)
        model = model_of(file, loaded, settings, where=config)
        assert isinstance(model, XapiConfig)
        source = BundleSource(bundle)
        keys = await keys_in(source, model, file.customer)
        return model, file.customer, [item async for item in items_of(source, keys)]
    with open_installation(read_only=True) as installation:
        found = installation.configurations.find(config)
        channel = installation.channels.get(XapiConfig.code).channel
        model = installation.configurations.load(found.uuid, channel)
        assert isinstance(model, XapiConfig)
        pages = installation.source.content(await wanted_keys(installation.source, model, found.customer))
        return model, found.customer, [item async for page in pages for item in page]


def _file(output: Path, key: str, structure: Structure, *, packed: bool) -> dict[str, Any]:
    xml = structure.to_xml()
    path = output / f"{quote(key, safe='+')}.{'zip' if packed else 'xml'}"
    path.write_bytes(to_zip(xml) if packed else xml.encode())
    units = len(structure.au) + sum(len(block.au) for block in structure.block)
    return {"key": key, "file": str(path), "units": units}


def _show(rows: list[dict[str, Any]], left: dict[str, str], output: Path, *, json: bool) -> None:
    if json:
        for row in [*rows, *({"key": key, "reason": reason} for key, reason in left.items())]:
            put_json(row)
        return
    put(f"{len(rows):,} files in {output}, with {sum(row['units'] for row in rows):,} units.")
    for key, reason in left.items():
        note(f"{key}: {reason}", style="red")


def _words(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
