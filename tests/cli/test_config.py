"""config: what a person types, and what comes of it."""

import io
import json
import re
import sys
from uuid import UUID

import pytest

BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
OLD_MILL = "29911cbf-472e-5754-befe-b9a02bb80526"

UNKNOWN_CUSTOMER = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def file(tmp_path, canvas):
    """Writes a configuration file; a field that is None is left out."""

    def write(**changes):
        fields = {
            "channel": "CANVAS",
            "customer": BLUE_FERRY,
            "active": True,
            **canvas.sample_config(),
            **changes,
        }
        path = tmp_path / "configuration.json"
        path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))
        return path

    return write


@pytest.fixture
def config(cli, file):
    """The id of an active configuration."""
    return cli("config", "add", "--file", file()).out.strip()


def test_add_prints_nothing_but_the_id(cli, file):
    said = cli("config", "add", "--file", file())
    assert str(UUID(said.out.strip())) + "\n" == said.out
    assert said.err == ""
    assert UUID(cli("config", "add", "--file", file(), "--json").last["id"])


def test_a_draft_may_be_incomplete_and_says_how_to_go_on(cli, file):
    said = cli("config", "add", "--file", file(client_secret=None), "--draft")
    assert "config activate" in said.err
    short = said.out[:8]
    refused = cli("config", "activate", short, "--json", status=2)
    assert refused.error["missing"] == ["client_secret"]
    cli("config", "edit", short, "--set", "client_secret=swordfish")
    assert "active" in cli("config", "activate", short).out
    assert cli("config", "show", short, "--json").last["state"] == "active"
    assert "draft" in cli("config", "deactivate", short).out
    assert cli("config", "show", short, "--json").last["state"] == "draft"


def test_add_without_a_file(cli, canvas):
    options = [f"--set={name}={value}" for name, value in canvas.sample_config().items()]
    config = cli("config", "add", "--channel", "canvas", "--customer", BLUE_FERRY, *options).out.strip()
    cli("config", "activate", config)
    assert cli("config", "list", "--json").last["state"] == "active"


def test_a_list_is_given_as_json_and_text_stays_text(cli, config):
    (catalog, *_) = ["730bf525-7c31-524c-a5f8-d7fb6a59c0d8"]
    cli(
        "config",
        "edit",
        config,
        "--set",
        f'catalogs_to_transmit=["{catalog}"]',
        "--set",
        "client_secret=[true",
    )
    assert cli("config", "show", config, "--json").last["fields"]["catalogs_to_transmit"] == [catalog]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"canvas_base_ulr": "x"}, ["canvas_base_ulr", "canvas_base_url"]),
        ({"canvas_base_url": "ftp://lms.example.com"}, ["canvas_base_url", "ftp"]),
        ({"canvas_base_url": "not a url"}, ["canvas_base_url"]),
        ({"client_secret": None, "refresh_token": None}, ["missing: client_secret, refresh_token"]),
        ({"canvas_account_id": "seventeen"}, ["canvas_account_id"]),
        (
            {"catalogs_to_transmit": ["ac2ba8db-5ea9-504e-bdbc-70dd5c2d731c"]},
            ["catalogs_to_transmit", "ac2ba8db"],
        ),
        ({"customer": "Blue Ferry"}, ["customer"]),
        ({"channel": "CANVSA"}, ["CANVAS"]),
    ],
)
def test_add_refuses_what_cannot_run_and_stores_nothing(cli, file, changes, said):
    refused = cli("config", "add", "--file", file(**changes), status=2)
    for part in said:
        assert part in refused.err
    assert refused.out == ""
    assert cli("config", "list", "--json").rows == []


def test_private_addresses_are_refused_unless_allowed(cli, file, monkeypatch):
    monkeypatch.delenv("COURSEWIRE_ALLOW_INSECURE_URLS")
    for url in ("http://lms.example.com", "https://127.0.0.1", "https://10.0.0.8", "https://localhost"):
        assert (
            "COURSEWIRE_ALLOW_INSECURE_URLS"
            in cli("config", "add", "--file", file(canvas_base_url=url), status=2).err
        )


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "not JSON"), ("[]", "object"), ('{"channel": "SAP"}', "customer"), ('{"a": 1, "a": 2}', "twice")],
)
def test_a_file_that_is_no_configuration(cli, tmp_path, content, said):
    path = tmp_path / "c.json"
    path.write_text(content)
    assert said in cli("config", "add", "--file", path, status=2).err
    assert "c.json" in cli("config", "add", "--file", tmp_path / "gone" / "c.json", status=2).err


