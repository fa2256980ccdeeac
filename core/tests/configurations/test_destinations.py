"""A secret goes only where it was entered for: a change of the destination takes the secrets away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

import coursewire as cw
from coursewire.configurations.fields import describe
from coursewire.configurations.secrets import SecretBox
from coursewire.configurations.store import Configurations
from coursewire.errors import ConfigurationError
from coursewire.http.token_store import Kept, SqlTokenStore
from coursewire.model.channel import Channel
from coursewire.model.session import Token

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
ELSEWHERE = "https://elsewhere.example.com"

Fields = dict[str, Any]


class TenantConfig(cw.ChannelConfig):
    """An LMS with tenants, and with a token host that is made of a region."""

    code: ClassVar[str] = "TENANT"

    tenant_url: cw.LmsUrl
    tenant: Annotated[str, cw.Destination()] = "main"
    region: str = "eu"
    page: Annotated[cw.OptionalUrl, cw.Destination(False)] = None
    key: cw.Secret
    other: SecretStr = SecretStr("")

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return frozenset({f"token.{self.region}.example.com"})


TENANT = Channel(code="TENANT", title="Tenant", requires_api=">=2.0,<3", config=TenantConfig)
TENANT_FIELDS = {"tenant_url": "https://tenant.example.com", "key": "k", "other": "o"}


@pytest.mark.parametrize("field", ["acme_base_url", "token_url"])
def test_a_draft_loses_its_secrets_with_another_address(
    store: Configurations, acme: Channel, acme_fields: Fields, field: str
) -> None:
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    moved = store.edit(draft.uuid, acme, {field: ELSEWHERE}, actor="eve")
    assert moved.secrets_set == ()
    assert moved.secrets_dropped == ("client_secret",)
    assert "enter them again" in moved.dropped_in_words
    assert store.history(draft.uuid)[-1].changes["client_secret"] == "dropped"
    assert store.validity(draft.uuid, acme).missing == ("client_secret",)
    assert store.get(draft.uuid).secrets_dropped == ()


def test_an_active_configuration_refuses_to_lose_what_it_needs(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    active = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    with pytest.raises(
        ConfigurationError, match=r"entered for another destination: give client_secret again"
    ):
        store.edit(active.uuid, acme, {"acme_base_url": ELSEWHERE}, actor="eve")
    assert store.get(active.uuid) == active


@pytest.mark.parametrize("again", ["s3cret", "another"])
def test_secrets_that_are_given_again_in_the_same_change_stay(
    store: Configurations, acme: Channel, acme_fields: Fields, again: str
) -> None:
    active = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    moved = store.edit(active.uuid, acme, {"acme_base_url": ELSEWHERE, "client_secret": again}, actor="ada")
    assert moved.secrets_dropped == ()
    config: Any = store.load(moved.uuid, acme)
    assert (config.lms_url, config.client_secret.get_secret_value()) == (ELSEWHERE, again)


def test_only_those_that_are_given_again_stay(store: Configurations) -> None:
    active = store.add(TENANT, CUSTOMER, TENANT_FIELDS, active=True, actor="ada")
    moved = store.edit(active.uuid, TENANT, {"tenant_url": ELSEWHERE, "key": "k"}, actor="ada")
    assert (moved.secrets_set, moved.secrets_dropped) == (("key",), ("other",))


def test_a_reference_to_the_environment_is_dropped_like_a_text(
    store: Configurations, acme: Channel, acme_fields: Fields, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_SECRET", "s")
    fields = {**acme_fields, "client_secret": {"env": "ACME_SECRET"}}
    draft = store.add(acme, CUSTOMER, fields, actor="ada")
    again = {"acme_base_url": ELSEWHERE, "client_secret": {"env": "ACME_SECRET"}}
    assert store.edit(draft.uuid, acme, again, actor="ada").secrets_set == ("client_secret",)
    moved = store.edit(draft.uuid, acme, {"acme_base_url": "https://third.example.com"}, actor="eve")
    assert moved.secrets_set == ()


@pytest.mark.parametrize("steps", [[None, ELSEWHERE], ["", ELSEWHERE], ["not an address", ELSEWHERE]])
def test_several_steps_are_no_way_round(
    store: Configurations, acme: Channel, acme_fields: Fields, steps: list[str | None]
) -> None:
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    for step in steps:
        last = store.edit(draft.uuid, acme, {"acme_base_url": step}, actor="eve")
    assert last.secrets_set == ()


def test_a_secret_that_was_entered_before_there_was_an_address_was_entered_for_none(
    store: Configurations, acme: Channel
) -> None:
    draft = store.add(acme, CUSTOMER, {"client_secret": "s"}, actor="ada")
    assert store.edit(draft.uuid, acme, {"acme_base_url": ELSEWHERE}, actor="eve").secrets_set == ()


@pytest.mark.parametrize(
    "spelling",
    [
        "https://acme.example.com/lms",
        "https://ACME.example.com/lms/",
        "HTTPS://acme.example.com/lms",
        "https://acme.example.com:443/lms/",
        "  https://acme.example.com/lms//",
    ],
)
def test_another_spelling_of_the_same_address_takes_nothing_away(
    store: Configurations, acme: Channel, acme_fields: Fields, spelling: str
) -> None:
    active = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    edited = store.edit(active.uuid, acme, {"acme_base_url": spelling}, actor="ada")
    assert edited.secrets_set == ("client_secret",)


@pytest.mark.parametrize(
    "address",
    [
        "https://acme.example.com:8443/lms",
        "https://acme.example.com/LMS",
        "https://acme.example.com",
        "https://acme.example.com.evil.example.com/lms",
        "https://acme.example.com./lms",
    ],
)
def test_what_only_looks_like_the_same_address_is_another(
    store: Configurations, acme: Channel, acme_fields: Fields, address: str
) -> None:
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    assert store.edit(draft.uuid, acme, {"acme_base_url": address}, actor="eve").secrets_set == ()


@pytest.mark.parametrize(
    ("changes", "dropped"),
    [
        ({"tenant": "other"}, True),
        ({"tenant": "main"}, False),
        ({"region": "us"}, True),  # not marked, but the model names another host for it
        ({"page": "https://page.example.com"}, False),
        ({"display_name": "x"}, False),
    ],
)
def test_a_channel_declares_its_destination(store: Configurations, changes: Fields, dropped: bool) -> None:
    draft = store.add(TENANT, CUSTOMER, TENANT_FIELDS, actor="ada")
    edited = store.edit(draft.uuid, TENANT, changes, actor="eve")
    assert bool(edited.secrets_dropped) is dropped


def test_the_fields_that_are_a_destination_are_shown_as_such() -> None:
    assert {info.name for info in describe(TenantConfig) if info.destination} == {"tenant_url", "tenant"}


def test_a_grant_for_the_old_address_is_not_kept_for_the_new_one(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    asked = store.load(draft.uuid, acme)
    store.edit(draft.uuid, acme, {"acme_base_url": ELSEWHERE}, actor="eve")
    with pytest.raises(ConfigurationError, match="meanwhile"):
        store.keep_grant(draft.uuid, acme, {"client_secret": "granted"}, actor="ada", granted_to=asked)
    assert store.get(draft.uuid).secrets_set == ()


def test_a_token_that_a_run_stores_after_the_change_is_not_given_to_the_new_address(
    engine: sa.Engine, box: SecretBox, store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    uuid = store.add(acme, CUSTOMER, acme_fields, actor="ada").uuid
    now = datetime(2026, 1, 1, tzinfo=UTC)
    SqlTokenStore(engine, box, uuid, "old").save("s", Kept(Token("t", now + timedelta(hours=1)), now))
    assert SqlTokenStore(engine, box, uuid, "new").load("s") is None
    assert SqlTokenStore(engine, box, uuid, "old").load("s") is not None
