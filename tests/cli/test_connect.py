"""``coursewire config connect``: the real command, the LMS's real page, a browser that follows it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

COMMAND = Path(sys.executable).with_name("coursewire")
CUSTOMER = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"


def press(url, decision="allow"):
    """What a browser does; gives the address that it ends at, and what that page says."""
    with httpx.Client() as browser:
        page = browser.get(url)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        form = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        target = browser.post(url.split("?")[0], data={**form, "decision": decision}).headers["location"]
        listens = urlsplit(target).port != 9
        return target, browser.get(target).text if listens else ""


@pytest.fixture
def draft(cli, canvas, tmp_path):
    given = {name: value for name, value in canvas.sample_config().items() if name != "refresh_token"}
    file = tmp_path / "canvas.json"
    file.write_text(json.dumps({"channel": "CANVAS", "customer": CUSTOMER, "active": False, **given}))
    added = cli("config", "add", "--file", file)
    assert f"Next: coursewire config connect {added.out[:8]}" in added.err
    return added.out.strip()


def listening(*args):
    """The command in a process of its own; gives it and the address that it prints."""
    process = subprocess.Popen(
        [COMMAND, "config", "connect", *args, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(60, process.kill)
    killer.start()
    url = next(line.strip() for line in process.stderr if line.startswith("http"))
    return process, url, killer


def ended(process, killer):
    out, err = process.communicate(timeout=60)
    killer.cancel()
    return process.returncode, out, err


def test_a_draft_is_connected_by_the_browser_and_then_activated(cli, draft):
    refused = cli("config", "activate", draft, status=2)
    assert f"coursewire config connect {draft[:8]}" in refused.err

    process, url, killer = listening(draft)
    _, page = press(url)
    status, out, _ = ended(process, killer)

    assert status == 0
    assert "Access is granted" in page
    assert f"Configuration {draft[:8]} is connected." in out
    assert f"coursewire config activate {draft[:8]}" in out
    cli("config", "activate", draft)
    assert "can be read" in cli("config", "check", draft).out
    assert "connected" in cli("config", "history", draft).out


def test_a_draft_made_from_the_template_is_connected_too(cli, canvas, tmp_path):
    """There the refresh token is a variable of the environment that nobody has set."""
    given = {**canvas.sample_config(), "refresh_token": {"env": "COURSEWIRE_TEST_NOT_SET"}}
    file = tmp_path / "canvas.json"
    file.write_text(json.dumps({"channel": "CANVAS", "customer": CUSTOMER, "active": False, **given}))
    added = cli("config", "add", "--file", file)
    id_ = added.out.strip()
    assert f"coursewire config connect {id_[:8]}" in added.err
    assert f"coursewire config connect {id_[:8]}" in cli("config", "activate", id_, status=2).err

    process, url, killer = listening(id_)
    press(url)
    assert ended(process, killer)[0] == 0
    cli("config", "activate", id_)


def test_other_pages_that_ask_do_not_end_the_waiting(cli, draft):
    process, url, killer = listening(draft, "--json")
    back = httpx.URL(url).params["redirect_uri"]
    assert httpx.get(back.replace("/connected", "/favicon.ico")).status_code == 404
    assert httpx.get(back).status_code == 404
    assert httpx.get(back, params={"state": "made-up", "code": "x"}).status_code == 400
    press(url)

    status, out, err = ended(process, killer)

    assert status == 0, err
    assert json.loads(out) == {"id": draft, "connected": True, "active": False}


def test_the_administrator_says_no(cli, draft):
    process, url, killer = listening(draft, "--json")
    _, page = press(url, "deny")
    status, out, err = ended(process, killer)

    assert status == 2
    assert "could not be granted" in page
    assert "did not allow it" in err
    assert json.loads(out)["error"]["code"] == "grant"


def test_the_address_may_be_pasted(cli, draft, monkeypatch):
    seen = []

    def prompt(text, **_):
        seen.append(text)
        return target

    def echo(text="", **_):
        nonlocal target
        if "http" in str(text) and not target:
            target, _page = press(str(text).strip())

    target = ""
    monkeypatch.setattr("coursewire.cli.config.connect.typer.prompt", prompt)
    monkeypatch.setattr("coursewire.cli.config.connect.typer.echo", echo)

    said = cli("config", "connect", draft, "--paste", "--redirect-uri", "https://127.0.0.1:9/granted")

    assert "is connected" in said.out
    assert len(seen) == 1


def test_what_is_pasted_must_be_the_whole_address(cli, draft, monkeypatch):
    monkeypatch.setattr(
        "coursewire.cli.config.connect.typer.prompt", lambda *_, **__: "https://127.0.0.1/granted"
    )

    assert "no query" in cli("config", "connect", draft, "--paste", status=2).err


def test_another_redirect_uri_cannot_be_listened_on(cli, draft):
    said = cli("config", "connect", draft, "--redirect-uri", "https://x.example.com/", status=2)
    assert "--paste" in said.err


def test_a_port_that_is_taken(cli, draft, canvas):
    port = urlsplit(canvas.url).port
    assert "--port" in cli("config", "connect", draft, "--port", port, status=2).err


def test_a_channel_without_such_a_grant(cli, tmp_path):
    file = tmp_path / "sap.json"
    file.write_text(json.dumps({"channel": "SAP", "customer": CUSTOMER, "active": False}))
    added = cli("config", "add", "--file", file)

    assert "Next: coursewire config activate" in added.err
    assert "config edit" in cli("config", "connect", added.out.strip(), "--paste", status=2).err
