"""Drafts, active configurations, changes to them, and their history."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.configurations.store import Configurations
from coursewire.errors import ConfigurationError, SecretKeyError, UnknownChannelError
from coursewire.model.channel import Channel
from coursewire.model.configuration import ChannelConfig
from coursewire.storage.tables import records as tables

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
OTHER_CUSTOMER = "2fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e2222"

Fields = dict[str, Any]


def rows(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table)).all())


def put_token(engine: sa.Engine, configuration: UUID) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(
            tables.token.insert().values(
                configuration=configuration, subject="s", ciphertext=b"c", expires_at=at, updated_at=at
            )
        )


# Adding


def test_an_active_configuration_loads_as_its_model(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER.upper(), acme_fields, active=True, actor="ada")
    assert (added.channel, added.customer, added.active, added.version) == ("ACME", CUSTOMER, True, 1)
    assert added.fields == {"acme_base_url": "https://acme.example.com/lms/", "client_id": "id-1"}
    assert added.secrets_set == ("client_secret",)
    assert added.created_at == added.updated_at
    assert added.created_at.tzinfo is not None
    assert added.removed_at is None
    assert store.get(added.uuid) == added
    config = store.load(added.uuid, acme)
    assert isinstance(config, acme.config)
    assert config.lms_url == "https://acme.example.com/lms"
    assert config.client_secret.get_secret_value() == "s3cret"  # type: ignore[attr-defined]
    assert store.validity(added.uuid, acme).valid
    assert str(store.validity(added.uuid, acme)) == "valid"


def test_the_model_class_serves_as_well_as_the_channel(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme.config, CUSTOMER, acme_fields, active=True, actor="ada")
    assert store.load(added.uuid, acme.config) == store.load(added.uuid, acme)


def test_a_draft_may_be_incomplete_and_incorrect(store: Configurations, acme: Channel) -> None:
    draft = store.add(
        acme,
        CUSTOMER,
        {"client_id": "  ", "client_secret": "", "minutes": "soon", "scale": None},
        actor="ada",
    )
    assert draft.fields == {"minutes": "soon"}
    validity = store.validity(draft.uuid, acme)
    assert validity.missing == ("acme_base_url", "client_id", "client_secret")
    assert validity.incorrect.keys() == {"minutes"}
    assert not validity.valid
    for call in (
        lambda: store.load(draft.uuid, acme),
        lambda: store.activate(draft.uuid, acme, actor="ada"),
    ):
        with pytest.raises(ConfigurationError) as error:
            call()
        assert error.value.missing == validity.missing
        assert error.value.incorrect == validity.incorrect
        assert str(draft.uuid) in str(error.value)
        assert f"coursewire config edit {draft.short_id}" in error.value.next_step
    assert not store.get(draft.uuid).active


def test_nothing_is_stored_of_what_should_be_active_and_is_not_valid(
    engine: sa.Engine, store: Configurations, acme: Channel
) -> None:
    with pytest.raises(ConfigurationError) as error:
        store.add(
            acme,
            CUSTOMER,
            {"acme_base_url": "ftp://x.example.com", "client_secret": "x"},
            active=True,
            actor="a",
        )
    assert error.value.missing == ("client_id",)
    assert error.value.incorrect == {"acme_base_url": "the scheme 'ftp' is not http or https"}
    assert "missing: client_id; incorrect: acme_base_url (" in str(error.value)
    for table in (tables.configuration, tables.configuration_secret, tables.configuration_history):
        assert rows(engine, table) == []


def test_an_unknown_field_is_refused_even_in_a_draft(store: Configurations, acme: Channel) -> None:
    with pytest.raises(ConfigurationError) as error:
        store.add(acme, CUSTOMER, {"client_idd": "CANARY", "qqqqqq": 1}, actor="ada")
    assert error.value.incorrect["client_idd"] == "there is no such field; did you mean 'client_id'?"
    assert "there are: acme_base_url, " in error.value.incorrect["qqqqqq"]
    assert "CANARY" not in str(error.value)
    assert store.list() == []


@pytest.mark.parametrize(
    "url", ["https://u:CANARY@x.example.com", "https://x.example.com/?token=CANARY", "u:CANARY@x"]
)
def test_a_draft_keeps_no_credentials_in_a_url(
    engine: sa.Engine, store: Configurations, acme: Channel, url: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        store.add(acme, CUSTOMER, {"acme_base_url": url}, actor="ada")
    assert "cannot be kept" in str(error.value)
    assert "CANARY" not in str(error.value)
    draft = store.add(acme, CUSTOMER, {}, actor="ada")
    with pytest.raises(ConfigurationError):
        store.edit(draft.uuid, acme, {"acme_base_url": url}, actor="ada")
    assert "CANARY" not in str(
        rows(engine, tables.configuration) + rows(engine, tables.configuration_history)
    )


def test_a_customer_is_a_uuid(store: Configurations, acme: Channel) -> None:
    with pytest.raises(ConfigurationError, match="'acme-inc' is not a customer"):
        store.add(acme, "acme-inc", {}, actor="ada")
    with pytest.raises(ConfigurationError, match="is not a customer"):
        store.list(customer="acme-inc")


def test_what_is_no_data_is_refused(store: Configurations, acme: Channel) -> None:
    with pytest.raises(ConfigurationError, match=r"minutes \(this is not JSON data\)"):
        store.add(acme, CUSTOMER, {"minutes": object()}, actor="ada")


def test_values_come_as_python_objects_too(store: Configurations, acme: Channel, acme_fields: Fields) -> None:
    catalog = uuid4()
    added = store.add(
        acme,
        CUSTOMER,
        {**acme_fields, "client_secret": SecretStr("from a form"), "catalogs_to_transmit": (catalog,)},
        active=True,
        actor="ada",
    )
    assert added.fields["catalogs_to_transmit"] == [str(catalog)]
    config = store.load(added.uuid, acme)
    assert config.catalogs_to_transmit == (catalog,)
    assert config.client_secret.get_secret_value() == "from a form"  # type: ignore[attr-defined]


def test_every_field_survives_the_round_trip(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    given = {
        **acme_fields,
        "display_name": "Zürich 東京 \x00",
        "idp_id": "idp",
        "dry_run_mode_enabled": True,
        "transmission_chunk_size": 7,
        "catalogs_to_transmit": [str(uuid4())],
        "disable_learner_data_transmissions": True,
        "completion_policy": "pacing",
        "learner_id": "employee_id",
        "include_inactive_learners": True,
        "send_in_progress": True,
        "resend_outcomes": "improved",
        "show_course_price": True,
        "scale": "points",
        "rounding": "up",
        "minutes": 5,
        "token_url": "https://login.example.com",
        "extra": {"a": 1},
    }
    assert given.keys() == acme.config.model_fields.keys()
    draft = store.add(acme, CUSTOMER, {}, actor="ada")
    store.edit(draft.uuid, acme, given, actor="ada")
    assert store.load(draft.uuid, acme) == acme.config.model_validate(given)


def test_the_name_for_people(store: Configurations, acme: Channel) -> None:
    draft = store.add(acme, CUSTOMER, {}, actor="ada")
    assert draft.display_name == f"ACME {draft.uuid.hex[:8]}"
    assert store.edit(draft.uuid, acme, {"display_name": "Main"}, actor="ada").display_name == "Main"


def test_a_rule_over_several_fields(store: Configurations, parrot: Channel) -> None:
    draft = store.add(
        parrot, CUSTOMER, {"parrot_base_url": "https://p.example.com", "username": "u"}, actor="a"
    )
    assert store.validity(draft.uuid, parrot).missing == ("token, or username and password",)
    store.edit(draft.uuid, parrot, {"password": "pass-1", "token": "token-1"}, actor="a")
    validity = store.validity(draft.uuid, parrot)
    assert validity.missing == ()
    assert validity.incorrect == {"configuration": "both *** and ***"}
    store.edit(draft.uuid, parrot, {"token": None}, actor="a")
    assert store.validity(draft.uuid, parrot).valid


# Catalogs


def test_another_customers_catalog_is_incorrect(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    own, foreign = uuid4(), uuid4()
    fields = {**acme_fields, "catalogs_to_transmit": f"{own}, {str(foreign).upper()}"}
    with pytest.raises(ConfigurationError, match=f"the customer has no catalog {foreign}"):
        store.add(acme, CUSTOMER, fields, active=True, actor="ada", known_catalogs={own})
    added = store.add(acme, CUSTOMER, fields, active=True, actor="ada", known_catalogs={own, str(foreign)})
    assert store.load(added.uuid, acme).catalogs_to_transmit == (own, foreign)
    assert store.validity(added.uuid, acme, known_catalogs=[own]).incorrect.keys() == {"catalogs_to_transmit"}
    with pytest.raises(ConfigurationError, match="has no catalog"):
        store.edit(
            added.uuid, acme, {"catalogs_to_transmit": [str(foreign)]}, actor="ada", known_catalogs=[str(own)]
        )
    store.deactivate(added.uuid, actor="ada")
    with pytest.raises(ConfigurationError, match="has no catalog"):
        store.activate(added.uuid, acme, actor="ada", known_catalogs=[str(own)])


def test_catalogs_that_are_no_uuids_are_reported_once(store: Configurations, acme: Channel) -> None:
    draft = store.add(acme, CUSTOMER, {"catalogs_to_transmit": ["x"]}, actor="ada")
    why = store.validity(draft.uuid, acme, known_catalogs=[]).incorrect["catalogs_to_transmit"]
    assert why.startswith("0: Input should be a valid UUID")


# Finding


def test_find_by_beginning(store: Configurations, acme: Channel) -> None:
    added = [store.add(acme, CUSTOMER, {}, actor="ada") for _ in range(17)]  # two share a first digit
    one = added[0]
    assert store.find(str(one.uuid)) == one
    assert store.find(str(one.uuid).upper()[:23]) == one
    digits = [each.uuid.hex[0] for each in added]
    shared = next(digit for digit in digits if digits.count(digit) > 1)
    with pytest.raises(ConfigurationError, match=f"configurations begin with '{shared}'"):
        store.find(shared)
    for text in ("", "xyz", str(uuid4())):
        with pytest.raises(ConfigurationError, match="there is no configuration"):
            store.find(text)
    store.remove(one.uuid, actor="ada")
    with pytest.raises(ConfigurationError, match="there is no configuration"):
        store.find(str(one.uuid))


def test_list_filters(store: Configurations, acme: Channel, parrot: Channel, acme_fields: Fields) -> None:
    first = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    second = store.add(acme, CUSTOMER, {}, actor="ada")
    third = store.add(parrot, OTHER_CUSTOMER, {}, actor="ada")
    assert store.list() == [first, second, third]
    assert store.list(channel="ACME") == [first, second]
    assert store.list(customer=OTHER_CUSTOMER.upper()) == [third]
    assert store.list(active=True) == [first]
    assert store.list(active=False, channel="ACME") == [second]
    store.remove(second.uuid, actor="ada")
    assert store.list() == [first, third]
    assert [each.uuid for each in store.list(include_removed=True)] == [first.uuid, second.uuid, third.uuid]


def test_an_unknown_and_a_removed_configuration(store: Configurations, acme: Channel) -> None:
    with pytest.raises(ConfigurationError, match="there is no configuration"):
        store.get(uuid4())
    draft = store.add(acme, CUSTOMER, {}, actor="ada")
    store.remove(draft.uuid, actor="ada")
    for call in (
        lambda: store.get(draft.uuid),
        lambda: store.edit(draft.uuid, acme, {}, actor="ada"),
        lambda: store.remove(draft.uuid, actor="ada"),
        lambda: store.runnable({"ACME": acme}, uuids=[draft.uuid]),
    ):
        with pytest.raises(ConfigurationError, match="was removed"):
            call()


def test_the_wrong_channel_is_noticed(store: Configurations, acme: Channel, parrot: Channel) -> None:
    draft = store.add(acme, CUSTOMER, {}, actor="ada")
    with pytest.raises(ConfigurationError, match="another channel than PARROT"):
        store.load(draft.uuid, parrot)


# Editing


def test_edit_changes_what_is_named_and_no_more(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(
        acme, CUSTOMER, {**acme_fields, "minutes": 5, "scale": "points"}, active=True, actor="ada"
    )
    edited = store.edit(added.uuid, acme, {"minutes": None, "client_id": "id-2"}, actor="bob")
    assert edited.version == 2
    assert edited.updated_at > added.updated_at
    assert edited.created_at == added.created_at
    assert edited.fields == {
        "acme_base_url": "https://acme.example.com/lms/",
        "client_id": "id-2",
        "scale": "points",
    }
    config = store.load(added.uuid, acme)
    assert config.minutes == 30  # type: ignore[attr-defined]
    assert config.client_secret.get_secret_value() == "s3cret"  # type: ignore[attr-defined]


def test_an_edit_that_changes_nothing_leaves_no_trace(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    assert store.edit(added.uuid, acme, {**acme_fields, "minutes": None}, actor="bob") == added
    assert len(store.history(added.uuid)) == 1


def test_an_edit_may_not_make_an_active_configuration_invalid(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    with pytest.raises(ConfigurationError) as error:
        store.edit(added.uuid, acme, {"client_secret": "", "minutes": -1}, actor="bob")
    assert error.value.missing == ("client_secret",)
    assert error.value.incorrect.keys() == {"minutes"}
    assert store.get(added.uuid) == added
    store.deactivate(added.uuid, actor="bob")
    assert store.edit(added.uuid, acme, {"client_secret": ""}, actor="bob").secrets_set == ()


@pytest.mark.parametrize("name", ["channel", "customer", "uuid"])
def test_the_identity_is_read_only(store: Configurations, acme: Channel, name: str) -> None:
    draft = store.add(acme, CUSTOMER, {}, actor="ada")
    with pytest.raises(ConfigurationError, match=rf"{name} \(cannot be changed"):
        store.edit(draft.uuid, acme, {name: OTHER_CUSTOMER}, actor="ada")
    assert store.get(draft.uuid) == draft


def test_an_expected_version_protects_against_overwriting(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    store.edit(draft.uuid, acme, {"minutes": 1}, actor="bob", expected_version=1)
    for call in (
        lambda: store.edit(draft.uuid, acme, {"minutes": 2}, actor="ada", expected_version=1),
        lambda: store.activate(draft.uuid, acme, actor="ada", expected_version=1),
        lambda: store.deactivate(draft.uuid, actor="ada", expected_version=1),
        lambda: store.remove(draft.uuid, actor="ada", expected_version=1),
    ):
        with pytest.raises(ConfigurationError, match="somebody else changed"):
            call()
    assert store.get(draft.uuid).fields["minutes"] == 1


def test_two_edits_at_once_do_not_both_win(
    engine: sa.Engine, box: SecretBox, store: Configurations, acme: Channel
) -> None:
    draft = store.add(acme, CUSTOMER, {}, actor="ada")

    def clock() -> datetime:
        # Read between the reading and the writing of the edit: here the other one comes in.
        store.edit(draft.uuid, acme, {"minutes": 1}, actor="bob")
        return datetime(2026, 5, 1, tzinfo=UTC)

    slow = Configurations(engine, box, clock=clock)
    with pytest.raises(ConfigurationError, match="somebody else changed"):
        slow.edit(draft.uuid, acme, {"minutes": 2, "client_secret": "late"}, actor="ada")
    after = store.get(draft.uuid)
    assert (after.version, after.fields, after.secrets_set) == (2, {"minutes": 1}, ())
    assert [change.actor for change in store.history(draft.uuid)] == ["ada", "bob"]


def test_a_field_that_the_model_has_no_more_can_be_cleared(
    engine: sa.Engine, store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")

    class Newer(ChannelConfig):
        code = "ACME"
        acme_base_url: str

    assert store.validity(added.uuid, Newer).incorrect.keys() == {"client_id", "client_secret"}
    with pytest.raises(ConfigurationError, match="there is no such field"):
        store.edit(added.uuid, Newer, {"client_id": "x"}, actor="ada")
    store.edit(added.uuid, Newer, {"client_id": None, "client_secret": None}, actor="ada")
    assert store.validity(added.uuid, Newer).valid
    assert rows(engine, tables.configuration_secret) == []


# States


def test_activate_and_deactivate(store: Configurations, acme: Channel, acme_fields: Fields) -> None:
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    active = store.activate(draft.uuid, acme, actor="ada")
    assert active.active
    assert store.activate(draft.uuid, acme, actor="ada") == active
    inactive = store.deactivate(draft.uuid, actor="ada")
    assert not inactive.active
    assert store.deactivate(draft.uuid, actor="ada") == inactive
    assert [change.action for change in store.history(draft.uuid)] == ["added", "activated", "deactivated"]


def test_removing_erases_secrets_and_tokens_and_keeps_the_rest(
    engine: sa.Engine, store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    put_token(engine, added.uuid)
    removed = store.remove(added.uuid, actor="bob")
    assert removed.removed_at is not None
    assert not removed.active
    assert removed.fields == added.fields
    assert rows(engine, tables.configuration_secret) == []
    assert rows(engine, tables.token) == []
    last = store.history(added.uuid)[-1]
    assert (last.action, last.actor) == ("removed", "bob")
    assert last.changes == {"active": [True, False], "client_secret": "cleared"}


def test_history_says_who_changed_what_and_when(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    long_name = "n" * 300
    added = store.add(acme, CUSTOMER, {**acme_fields}, actor="ada", active=True)
    store.edit(
        added.uuid, acme, {"client_id": "id-2", "client_secret": "other", "minutes": 9}, actor=long_name
    )
    store.deactivate(added.uuid, actor="ada")
    store.edit(added.uuid, acme, {"client_secret": None}, actor="ada")
    first, second, third, fourth = store.history(added.uuid)
    assert first.changes == {
        "channel": [None, "ACME"],
        "customer": [None, CUSTOMER],
        "acme_base_url": [None, "https://acme.example.com/lms/"],
        "client_id": [None, "id-1"],
        "client_secret": "set",
        "active": [False, True],
    }
    assert second.changes == {"client_id": ["id-1", "id-2"], "client_secret": "changed", "minutes": [None, 9]}
    assert second.actor == "n" * 255
    assert third.changes == {"active": [True, False]}
    assert fourth.changes == {"client_secret": "cleared"}
    assert [each.version for each in (first, second, third, fourth)] == [1, 2, 3, 4]
    assert first.at < second.at < third.at < fourth.at
    assert fourth.at - first.at < timedelta(minutes=1)
    assert store.history(uuid4()) == []


# Reconnecting


def test_needs_reconnect_is_noted_once_and_cleared(
    store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    assert not store.clear_reconnect(added.uuid)
    assert store.mark_needs_reconnect(added.uuid, "401 invalid_client")
    assert not store.mark_needs_reconnect(added.uuid, "401 again")
    marked = store.get(added.uuid)
    assert marked.needs_reconnect_since is not None
    assert marked.needs_reconnect_reason == "401 invalid_client"
    assert marked.version == 1
    assert store.clear_reconnect(added.uuid, actor="ada")
    cleared = store.get(added.uuid)
    assert (cleared.needs_reconnect_since, cleared.needs_reconnect_reason) == (None, None)
    _, noted, mended = store.history(added.uuid)
    assert (noted.action, noted.actor) == ("needs reconnect", "coursewire")
    assert noted.changes == {"needs_reconnect": [None, "401 invalid_client"]}
    assert (mended.action, mended.actor) == ("reconnected", "ada")


def test_refused_credentials_are_tried_again_with_growing_pauses_and_one_success_clears_them(
    engine: sa.Engine, box: SecretBox, acme: Channel, acme_fields: Fields
) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    store = Configurations(engine, box, clock=lambda: now)
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    pauses = []
    for number in range(12):
        assert store.mark_failing(added.uuid, "401 invalid_client") is (number == 0)
        marked = store.get(added.uuid)
        assert marked.failing_since == datetime(2026, 3, 1, 12, tzinfo=UTC)
        assert marked.needs_reconnect_since is None
        assert marked.next_try_at is not None
        pauses.append(marked.next_try_at - now)
        (refused,) = store.runnable({"ACME": acme}, uuids=[added.uuid]).refused
        assert "tries them again" in str(refused.error)
        now = marked.next_try_at
        assert store.runnable({"ACME": acme}, uuids=[added.uuid]).ready
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=15), timedelta(days=1))
    assert store.clear_reconnect(added.uuid)
    healed = store.get(added.uuid)
    assert (healed.failing_since, healed.failing_reason, healed.next_try_at, healed.failing) == (
        None,
        None,
        None,
        "",
    )
    assert [each.action for each in store.history(added.uuid)][1:] == [
        "credentials refused",
        "credentials accepted",
    ]
    store.mark_failing(added.uuid, "401")
    assert store.edit(added.uuid, acme, {"client_secret": "new"}, actor="ada").failing_since is None


@pytest.mark.parametrize(
    ("changes", "cleared"),
    [({"client_secret": "new"}, True), ({"client_id": "new"}, True), ({"display_name": "new"}, False)],
)
def test_editing_the_channels_own_fields_clears_needs_reconnect(
    store: Configurations, acme: Channel, acme_fields: Fields, changes: Fields, cleared: bool
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    store.mark_needs_reconnect(added.uuid, "401")
    edited = store.edit(added.uuid, acme, changes, actor="ada")
    assert (edited.needs_reconnect_since is None) is cleared
    assert (edited.needs_reconnect_reason is None) is cleared


@pytest.mark.parametrize(
    ("changes", "dropped"),
    [
        ({"client_secret": "new"}, True),
        ({"acme_base_url": "https://other.example.com", "client_secret": "s3cret"}, True),
        ({"token_url": "https://other.example.com", "client_secret": "s3cret"}, True),
        ({"client_id": "new", "minutes": 3, "display_name": "x"}, False),
        ({"client_secret": "s3cret"}, False),
    ],
)
def test_tokens_go_with_the_secret_or_address_they_belong_to(
    engine: sa.Engine,
    store: Configurations,
    acme: Channel,
    acme_fields: Fields,
    changes: Fields,
    dropped: bool,
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    other = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    put_token(engine, added.uuid)
    put_token(engine, other.uuid)
    store.edit(added.uuid, acme, changes, actor="ada")
    left = {row.configuration for row in rows(engine, tables.token)}
    assert left == ({other.uuid} if dropped else {added.uuid, other.uuid})


# What may run


def test_what_may_run(
    store: Configurations,
    acme: Channel,
    parrot: Channel,
    acme_fields: Fields,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PARROT_TOKEN", "t")
    good = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    draft = store.add(acme, CUSTOMER, acme_fields, actor="ada")
    gone = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    store.remove(gone.uuid, actor="ada")
    cut_off = store.add(acme, OTHER_CUSTOMER, acme_fields, active=True, actor="ada")
    store.mark_needs_reconnect(cut_off.uuid, "401 invalid_client")
    by_environment = store.add(
        parrot,
        OTHER_CUSTOMER,
        {"parrot_base_url": "https://p.example.com", "token": {"env": "PARROT_TOKEN"}},
        active=True,
        actor="ada",
    )
    monkeypatch.delenv("PARROT_TOKEN")
    channels = {"ACME": acme, "PARROT": parrot}

    all_of_them = store.runnable(channels)
    assert [each.configuration for each in all_of_them.ready] == [good]
    assert all_of_them.ready[0].config == store.load(good.uuid, acme)
    reasons = {each.configuration.uuid: str(each.error) for each in all_of_them.refused}
    assert reasons.keys() == {cut_off.uuid, by_environment.uuid}
    assert "refused the credentials: 401 invalid_client" in reasons[cut_off.uuid]
    assert "token (the environment variable PARROT_TOKEN is not set)" in reasons[by_environment.uuid]

    assert [each.configuration for each in store.runnable(channels, customer=CUSTOMER.upper()).ready] == [
        good
    ]
    assert not store.runnable(channels, customer=CUSTOMER).refused
    assert [each.configuration.uuid for each in store.runnable(channels, channel="PARROT").refused] == [
        by_environment.uuid
    ]
    asked = store.runnable(channels, uuids=[draft.uuid])
    assert not asked.ready
    assert "is not active" in str(asked.refused[0].error)
    assert f"coursewire config activate {draft.short_id}" in str(asked.refused[0].error)
    with pytest.raises(ConfigurationError, match="there is no configuration"):
        store.runnable(channels, uuids=[good.uuid, uuid4()])
    assert not store.runnable(channels, uuids=[good.uuid], channel="PARROT").ready
    assert not store.runnable(channels, uuids=[]).ready


def test_a_configuration_that_has_become_invalid_does_not_run(
    engine: sa.Engine, box: SecretBox, acme: Channel, acme_fields: Fields
) -> None:
    lenient = Configurations(engine, box, insecure_urls=True)
    fields = {**acme_fields, "acme_base_url": "http://127.0.0.1:8000"}
    added = lenient.add(acme, CUSTOMER, fields, active=True, actor="ada")
    assert lenient.runnable({"ACME": acme}).ready
    strict = Configurations(engine, box)
    assert not strict.runnable({"ACME": acme}).ready
    with pytest.raises(ConfigurationError, match="plain http is refused"):
        strict.load(added.uuid, acme)


@pytest.mark.parametrize("installed", [{}, {"ACMEE": None}])
def test_a_channel_that_is_not_installed(
    store: Configurations, acme: Channel, acme_fields: Fields, installed: dict[str, Any]
) -> None:
    store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    (refused,) = store.runnable(installed).refused
    assert isinstance(refused.error, UnknownChannelError)
    assert "not installed" in str(refused.error)


def test_what_may_run_takes_two_queries_however_many_there_are(
    engine: sa.Engine, store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    for _ in range(5):
        store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(store.runnable({"ACME": acme}).ready) == 5
    assert len(statements) == 2


# Secrets


def test_secrets_are_taken_byte_for_byte(store: Configurations, acme: Channel, acme_fields: Fields) -> None:
    for secret in ("  s p \t\n", " ", "env:HOME", '{"env": "HOME"}', "\ud800é\x00"):
        added = store.add(acme, CUSTOMER, {**acme_fields, "client_secret": secret}, active=True, actor="ada")
        assert store.load(added.uuid, acme).client_secret.get_secret_value() == secret  # type: ignore[attr-defined]


def test_a_secret_from_the_environment_is_looked_up_at_every_load(
    store: Configurations, acme: Channel, acme_fields: Fields, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {**acme_fields, "client_secret": {"env": "ACME_SECRET"}}
    monkeypatch.delenv("ACME_SECRET", raising=False)
    with pytest.raises(ConfigurationError, match="environment variable ACME_SECRET is not set"):
        store.add(acme, CUSTOMER, fields, active=True, actor="ada")
    draft = store.add(acme, CUSTOMER, fields, actor="ada")
    assert store.validity(draft.uuid, acme).missing == ()
    for value in ("one", "two"):
        monkeypatch.setenv("ACME_SECRET", value)
        assert store.load(draft.uuid, acme).client_secret.get_secret_value() == value  # type: ignore[attr-defined]
    assert store.edit(draft.uuid, acme, {"client_secret": {"env": "ACME_SECRET"}}, actor="a").version == 1
    assert store.edit(draft.uuid, acme, {"client_secret": "ACME_SECRET"}, actor="a").version == 2


def test_an_optional_secret_that_cannot_be_had_is_not_left_out(
    store: Configurations, parrot: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARROT_TOKEN", raising=False)
    fields = {"parrot_base_url": "https://p.example.com", "username": "u", "password": "p"}
    draft = store.add(parrot, CUSTOMER, {**fields, "token": {"env": "PARROT_TOKEN"}}, actor="ada")
    with pytest.raises(ConfigurationError, match="PARROT_TOKEN is not set"):
        store.load(draft.uuid, parrot)


@pytest.mark.parametrize(
    "value",
    [12345678, ["CANARY"], {"env": ""}, {"env": "A B"}, {"env": 1}, {"env": "A", "x": "CANARY"}, {}, True],
)
def test_what_is_no_secret_is_refused(store: Configurations, acme: Channel, value: Any) -> None:
    with pytest.raises(ConfigurationError) as error:
        store.add(acme, CUSTOMER, {"client_secret": value}, actor="ada")
    assert error.value.incorrect["client_secret"].startswith("a secret is text, or")
    assert "CANARY" not in str(error.value)
    assert "12345678" not in str(error.value)


def test_the_key_is_asked_for_only_where_there_are_secrets(engine: sa.Engine, acme: Channel) -> None:
    def no_key() -> SecretBox:
        raise SecretKeyError("there is no secret key")

    store = Configurations(engine, no_key)
    draft = store.add(acme, CUSTOMER, {"client_id": "x"}, actor="ada")
    assert store.validity(draft.uuid, acme).missing == ("acme_base_url", "client_secret")
    with pytest.raises(SecretKeyError):
        store.add(acme, CUSTOMER, {"client_secret": "x"}, actor="ada")
    with pytest.raises(SecretKeyError):
        store.edit(draft.uuid, acme, {"client_secret": "x"}, actor="ada")
    assert store.list() == [draft]


def test_the_wrong_key_is_told_and_secrets_can_be_set_again(
    engine: sa.Engine, store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    lost = Configurations(engine, SecretBox([new_key()]))
    other = lost.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    with pytest.raises(SecretKeyError, match="COURSEWIRE_SECRET_KEY") as error:
        lost.load(added.uuid, acme)
    assert "client_secret" in str(error.value)
    assert str(added.uuid) in str(error.value)
    result = lost.runnable({"ACME": acme})
    assert [each.configuration for each in result.ready] == [other]
    assert isinstance(result.refused[0].error, SecretKeyError)
    assert "set it again" in lost.validity(added.uuid, acme).incorrect["client_secret"]
    with pytest.raises(ConfigurationError, match="set it again"):
        lost.edit(added.uuid, acme, {"minutes": 3}, actor="ada")
    lost.edit(added.uuid, acme, {"client_secret": "s3cret"}, actor="ada")
    assert lost.load(added.uuid, acme).client_secret.get_secret_value() == "s3cret"  # type: ignore[attr-defined]


def test_fields_are_kept_as_json_and_secrets_apart(
    engine: sa.Engine, store: Configurations, acme: Channel, acme_fields: Fields
) -> None:
    store.add(acme, CUSTOMER, acme_fields, actor="ada")
    (row,) = rows(engine, tables.configuration)
    assert json.loads(row.fields).keys() == {"acme_base_url", "client_id"}
    (secret,) = rows(engine, tables.configuration_secret)
    assert secret.name == "client_secret"
    assert b"s3cret" not in secret.ciphertext
