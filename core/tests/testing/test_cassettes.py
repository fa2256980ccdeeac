"""Cassettes: recorded from a real conversation, with nothing in the file that is not for everybody's eyes."""

import base64
import json
from contextlib import suppress

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr

from coursewire import Channel, hookimpl
from coursewire.errors import RejectedError
from coursewire.model.channel import Capabilities, Support
from coursewire.model.configuration import ChannelConfig, LmsUrl
from coursewire.testing.cassette_replay import UnrecordedRequestError
from coursewire.testing.cassette_scan import scan_cassettes
from coursewire.testing.cassettes import Player
from coursewire.testing.scrubbing import Scrubbing
from coursewire.testing.simulator import Simulator, json_response
from coursewire.toolkit.auth import TokenAuth, read_oauth_token

CLIENT_SECRET = "s3cret/with+signs&more"
ENCODED_SECRET = base64.b64encode(CLIENT_SECRET.encode()).decode()
TOKEN = "tok-Zx81Qq77Lm20Vb5T"
TICKET = "ticket-4411-aabbccdd"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI4ODEyIn0.c2lnbmF0dXJlLXRlc3Q"
BOUNDARY = "f00dfeedcafe"


class RiverConfig(ChannelConfig):
    river_url: LmsUrl
    client_id: str
    client_secret: SecretStr
    account: int = 17

    @property
    def lms_url(self):
        return self.river_url


class RiverAuth(TokenAuth):
    def __init__(self, config, tokens):
        super().__init__(tokens)
        self.config = config

    def token_request(self, current):
        return httpx.Request(
            "POST",
            f"{self.config.lms_url}/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.config.client_id,
                "client_secret": self.config.client_secret.get_secret_value(),
            },
        )

    def read_token(self, response):
        return read_oauth_token(response, self.tokens.clock)


class River:
    """A channel that speaks to the made-up LMS in every way."""

    @hookimpl
    def declare_channel(self):
        return Channel(
            code="RIVER",
            title="River",
            requires_api=">=2.0,<3",
            config=RiverConfig,
            capabilities=Capabilities(content=Support.FULL),
        )

    @hookimpl
    def authenticate(self, config, tokens):
        return RiverAuth(config, tokens)

    @hookimpl
    def export_content(self, item):
        return {"key": item.key}

    @hookimpl
    async def send_content(self, session, batch):
        raise RejectedError("not here")

    @hookimpl
    async def find_remote(self, key):
        return None

    @hookimpl
    async def check_connection(self):
        return []


class RiverSimulator(Simulator):
    """A tenant with real people, which answers with all that must not be written down."""

    code = "RIVER"

    def routes(self):
        return [
            web.post("/token", self._token),
            web.get("/people/{id}", self._person),
            web.post("/echo", self._echo),
            web.get("/list", self._list),
            web.get("/news", self._news),
            web.get("/zipped", self._zipped),
        ]

    def sample_config(self):
        return {"river_url": self.url, "client_id": "river-client", "client_secret": CLIENT_SECRET}

    async def _token(self, request):
        form = await request.post()
        assert form["client_secret"] == CLIENT_SECRET
        return json_response({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600})

    async def _person(self, request):
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        return json_response(
            {
                "id": int(request.match_info["id"]),
                "login": "ada.l",
                "first_name": "Ada",
                "email": "ada@river-corp.com",
                "manager": {"email": "boss@river-corp.com"},
                "note": f"see {self.url}/people/{request.match_info['id']} or ask ada@river-corp.com, +44 20 7946 0958",
                "session": {"token": {"value": TICKET}},
                "proof": JWT,
                "debug": f"called with {request.headers['Authorization'].split()[1]} and {ENCODED_SECRET}",
                "feed": "https://ada:pw-12345@cdn.river-corp.com/feed",
                "avatar": f"https://cdn.river-corp.com/a.png?sig=0123456789abcdef&user={request.match_info['id']}",
            },
            headers={"Set-Cookie": "sid=abc123abc123", "X-Request-Id": "r-1", "X-Remaining": "9"},
        )

    async def _echo(self, request):
        body = await request.read()
        return web.Response(
            body=body, headers={"Content-Type": request.headers.get("Content-Type", "text/plain")}
        )

    async def _news(self, request):
        return json_response({"text": "ada.l has joined"})

    async def _zipped(self, request):
        answer = json_response({"text": "blah " * 1000, "secret": "zipped-s3cret"})
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _list(self, request):
        page = int(request.query.get("page", 1))
        link = {"Link": f'<{self.url}/list?page={page + 1}>; rel="next"'} if page < 3 else {}
        return json_response([page], headers=link)


