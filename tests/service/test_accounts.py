"""People sign in with passwords, are locked out when somebody guesses, and are shut out at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

from coursewire.errors import ConfigurationError
from coursewire.service.accounts import FAILURES_BEFORE_LOCK, Accounts
from coursewire.service.rights import Role, RoleAssignment
from coursewire.storage.tables.access import account, console_session

PASSWORD = "correct horse battery"
GRANTS = [RoleAssignment(Role.VIEWER, "")]


@pytest.fixture
def now():
    return [datetime(2026, 5, 1, tzinfo=UTC)]


@pytest.fixture
def accounts(engine, now):
    # Cheap on purpose: what is tested here is not argon2.
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    made = Accounts(engine, clock=lambda: now[0], hasher=hasher)
    made.add("ada", SecretStr(PASSWORD), GRANTS)
    return made


def test_who_knows_the_password_is_signed_in_until_the_session_ends(accounts, now, engine):
    signed_in = accounts.sign_in(" ada ", PASSWORD)

    caller = accounts.caller(signed_in.cookie)
    assert (caller.name, caller.assignments) == ("ada", (RoleAssignment(Role.VIEWER, ""),))
    assert caller.csrf
    with engine.connect() as connection:
        kept = str(
            connection.execute(console_session.select()).all() + connection.execute(account.select()).all()
        )
    assert signed_in.cookie not in kept
    assert PASSWORD not in kept
    now[0] = signed_in.expires_at
    assert accounts.caller(signed_in.cookie) is None


def test_a_wrong_name_and_a_wrong_password_look_the_same(accounts):
    assert accounts.sign_in("ada", "wrong") is None
    assert accounts.sign_in("bob", PASSWORD) is None
    assert accounts.caller("made up") is None


def test_guesses_lock_the_account_longer_and_longer(accounts, now):
    for _ in range(FAILURES_BEFORE_LOCK):
        assert accounts.sign_in("ada", "guess") is None
    assert accounts.sign_in("ada", PASSWORD) is None
    now[0] += timedelta(minutes=1)
    assert accounts.sign_in("ada", "guess") is None
    now[0] += timedelta(minutes=1)
    assert accounts.sign_in("ada", PASSWORD) is None, "twice as long after one more"
    now[0] += timedelta(minutes=1)
    assert accounts.sign_in("ada", PASSWORD) is not None
    assert accounts.sign_in("ada", "guess") is None
    assert accounts.sign_in("ada", PASSWORD) is not None, "the count begins anew"


@pytest.mark.parametrize(
    "end",
    [
        lambda accounts, cookie: accounts.sign_out(cookie),
        lambda accounts, _cookie: accounts.disable("ada"),
        lambda accounts, _cookie: accounts.set_password("ada", SecretStr("another password")),
        lambda accounts, _cookie: accounts.remove("ada"),
    ],
    ids=["sign out", "disable", "password", "remove"],
)
def test_what_ends_a_session_ends_it_at_once(accounts, end):
    cookie = accounts.sign_in("ada", PASSWORD).cookie
    end(accounts, cookie)
    assert accounts.caller(cookie) is None


def test_a_disabled_account_is_let_in_again(accounts):
    accounts.disable("ada")
    assert accounts.sign_in("ada", PASSWORD) is None
    accounts.disable("ada", disabled=False)
    assert accounts.sign_in("ada", PASSWORD)


def test_what_was_granted_last_counts(accounts):
    cookie = accounts.sign_in("ada", PASSWORD).cookie
    accounts.assign_roles("ada", [RoleAssignment(Role.ADMINISTRATOR, "")])
    assert accounts.caller(cookie).assignments == (RoleAssignment(Role.ADMINISTRATOR, ""),)


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [("ada", PASSWORD, "already"), ("bob", "short", "5 characters"), (" ", PASSWORD, "needs a name")],
)
def test_what_cannot_be_an_account_is_refused(accounts, name, password, words):
    with pytest.raises(ConfigurationError, match=words):
        accounts.add(name, SecretStr(password), GRANTS)
    assert [each.name for each in accounts.list()] == ["ada"]


def test_an_account_without_a_password_cannot_sign_in_with_one(accounts):
    accounts.add("grace", None, GRANTS)
    assert accounts.sign_in("grace", "") is None
