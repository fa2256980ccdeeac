"""``coursewire access``: people and tokens, as the service takes them."""

import pytest
import sqlalchemy as sa

from coursewire.service.accounts import Accounts
from coursewire.service.tokens import ApiTokens

PASSWORD = "correct horse battery"
OTHER = "staple of another horse"


@pytest.fixture
def engine(cli, environment):
    engine = sa.create_engine(f"sqlite:///{environment / 'coursewire.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def ada(cli, monkeypatch):
    """An operator with a password."""
    monkeypatch.setenv("FIRST_PASSWORD", PASSWORD)
    cli("access", "add", "ada@example.com", "--role", "operator", "--password-from", "FIRST_PASSWORD")
    return "ada@example.com"


def test_nobody_is_there_at_first(cli):
    assert "access add NAME --role administrator" in cli("access", "list").out
    assert cli("access", "list", "--json").rows == []


def test_a_person_is_added_and_signs_in(cli, ada, engine):
    assert Accounts(engine).sign_in(ada, PASSWORD) is not None
    assert "operator" in cli("access", "list").out
    (row,) = cli("access", "list", "--json").rows
    assert row == {"account": ada, "disabled_at": None, "grants": ["operator"]}
    assert PASSWORD not in cli("access", "list", "--json").all
    assert "ada@example.com" in cli("access", "add", ada, "--role", "viewer", "--no-password", status=2).err


def test_roles_are_replaced_and_may_be_for_one_customer(cli, ada):
    customer = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
    said = cli("access", "grant", ada, "--role", f"operator@{customer}", "--role", "viewer", "--json")
    assert said.last["grants"] == [f"operator@{customer}", "viewer"]
    assert f"viewer, operator@{customer}" in cli(
        "access", "grant", ada, "--role", "viewer", "--role", f"operator@{customer}"
    ).out.replace(f"operator@{customer}, viewer", f"viewer, operator@{customer}")
    assert "there is no role 'king'" in cli("access", "grant", ada, "--role", "king", status=2).err
    assert "--role" in cli("access", "grant", ada, "--role", "viewer@nowhere", status=2).err
    assert "bob@example.com" in cli("access", "grant", "bob@example.com", "--role", "viewer", status=2).err


def test_another_password_takes_the_place_of_the_first(cli, ada, engine, monkeypatch):
    monkeypatch.setenv("SECOND_PASSWORD", OTHER)
    cli("access", "password", ada, "--password-from", "SECOND_PASSWORD")
    assert Accounts(engine).sign_in(ada, PASSWORD) is None
    assert Accounts(engine).sign_in(ada, OTHER) is not None
    missing = cli("access", "password", ada, "--password-from", "NO_SUCH_VARIABLE", status=2)
    assert "there is no variable NO_SUCH_VARIABLE" in missing.err


def test_a_password_is_asked_for_on_a_terminal(cli, engine, monkeypatch):
    asked = []

    def prompt(text, **options):
        asked.append((text, options["hide_input"], options["confirmation_prompt"]))
        return PASSWORD

    monkeypatch.setattr("coursewire.cli.access.typer.prompt", prompt)
    cli("access", "add", "ada@example.com", "--role", "viewer")
    assert asked == [("Password", True, True)]
    assert Accounts(engine).sign_in("ada@example.com", PASSWORD) is not None


def test_a_person_is_shut_out_let_in_and_removed(cli, ada, engine):
    assert "shut out" in cli("access", "disable", ada).out
    assert Accounts(engine).sign_in(ada, PASSWORD) is None
    assert "disabled" in cli("access", "list").out
    assert "may sign in again" in cli("access", "enable", ada).out
    assert Accounts(engine).sign_in(ada, PASSWORD) is not None
    cli("access", "remove", ada)
    assert cli("access", "list", "--json").rows == []
    assert ada in cli("access", "remove", ada, status=2).err


def test_a_token_is_shown_once_and_revoked_by_the_beginning_of_its_id(cli, engine):
    made = cli("access", "token", "nightly", "--role", "operator", "--days", "30", "--json").last
    assert ApiTokens(engine).caller(made["value"]) is not None
    assert made["expires_at"] is not None
    (row,) = cli("access", "list", "--json").rows
    assert (row["name"], row["revoked_at"]) == ("nightly", None)
    assert made["value"] not in cli("access", "list", "--json").out
    assert "token" in cli("access", "list").out
    shown = cli("access", "token", "weekly", "--role", "viewer")
    assert ApiTokens(engine).caller(shown.out.strip()) is not None
    assert "0 tokens begin with 'zz'" in cli("access", "revoke", "zz", status=2).err
    assert "'nightly' is revoked" in cli("access", "revoke", made["token"][:8]).out
    assert ApiTokens(engine).caller(made["value"]) is None
    assert "revoked" in cli("access", "list").out


def test_a_token_of_one_day_is_over_the_day_after(cli, engine):
    cli("access", "token", "short", "--role", "viewer", "--days", "1")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE api_token SET expires_at = '2020-01-01 00:00:00.000000'"))
    assert "over" in cli("access", "list").out
