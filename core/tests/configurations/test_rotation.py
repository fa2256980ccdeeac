from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from coursewire.configurations.rotation import RotationReport, Unreadable, rotate
from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.configurations.store import Configurations
from coursewire.model.channel import Channel
from coursewire.storage.tables import records as tables

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def put_token(engine: sa.Engine, configuration: UUID, subject: str, ciphertext: bytes) -> None:
    with engine.begin() as connection:
        connection.execute(
            tables.token.insert().values(
                configuration=configuration,
                subject=subject,
                ciphertext=ciphertext,
                expires_at=AT,
                updated_at=AT,
            )
        )


def ciphertexts(engine: sa.Engine, table: sa.Table) -> list[bytes]:
    with engine.connect() as connection:
        return [bytes(value) for value in connection.scalars(sa.select(table.c.ciphertext))]


def test_all_rows_come_to_the_first_key(
    engine: sa.Engine,
    key: str,
    box: SecretBox,
    store: Configurations,
    acme: Channel,
    acme_fields: dict[str, Any],
) -> None:
    added = [store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada") for _ in range(5)]
    for number in range(3):
        put_token(engine, added[0].uuid, f"subject {number}", box.encrypt(b"token"))
    newer = new_key()
    both = SecretBox([newer, key])
    # Some rows carry the new key already, as after an interruption or an edit.
    Configurations(engine, both).edit(added[2].uuid, acme, {"client_secret": "other"}, actor="ada")

    assert rotate(engine, both, batch_size=2) == RotationReport(renewed=7, current=1, unreadable=())
    assert rotate(engine, both, batch_size=2) == RotationReport(renewed=0, current=8, unreadable=())

    alone = SecretBox([newer])
    fresh = Configurations(engine, alone)
    values = [fresh.load(each.uuid, acme).client_secret.get_secret_value() for each in added]  # type: ignore[attr-defined]
    assert values == ["s3cret", "s3cret", "other", "s3cret", "s3cret"]
    assert {alone.decrypt(each) for each in ciphertexts(engine, tables.token)} == {b"token"}


def test_unreadable_rows_are_named_and_do_not_stop_the_rest(
    engine: sa.Engine, key: str, store: Configurations, acme: Channel, acme_fields: dict[str, Any]
) -> None:
    first = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    lost = Configurations(engine, SecretBox([new_key()]))
    second = lost.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")
    put_token(engine, second.uuid, "subject", b"rubbish")
    newer = new_key()
    report = rotate(engine, SecretBox([newer, key]), batch_size=1)
    assert report.renewed == 1
    assert report.unreadable == (
        Unreadable(second.uuid, "client_secret"),
        Unreadable(second.uuid, "token"),
    )
    assert Configurations(engine, SecretBox([newer])).load(first.uuid, acme)
    assert b"rubbish" in ciphertexts(engine, tables.token)


def test_a_secret_that_is_set_meanwhile_is_not_overwritten(
    engine: sa.Engine,
    key: str,
    store: Configurations,
    acme: Channel,
    acme_fields: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    added = store.add(acme, CUSTOMER, acme_fields, active=True, actor="ada")

    class Busy(SecretBox):
        def renew(self, ciphertext: bytes) -> bytes | None:
            store.edit(added.uuid, acme, {"client_secret": "newest"}, actor="bob")
            return super().renew(ciphertext)

    rotate(engine, Busy([new_key(), key]))
    assert store.load(added.uuid, acme).client_secret.get_secret_value() == "newest"  # type: ignore[attr-defined]


def test_nothing_to_do(engine: sa.Engine, box: SecretBox) -> None:
    assert rotate(engine, box) == RotationReport(0, 0, ())
