"""An administrator grants access on the LMS's own page, over real HTTP; every way in which that can go wrong."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from coursewire.errors import ConfigurationError, GrantError
from coursewire.inbound.code_grants import CodeGrants
from coursewire.storage.tables.records import oauth_state, token
from coursewire.testing.misbehave import Misbehaviour
from coursewire_canvas.simulator import CanvasSimulator

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
BACK = "https://host.example.com/channels/canvas/granted"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Time:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def time(installation):
    installation.clock = Time()
    return installation.clock


@pytest.fixture
def canvas(time):
    simulator = CanvasSimulator(clock=time)
    with simulator.running():
        yield simulator


@pytest.fixture
def draft(installation, canvas):
    given = {name: value for name, value in canvas.sample_config().items() if name != "refresh_token"}
    return installation.configurations.add(
        installation.channels.get("CANVAS").channel, CUSTOMER, given, actor="ann"
    )


@pytest.fixture
def grants(installation):
    return CodeGrants(installation)


def press(url, decision="allow"):
    """What the administrator's browser does; gives the query that it comes back with."""
    with httpx.Client() as browser:
        page = browser.get(url)
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        form = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        answer = browser.post(url.split("?")[0], data={**form, "decision": decision})
    assert answer.status_code == 302
    target = answer.headers["location"]
    assert target.startswith(BACK)
    return dict(parse_qsl(urlsplit(target).query))


def begin(grants, configuration, session="tab-1"):
    return grants.start(configuration.uuid, session=session, redirect_uri=BACK)


def finish(grants, answer, session="tab-1"):
    return asyncio.run(grants.finish(answer, session=session, actor="ann"))


def refusal(grants, answer, session="tab-1"):
    with pytest.raises(GrantError) as caught:
        finish(grants, answer, session)
    assert caught.value.next_step
    return caught.value.reason


def test_a_draft_that_lacks_only_the_grant_is_connected_and_can_be_activated(
    installation, grants, draft, canvas
):
    channel = installation.channels.get("CANVAS").channel
    answer = press(begin(grants, draft))

    connected = finish(grants, answer)

    assert connected.secrets_set == ("client_secret", "refresh_token")
    assert installation.configurations.activate(draft.uuid, channel, actor="ann").active
    config = installation.configurations.load(draft.uuid, channel)
    assert config.refresh_token.get_secret_value() == canvas.refresh_token
    change = installation.configurations.history(draft.uuid)[1]
    assert (change.action, change.actor, change.changes) == ("connected", "ann", {"refresh_token": "set"})


def test_the_access_token_of_the_grant_is_used_without_asking_for_another(
    installation, grants, draft, canvas
):
    finish(grants, press(begin(grants, draft)))
    channel = installation.channels.get("CANVAS")
    config = installation.configurations.load(draft.uuid, channel.channel)

    async def check():
        async with installation.session(channel, config, draft.uuid) as session:
            return await channel.hook_caller.check_connection(session)

    assert asyncio.run(check())
    assert sum(seen.path == "/login/oauth2/token" for seen in canvas.seen) == 1


def test_nothing_of_state_session_code_or_tokens_lies_in_the_database_in_clear(
    installation, grants, draft, canvas
):
    answer = press(begin(grants, draft))
    finish(grants, answer)

    with installation.engine.connect() as connection:
        state = connection.execute(select(oauth_state)).one()
        kept = connection.execute(select(token)).one()
    text = repr(tuple(state)) + repr(tuple(kept))
    assert answer["state"] not in text
    assert "tab-1" not in text
    assert canvas.refresh_token not in text


def test_a_state_is_good_once(grants, draft):
    answer = press(begin(grants, draft))
    finish(grants, answer)

    assert refusal(grants, answer) == "state-used"


def test_a_state_is_good_in_its_own_session_and_another_one_does_not_use_it_up(grants, draft):
    answer = press(begin(grants, draft))

    assert refusal(grants, answer, "tab-2") == "other-session"
    assert finish(grants, answer).secrets_set


def test_a_state_expires(grants, draft, time):
    answer = press(begin(grants, draft))
    time.now += timedelta(minutes=10)

    assert refusal(grants, answer) == "state-expired"


def test_what_nobody_began_is_refused(grants, draft):
    assert refusal(grants, {"code": "x", "state": "made-up"}) == "state-unknown"
    assert refusal(grants, {"code": "x"}) == "state-missing"
    assert refusal(grants, {"code": "x", "state": str(draft.uuid)}) == "state-unknown"


def test_states_that_ended_long_ago_are_forgotten(installation, grants, draft, time):
    begin(grants, draft)
    time.now += timedelta(days=2)
    begin(grants, draft)

    with installation.engine.connect() as connection:
        assert len(connection.execute(select(oauth_state)).all()) == 1


def test_the_administrator_says_no(grants, draft):
    assert refusal(grants, press(begin(grants, draft), "deny")) == "denied"


def test_the_lms_refuses_although_the_administrator_agreed(grants, draft, canvas):
    canvas.authorize.refuses = "invalid_scope"

    with pytest.raises(GrantError, match="invalid_scope") as caught:
        finish(grants, press(begin(grants, draft)))
    assert caught.value.reason == "refused-by-lms"