@pytest.fixture
def tenant(tmp_path, monkeypatch):
    """A configuration file of a tenant that is up."""
    monkeypatch.setenv("COURSEWIRE_ALLOW_INSECURE_URLS", "1")
    monkeypatch.setenv("RIVER_SECRET", CLIENT_SECRET)
    with RiverSimulator().running() as simulator:
        file = tmp_path / "tenant.json"
        fields = {**simulator.sample_config(), "client_secret": {"env": "RIVER_SECRET"}, "account": 4412}
        values = {"learner": "8812", "email": "ada@river-corp.com"}
        file.write_text(json.dumps({"channel": "RIVER", **fields, "values": values}))
        yield file


VALUES = {"learner": "1001", "email": "learner@example.com", "account": "17"}


@pytest.fixture
def both(tmp_path, tenant):
    """Record a piece of work against the tenant, replay it; gives (recorded, replayed, file's text)."""

    def run(work, name="talk", **options):
        folder = tmp_path / "cassettes"
        options = {"values": VALUES, "scrubbing": Scrubbing(personal=["login"]), **options}
        told = []
        for record in (str(tenant), None):
            player = Player(River(), folder, record=record, **options)
            told.append(player.play(name, lambda session, player=player: work(session, player)))
        return *told, (folder / f"{name}.yaml").read_text()

    return run


async def read_person(session, player):
    found = (await session.get(f"/people/{player['learner']}")).json()
    again = (await session.post("/echo", json={"to": found["email"], "login": found["login"]})).json()
    by_query = await session.post("/echo", params={"mail": found["email"]}, json={"id": found["id"]})
    return found, again, by_query.json()


def test_nothing_of_a_tenant_is_in_the_file(both):
    (real, *_), (kept, again, by_query), text = both(read_person)

    assert real["email"] == "ada@river-corp.com"
    for secret in (
        CLIENT_SECRET,
        "s3cret%2F",
        ENCODED_SECRET,
        "pw-12345",
        TOKEN,
        TICKET,
        JWT,
        "abc123abc123",
        "0123456789abcdef",
        "8812",
        "4412",
        "ada",
        "Ada",
        "boss",
        "river-corp",
        "127.0.0.1",
        "r-1",
        "Bearer tok",
    ):
        assert secret not in text, secret
    assert kept["email"] == again["to"] == "learner@example.com"
    assert kept["id"] == by_query["id"] == 1001
    assert kept["login"] == again["login"] != "ada.l"
    assert kept["manager"]["email"] not in ("", kept["email"])
    assert kept["manager"]["email"].endswith("@example.com")
    assert kept["note"].startswith("see https://lms.example.com/people/1001 or ask learner@example.com")


def test_what_is_learnt_late_is_taken_out_of_what_came_early(both):
    async def news_first(session, player):
        news = (await session.get("/news")).json()["text"]
        return news, (await session.get(f"/people/{player['learner']}")).json()["login"]

    real, (news, login), text = both(news_first)

    assert real == ("ada.l has joined", "ada.l")
    assert news == f"{login} has joined"
    assert "ada.l" not in text


def test_a_compressed_answer_is_read_and_scrubbed(both):
    async def zipped(session, _):
        return (await session.get("/zipped")).json()

    real, replayed, text = both(zipped)

    assert real["secret"] == "zipped-s3cret"
    assert replayed == {**real, "secret": "***"}
    assert "blah blah" in text


def test_the_scan_agrees_but_for_the_telephone_in_a_sentence(both, tmp_path):
    both(read_person)

    found = scan_cassettes(tmp_path / "cassettes")

    assert [finding.what for finding in found] == ["a telephone number"]