@pytest.mark.parametrize(
    "args",
    [
        ["config", "add"],
        ["config", "add", "--channel", "SAP"],
        ["config", "add", "--channel", "SAP", "--customer", BLUE_FERRY, "--set", "swordfish"],
        ["config", "list", "--customer", "Blue Ferry"],
        ["config", "edit"],
    ],
)
def test_arguments_that_are_missing_or_wrong_end_with_2(cli, args):
    said = cli(*args, "--json", status=2)
    assert said.error["code"] == "usage"
    assert "swordfish" not in said.all


def test_a_customer_whom_the_source_does_not_know_yet_is_mentioned(cli, file):
    assert "does not know" in cli("config", "add", "--file", file(customer=UNKNOWN_CUSTOMER)).err
    assert UNKNOWN_CUSTOMER[:8] in cli("config", "list").out


def test_list_filters(cli, canvas, sap):
    cli.add("CANVAS", canvas)
    cli.add("SAP", sap, OLD_MILL)
    channels = [row["channel"] for row in cli("config", "list", "--json").rows]
    assert channels == ["CANVAS", "SAP"]
    assert [row["channel"] for row in cli("config", "list", "--channel", "sap", "--json").rows] == ["SAP"]
    assert [row["channel"] for row in cli("config", "list", "--customer", BLUE_FERRY, "--json").rows] == [
        "CANVAS"
    ]
    table = cli("config", "list").out
    assert "Blue Ferry Lines" in table
    assert "active" in table
    assert "no configuration" in cli("config", "list", "--customer", UNKNOWN_CUSTOMER).out


def test_no_output_shows_a_secret(cli, config, canvas):
    cli("config", "edit", config, "--set", "client_secret=planted-canary")
    said = [
        cli(*args, *more).all
        for args in (
            ["config", "show", config],
            ["config", "list"],
            ["config", "history", config],
            ["config", "edit", config, "--set", "display_name=A"],
            ["status"],
            ["config", "deactivate", config],
        )
        for more in ([], ["--json"])
    ]
    text = "".join(said)
    for secret in ("planted-canary", canvas.client_secret, canvas.refresh_token):
        assert secret not in text
    assert re.search(r"client_secret\s+set", text)


def test_history_tells_who_changed_what(cli, config):
    cli("config", "edit", config, "--set", "display_name=Ferry school", "--set", "client_secret=other")
    cli("config", "edit", config, "--unset", "display_name")
    rows = cli("config", "history", config, "--json").rows
    assert [row["action"] for row in rows] == ["added", "edited", "edited"]
    assert rows[1]["changes"] == {"display_name": [None, "Ferry school"], "client_secret": "changed"}
    assert "Ferry school → none" in cli("config", "history", config).out


def test_edit_takes_a_file_for_the_same_channel_and_customer_only(cli, config, file):
    assert "version 2" in cli("config", "edit", config, "--file", file(display_name="New")).out
    assert "Nothing changed" in cli("config", "edit", config, "--file", file(display_name="New")).out
    assert cli("config", "edit", config, "--set", "display_name=X", "--json").last["version"] == 3
    assert (
        "another channel or customer"
        in cli("config", "edit", config, "--file", file(customer=OLD_MILL), status=2).err
    )
    cli("config", "edit", config, status=2)


