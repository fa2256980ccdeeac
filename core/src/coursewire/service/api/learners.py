"""``/learners``: learners without an id at an LMS, and links made by hand."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from coursewire.configurations.configuration import Configuration
from coursewire.service.authorization import Access, GuardedRouter, needs
from coursewire.service.paging import API, After, Limit, Page, cursor_of, keys_of
from coursewire.service.problems import Problem
from coursewire.service.rights import Right
from coursewire.storage.identity_links import IdentityLinks, Unmatched

router = GuardedRouter(prefix=API, tags=["learners"])

READ = Annotated[Access, needs(Right.READ)]
OPERATE = Annotated[Access, needs(Right.OPERATE)]
Username = Annotated[str, Path(min_length=1, max_length=255)]


class UnmatchedOut(BaseModel):
    """A learner whose outcomes wait for an id."""

    configuration: UUID
    username: str
    reason: str
    known_as: str | None = Field(description="The id that is linked but that the LMS does not know.")
    provider: str
    origin: str = Field(description="How the id was looked for.")
    outcomes: int = Field(description="How many wait.")


class LinkIn(BaseModel):
    """An id at the LMS."""

    model_config = ConfigDict(extra="forbid")

    remote_id: str = Field(max_length=255)

    @field_validator("remote_id")
    @classmethod
    def _not_blank(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("it is blank")
        return value.strip()


@router.get("/learners/unmatched", summary="Without an id at the LMS")
def list_unmatched(
    access: READ, configuration: UUID | None = None, after: After = None, limit: Limit = 50
) -> Page[UnmatchedOut]:
    """List the learners whose outcomes wait, configuration by configuration, in the order of their usernames."""
    found, following = unmatched_page(access, configuration, after, limit)
    return Page(
        items=[UnmatchedOut(configuration=each.uuid, **one._asdict()) for each, one in found], next=following
    )


def unmatched_page(
    access: Access, configuration: UUID | None, after: str | None, limit: int
) -> tuple[list[tuple[Configuration, Unmatched]], str | None]:
    """Return one page of unmatched learners, and the cursor of the next one; None at the end."""
    chosen = [access.configuration(configuration)] if configuration else access.configurations()
    place = keys_of(after, str, str)
    names = [str(each.uuid) for each in chosen]
    if place is not None:
        if place[0] not in names:
            raise Problem(422, "the place to go on from is not one of this list")
        chosen = chosen[names.index(place[0]) :]
    having = IdentityLinks.configurations_with_unmatched(access.installation.engine)
    found: list[tuple[Configuration, Unmatched]] = []
    for each in chosen:
        if each.uuid not in having:
            continue
        begin = place[1] if place is not None and str(each.uuid) == place[0] else ""
        links = IdentityLinks(access.installation.engine, each.uuid)
        found += [(each, one) for one in links.unmatched(after=begin, limit=limit + 1 - len(found))]
        if len(found) > limit:
            last, one = found[limit - 1]
            return found[:limit], cursor_of(str(last.uuid), one.username)
    return found, None


@router.put("/configurations/{uuid}/learners/{username}", status_code=204, summary="Link")
def link_learner(uuid: UUID, username: Username, body: LinkIn, access: OPERATE) -> Response:
    """Say which id a learner has at the LMS. It stands above what the source says, until it is taken back."""
    found = access.configuration(uuid)
    access.host.learners.link(found, username, body.remote_id, actor=access.caller.name)
    return Response(status_code=204)


@router.delete("/configurations/{uuid}/learners/{username}", status_code=204, summary="Unlink")
def unlink_learner(uuid: UUID, username: Username, access: OPERATE) -> Response:
    """Take back a link that was made by hand; the next run goes by the source again."""
    found = access.configuration(uuid)
    if not access.host.learners.unlink(found, username, actor=access.caller.name):
        raise Problem(404, "no link of this learner was made by hand")
    return Response(status_code=204)