@pytest.mark.parametrize(
    ("content_type", "sent", "kept"),
    [
        (
            "application/x-www-form-urlencoded",
            f"wstoken=abcdef123&name=A+%26+B&back={'https://cdn.river-corp.com/x'}&empty=",
            "wstoken=***&name=A+%26+B&back=https%3A%2F%2Fhost.example.com%2Fx&empty=",
        ),
        (
            "text/xml; charset=utf-8",
            (
                '<?xml version="1.0"?><a:Login apiKey="k-123"><w:Password T="x">p&amp;w</w:Password>'
                "<mail>ADDRESS</mail><n>Ünïcode</n></a:Login>"
            ),
            (
                '<?xml version="1.0"?><a:Login apiKey="***"><w:Password T="x">***</w:Password>'
                "<mail>learner@example.com</mail><n>Ünïcode</n></a:Login>"
            ),
        ),
        (
            f"multipart/form-data; boundary={BOUNDARY}",
            (
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n'
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="data"\r\nContent-Type: application/json\r\n\r\n'
                f'{{"api_key":"k-123","n":1}}\r\n--{BOUNDARY}--\r\n'
            ),
            (
                '--boundary\r\nContent-Disposition: form-data; name="password"\r\n\r\n***\r\n'
                '--boundary\r\nContent-Disposition: form-data; name="data"\r\nContent-Type: application/json\r\n\r\n'
                '{"api_key":"***","n":1}\r\n--boundary--\r\n'
            ),
        ),
        (
            "application/json",
            '{"a":[{"password":"x"},{"refreshToken":"y"}],"nextPageToken":"p2","token_type":"Bearer","inner":"{\\"secret\\":\\"z\\"}"}',
            '{"a":[{"password":"***"},{"refreshToken":"***"}],"nextPageToken":"p2","token_type":"Bearer","inner":"{\\"secret\\":\\"***\\"}"}',
        ),
        ("text/plain", f"Basic Statistics for {JWT}", "Basic Statistics for ***"),
        ("application/octet-stream", "\xff\xfe\x00binary", "\xff\xfe\x00binary"),
    ],
)
def test_bodies_of_every_kind(both, content_type, sent, kept):
    encoding = "latin-1" if "octet" in content_type else "utf-8"

    async def echo(session, player):
        body = sent.replace("ADDRESS", player["email"]).encode(encoding)
        answer = await session.post("/echo", content=body, headers={"Content-Type": content_type})
        return answer.content.decode(encoding)

    real, replayed, _ = both(echo)

    assert real == sent.replace("ADDRESS", "ada@river-corp.com")
    assert replayed == kept


def test_a_boundary_drawn_anew_matches(both):
    boundaries = iter(("one11111", "two22222"))

    async def upload(session, _):
        boundary = next(boundaries)
        body = f'--{boundary}\r\nContent-Disposition: form-data; name="n"\r\n\r\n1\r\n--{boundary}--\r\n'
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return (await session.post("/echo", content=body.encode(), headers=kind)).status_code

    assert both(upload)[:2] == (200, 200)


def test_volatile_fields_and_chosen_headers(both):
    nonces = iter(("n-1", "n-2"))

    async def talk(session, player):
        answer = await session.post("/echo", json={"nonce": next(nonces)}, params={"ts": next(nonces, "x")})
        person = await session.get(f"/people/{player['learner']}")
        return answer.status_code, person.headers.get("x-remaining"), person.headers.get("x-request-id")

    nonces = iter(("n-1", "t-1", "n-2", "t-2"))
    scrubbing = Scrubbing(volatile=["nonce", "ts"], headers=["X-Remaining"])

    real, replayed, _ = both(talk, scrubbing=scrubbing)

    assert real == (200, "9", "r-1")
    assert replayed == (200, "9", None)


def test_pages_are_followed_in_a_replay(both):
    async def pages(session, _):
        return [page.json() async for page in session.pages("/list")]

    assert both(pages)[:2] == ([[1], [2], [3]],) * 2


def test_the_clock_stands_where_it_was_recorded(both):
    async def when(session, _):
        await session.sleep(0.5)
        await session.post("/echo", json={"now": session.clock().isoformat()})
        return session.clock()

    recorded, replayed, _ = both(when)

    assert recorded == replayed