def test_an_answer_without_a_code(grants, draft):
    state = press(begin(grants, draft))["state"]

    assert refusal(grants, {"state": state}) == "code-missing"


def test_a_code_that_the_lms_does_not_know(grants, draft):
    answer = press(begin(grants, draft))

    with pytest.raises(GrantError) as caught:
        finish(grants, {**answer, "code": "stolen"})
    assert caught.value.reason == "code-refused"
    assert "stolen" not in str(caught.value)


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        ("empty answer", "unreadable-answer"),
        ("200 with error body", "unreadable-answer"),
        ("HTML error page", "lms-unreachable"),
        ("reset before accepting", "lms-unreachable"),
    ],
)
def test_what_was_stored_stays_when_the_lms_gives_no_token(
    installation, grants, draft, canvas, misbehaviour, reason
):
    channel = installation.channels.get("CANVAS").channel
    installation.configurations.edit(draft.uuid, channel, {"refresh_token": "the-old-one"}, actor="ann")
    answer = press(begin(grants, draft))
    canvas.misbehave.append(Misbehaviour(misbehaviour, path="/oauth2/token"))

    assert refusal(grants, answer) == reason
    config = installation.configurations.load(draft.uuid, channel)
    assert config.refresh_token.get_secret_value() == "the-old-one"


def test_a_grant_clears_the_need_to_reconnect(installation, grants, draft):
    installation.configurations.mark_needs_reconnect(draft.uuid, "invalid_grant")

    connected = finish(grants, press(begin(grants, draft)))

    assert connected.needs_reconnect_since is None
    changes = installation.configurations.history(draft.uuid)[-1].changes
    assert changes["needs_reconnect"] == ["invalid_grant", None]


def test_a_change_by_somebody_else_meanwhile_does_not_lose_the_grant(
    installation, grants, draft, monkeypatch
):
    configurations = installation.configurations
    channel = installation.channels.get("CANVAS").channel
    real = configurations._stored
    times = iter(range(9))

    def stored(*args):
        found = real(*args)
        if next(times) == 0:
            configurations.edit(draft.uuid, channel, {"display_name": "Renamed"}, actor="bob")
        return found

    answer = press(begin(grants, draft))
    keep = configurations.keep_grant

    def keep_grant(*args, **kwargs):
        monkeypatch.setattr(configurations, "_stored", stored)
        return keep(*args, **kwargs)

    monkeypatch.setattr(configurations, "keep_grant", keep_grant)
    finish(grants, answer)

    after = real(draft.uuid).configuration
    assert after.fields["display_name"] == "Renamed"
    assert "refresh_token" in after.secrets_set


def test_a_configuration_removed_meanwhile(installation, grants, draft):
    answer = press(begin(grants, draft))
    installation.configurations.remove(draft.uuid, actor="bob")

    with pytest.raises(ConfigurationError, match="removed"):
        finish(grants, answer)


def test_a_draft_that_lacks_more_than_the_grant_says_what(installation, grants, canvas):
    channel = installation.channels.get("CANVAS").channel
    draft = installation.configurations.add(
        channel, CUSTOMER, {"canvas_base_url": canvas.url, "canvas_account_id": 17}, actor="ann"
    )

    with pytest.raises(ConfigurationError) as caught:
        begin(grants, draft)
    assert set(caught.value.missing) == {"client_id", "client_secret"}


def test_a_channel_without_such_a_grant(installation, grants):
    channel = installation.channels.get("SAP").channel
    stored = installation.configurations.add(channel, CUSTOMER, {}, actor="ann")

    with pytest.raises(GrantError) as caught:
        begin(grants, stored)
    assert caught.value.reason == "not-offered"


@pytest.mark.parametrize(
    "uri",
    ["", "/granted", "http://host.example.com/granted", "https://host.example.com/#x", "javascript:alert(1)"],
)
def test_a_redirect_uri_that_is_none(grants, draft, uri):
    with pytest.raises(GrantError) as caught:
        grants.start(draft.uuid, session="tab-1", redirect_uri=uri)
    assert caught.value.reason == "bad-redirect"


def test_the_authorize_url_is_encoded_and_names_scopes_only_where_they_are_enforced(
    installation, grants, draft
):
    channel = installation.channels.get("CANVAS").channel
    plain = httpx.URL(begin(grants, draft)).params
    installation.configurations.edit(draft.uuid, channel, {"scopes_enforced": True}, actor="ann")
    scoped = httpx.URL(begin(grants, draft)).params

    assert plain["redirect_uri"] == BACK
    assert plain["response_type"] == "code"
    assert "scope" not in plain
    assert "url:GET|/api/v1/courses/:id" in scoped["scope"].split()
    assert plain["state"] != scoped["state"]


def test_two_grants_begun_for_one_configuration_do_not_disturb_each_other(installation, grants, draft):
    first, second = press(begin(grants, draft)), press(begin(grants, draft))
    with installation.engine.begin() as connection:
        connection.execute(update(oauth_state).values(expires_at=NOW + timedelta(minutes=9)))

    finish(grants, second)
    assert finish(grants, first).secrets_set
