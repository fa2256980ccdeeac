"""Planted secrets show nowhere: not in an error, a repr, a log, or a column in clear."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from coursewire.configurations.rotation import rotate
from coursewire.configurations.secrets import SecretBox, new_key
from coursewire.configurations.store import Configurations
from coursewire.errors import CoursewireError
from coursewire.model.channel import Channel
from coursewire.storage.tables import records as tables

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
CANARY = "canary"
TOKEN = f"bad-{CANARY}-token"
PASSWORD = f"{TOKEN}-tail-{CANARY}"  # one secret inside another


def test_planted_secrets_show_nowhere(
    engine: sa.Engine,
    store: Configurations,
    parrot: Channel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PLANTED", PASSWORD)
    shown: list[str] = []

    def run(call: Callable[[], Any]) -> Any:
        try:
            result = call()
        except CoursewireError as error:
            shown.extend((str(error), repr(error), repr(vars(error)), repr(error.args)))
            shown.extend(traceback.TracebackException.from_exception(error, capture_locals=False).format())
            shown.append(repr(vars(error.__context__) if error.__context__ else None))
            return None
        shown.extend((repr(result), str(result)))
        return result

    url = {"parrot_base_url": "https://p.example.com"}
    run(lambda: store.add(parrot, CUSTOMER, {**url, "token": TOKEN}, active=True, actor="ada"))
    run(lambda: store.add(parrot, CUSTOMER, {"token": [TOKEN], "pasword": PASSWORD}, actor="ada"))
    both = {**url, "token": f"{CANARY}-fine", "password": f"{CANARY}-fine-tail-{CANARY}"}
    run(lambda: store.add(parrot, CUSTOMER, both, active=True, actor="ada"))
    draft = run(
        lambda: store.add(parrot, CUSTOMER, {**url, "token": TOKEN, "password": PASSWORD}, actor="ada")
    )
    good = run(
        lambda: store.add(parrot, CUSTOMER, {**url, "token": f"{CANARY}-fine"}, active=True, actor="ada")
    )
    by_name = {**url, "username": "u", "password": {"env": "PLANTED"}}
    run(lambda: store.add(parrot, CUSTOMER, by_name, active=True, actor="ada"))
    for uuid in (draft.uuid, good.uuid):
        run(lambda uuid=uuid: store.get(uuid))
        run(lambda uuid=uuid: store.find(str(uuid)))
        run(lambda uuid=uuid: store.load(uuid, parrot))
        run(lambda uuid=uuid: store.validity(uuid, parrot))
        run(lambda uuid=uuid: store.edit(uuid, parrot, {"token": f"bad {CANARY} 2"}, actor="ada"))
        run(lambda uuid=uuid: store.edit(uuid, parrot, {"password": PASSWORD, "nme": PASSWORD}, actor="ada"))
        run(
            lambda uuid=uuid: store.edit(
                uuid, parrot, {"password": PASSWORD}, actor="ada", expected_version=9
            )
        )
        run(lambda uuid=uuid: store.activate(uuid, parrot, actor="ada"))
        run(lambda uuid=uuid: store.mark_needs_reconnect(uuid, "401"))
        run(lambda uuid=uuid: store.clear_reconnect(uuid))
        run(lambda uuid=uuid: store.deactivate(uuid, actor="ada"))
        run(lambda uuid=uuid: store.history(uuid))
    run(store.list)
    run(lambda: store.runnable({"PARROT": parrot}))
    run(lambda: rotate(engine, SecretBox([new_key()])))
    run(lambda: store.remove(draft.uuid, actor="ada"))

    texts = [*shown, caplog.text]
    with engine.connect() as connection:
        for table in (tables.configuration, tables.configuration_secret, tables.configuration_history):
            texts += [str(row) for row in connection.execute(sa.select(table))]
    assert len(shown) > 60
    assert "***" in "".join(shown)  # the model did try to repeat a secret
    assert [text for text in texts if CANARY in text] == []