def replay(folder, work, **options):
    return Player(River(), folder, values=VALUES, **options).play("talk", work)


@pytest.fixture
def recorded(both, tmp_path):
    async def talk(session, player):
        await session.get("/list", params={"page": 3})
        await session.post("/echo", json={"title": "Botany", "hours": 3})

    both(talk)
    return tmp_path / "cassettes"


def test_an_unknown_request_names_the_nearest_one(recorded):
    async def other(session):
        await session.get("/list", params={"page": 3})
        await session.post("/echo", json={"title": "Zoology", "hours": 3})

    with pytest.raises(UnrecordedRequestError) as caught:
        replay(recorded, other)

    assert str(caught.value).splitlines() == [
        "talk.yaml has no answer to",
        "    POST /echo",
        "The nearest of 3 recorded requests is number 3:",
        "    POST /echo",
        "It differs in body:",
        '    - "title": "Botany"',
        '    + "title": "Zoology"',
        "Record talk.yaml with: pytest --record-cassettes TENANT.json (or: simulator)",
    ]


def test_a_client_that_swallows_errors_does_not_hide_it(recorded):
    async def swallowing(session):
        with suppress(AssertionError):
            await session.get("/nowhere")
        return "all is well"

    with pytest.raises(UnrecordedRequestError, match="GET /nowhere"):
        replay(recorded, swallowing)


def test_an_error_made_of_it_does_not_hide_it(recorded):
    async def wrapping(session):
        try:
            await session.get("/nowhere")
        except AssertionError as error:
            raise RuntimeError("the LMS is strange") from error

    with pytest.raises(UnrecordedRequestError, match="GET /nowhere"):
        replay(recorded, wrapping)


def test_a_recording_that_fails_leaves_the_cassette_as_it_was(recorded):
    before = (recorded / "talk.yaml").read_text()

    async def failing(session):
        await session.get("/list", params={"page": 2})
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        Player(River(), recorded, record="simulator").play("talk", failing, simulator=RiverSimulator())

    assert (recorded / "talk.yaml").read_text() == before


def test_a_request_sent_once_too_often(recorded):
    async def twice(session):
        for _ in range(2):
            await session.get("/list", params={"page": 3})

    with pytest.raises(UnrecordedRequestError, match="answered already"):
        replay(recorded, twice)


def test_a_request_left_out(recorded):
    async def less(session):
        await session.get("/list", params={"page": 3})

    with pytest.raises(UnrecordedRequestError) as caught:
        replay(recorded, less)

    assert "  3. POST /echo" in str(caught.value)
    assert "/list" not in str(caught.value)


def test_no_cassette_at_all(tmp_path):
    async def nothing(session):
        raise AssertionError("nothing may be sent")

    with pytest.raises(UnrecordedRequestError, match=r"no cassette talk\.yaml.*--record-cassettes"):
        replay(tmp_path, nothing)


def test_recording_from_the_simulator_replaces_what_was_there(recorded):
    async def one(session):
        return (await session.get("/list", params={"page": 2})).json()

    player = Player(River(), recorded, record="simulator", values=VALUES)
    assert player["learner"] == "1001"
    assert player.play("talk", one, simulator=RiverSimulator()) == [2]
    assert replay(recorded, one) == [2]


def test_a_value_that_the_tenants_file_lacks(tmp_path, tenant):
    player = Player(River(), tmp_path, record=str(tenant), values={"course": "C1"})

    with pytest.raises(pytest.UsageError, match="'course': add it under \"values\""):
        player["course"]


def test_a_value_that_would_be_found_everywhere(tmp_path, tenant):
    file = tenant.with_name("short.json")
    file.write_text(tenant.read_text().replace('"8812"', '"7"'))
    player = Player(River(), tmp_path, record=str(file), values={"learner": "1001"})

    with pytest.raises(pytest.UsageError, match=r"'learner'.*too short to be found again: every '7'"):
        player["learner"]


def test_recording_leaves_other_channels_alone(tmp_path):
    file = tmp_path / "tenant.json"
    file.write_text('{"channel": "CANVAS"}')

    with pytest.raises(pytest.skip.Exception, match="is for channel CANVAS"):
        Player(River(), tmp_path, record=str(file))