def test_a_configuration_is_found_by_the_beginning_of_its_id(cli, file):
    ids = [cli("config", "add", "--file", file()).out.strip() for _ in range(17)]  # two begin alike for sure
    first = next(one for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    assert "configurations begin with" in cli("config", "show", first[0], status=2).err
    assert cli("config", "show", first[:13], "--json").last["id"] == first
    assert "no configuration" in cli("config", "show", "zz", status=2).err


def test_show_tells_defaults_from_values(cli, config):
    said = cli("config", "show", config).out
    assert "Blue Ferry Lines" in said
    assert re.search(r"canvas_account_id\s+17\b", said)
    assert re.search(r"dry_run_mode_enabled\s+no \(default\)", said)


def test_show_of_a_channel_that_is_gone(cli, config, monkeypatch):
    monkeypatch.setenv("COURSEWIRE_CHANNELS", "sap")
    said = cli("config", "show", config).out
    assert "not installed" in said
    assert re.search(r"client_secret\s+set", said)


def test_check_says_what_works_and_ends_the_need_to_reconnect(cli, config, canvas, monkeypatch):
    assert "✓" in cli("config", "check", config).out
    cli("config", "edit", config, "--set", "client_secret=wrong")
    refused = cli("config", "check", config, status=1)
    assert "wrong" not in refused.all.replace("what is wrong", "")
    assert cli("config", "show", config, "--json").last["state"] == "credentials refused"
    assert "tries them again" in cli("config", "show", config).out.replace("\n", " ")
    # Somebody gives the LMS the secret that we have, so nothing changes here.
    monkeypatch.setattr(canvas, "client_secret", "wrong")
    assert "may run again" in cli("config", "check", config).out
    assert cli("config", "show", config, "--json").last["state"] == "active"
    assert cli("config", "check", config, "--json").last["works"]


def test_check_of_a_draft_points_to_activation(cli, file):
    draft = cli("config", "add", "--file", file(), "--draft").out.strip()
    assert "config activate" in cli("config", "check", draft).out


def test_check_of_an_lms_that_is_not_there(cli, file):
    config = cli("config", "add", "--file", file(canvas_base_url="http://127.0.0.1:9")).out.strip()
    said = cli("config", "check", config, "--json", status=1)
    assert said.error["code"] == "unreachable"
    assert cli("config", "show", config, "--json").last["state"] == "active"


def test_remove_asks_first(cli, config, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert "Nothing was done" in cli("config", "remove", config[:8], status=1).err
    assert "removed" in cli("config", "remove", config[:8], "--yes").out
    assert cli("config", "list", "--json").rows == []


@pytest.mark.parametrize("channel", ["canvas", "SAP"])
def test_a_template_is_a_draft_as_it_stands(cli, tmp_path, channel):
    path = tmp_path / "template.json"
    path.write_text(
        cli("config", "template", channel).out.replace('"customer": ""', f'"customer": "{BLUE_FERRY}"')
    )
    config = cli("config", "add", "--file", path).out.strip()
    assert cli("config", "show", config, "--json").last["state"].startswith("draft: ")
    assert "missing" in cli("config", "show", config).out


def test_the_key_is_exchanged_without_a_stop(cli, config, environment):
    key = environment / "secret.key"
    new = cli("config", "new-key").out
    assert cli("config", "new-key", "--json").last["key"] + "\n" != new
    old = key.read_text()
    key.write_text(new + old)
    assert cli("config", "rotate-key", "--json").last["renewed"] == 2
    assert "2 had the first key already" in cli("config", "rotate-key").out
    key.write_text(new)
    cli("config", "check", config)
    key.write_text(old)
    assert "client_secret" in cli("config", "rotate-key", status=1).err


def test_secrets_from_the_environment_stay_there(cli, file, canvas, monkeypatch):
    config = cli(
        "config", "add", "--file", file(client_secret={"env": "FERRY_SECRET"}), "--draft"
    ).out.strip()
    assert "FERRY_SECRET" in cli("config", "activate", config, status=2).err
    monkeypatch.setenv("FERRY_SECRET", canvas.client_secret)
    cli("config", "activate", config)
    cli("config", "check", config)


@pytest.mark.parametrize("damage", ["missing", "other", "open"])
def test_a_key_that_does_not_fit_is_said_and_not_shown(cli, config, environment, damage):
    key = environment / "secret.key"
    if damage == "missing":
        key.unlink()
    elif damage == "other":
        key.write_text(cli("config", "new-key").out)
    else:
        key.chmod(0o644)
    said = cli("config", "check", config, "--json", status=2)
    assert said.error["code"] == "secret-key"
    assert said.error["next_step"]
    if damage != "missing":
        assert key.read_text().strip() not in said.all


@pytest.mark.parametrize("way", ["--set", "--file"])
def test_a_change_of_the_address_erases_the_secrets_and_says_so(cli, file, way):
    elsewhere = "http://127.0.0.1:9"
    draft = cli("config", "add", "--file", file(), "--draft").out.strip()
    path = file()
    written = json.loads(path.read_text())
    kept = {name: value for name, value in written.items() if name not in ("client_secret", "refresh_token")}
    path.write_text(json.dumps({**kept, "canvas_base_url": elsewhere}))
    given = {"--set": f"canvas_base_url={elsewhere}", "--file": path}[way]
    said = cli("config", "edit", draft, way, given)
    assert "goes only where it was entered for: client_secret, refresh_token" in " ".join(said.out.split())
    assert cli("config", "show", draft, "--json").last["secrets_set"] == []
    assert "client_secret: dropped" in cli("config", "history", draft).out


def test_an_active_configuration_keeps_its_address_until_the_secrets_come_with_another(cli, config):
    change = ("config", "edit", config, "--set", "canvas_base_url=http://127.0.0.1:9")
    assert "another destination" in " ".join(cli(*change, status=2).err.split())
    secrets = ("--set", "client_secret=a", "--set", "refresh_token=b")
    assert "Erased" not in cli(*change, *secrets).out
