"""The form of a configuration as a browser posts it, and the REST API beside it: every type of value goes both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from enum import Enum, IntEnum
from html.parser import HTMLParser
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, SecretStr
from starlette.testclient import TestClient

from coursewire.host import Host
from coursewire.model.channel import Capabilities, Channel, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.plugins.registry import LoadedChannel, Registry
from coursewire.service.accounts import Accounts
from coursewire.service.app import create_app
from coursewire.service.rights import Role, RoleAssignment

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
PASSWORD = "correct horse battery"
API = "/api/v1/configurations"
CONSOLE = "/console/configurations"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Colour(Enum):
    RED = "red, warm"
    BLUE = "blue or so"


class EveryConfig(ChannelConfig):
    """A field of every type that an author may write."""

    code = "EVERY"

    token: SecretStr = SecretStr("")
    only: Literal[1] | None = None
    mixed: Literal["1", 1, "a, b", "c or d", -3, True] = "1"
    size: Size = Size.SMALL
    colour: Colour | None = None
    strict: Literal[False, "auto"] = "auto"
    below: int = -1
    share: float | None = None
    on: bool = True
    tri: bool | None = None
    day: date | None = None
    who: UUID | None = None
    colours: tuple[Colour, ...] = ()
    numbers: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    nested: list[list[str]] = Field(default_factory=list)
    mapping: dict[str, list[int]] = Field(default_factory=dict)
    either: int | str | bool = 7
    anything: Any = None

    @property
    def lms_url(self) -> str:
        return "https://lms.example.com"


class Form(HTMLParser):
    """The settings form of a page: the name of each input to the text that a browser would post for it.

    Attributes:
        texts: What is posted when nobody touches the form; a later input of the same name counts.
        options: The texts of a select's options by the name of the select.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self._select = self._area = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = {name: value or "" for name, value in attrs}
        name = fields.get("name", "")
        if tag == "form":
            self._inside = fields.get("class") == "card" and fields.get("method") == "post"
        elif not self._inside:
            return
        elif tag == "input" and (fields.get("type") != "checkbox" or "checked" in fields):
            self.texts[name] = fields.get("value", "")
        elif tag == "select":
            self._select = name
            self.options[name] = []
        elif tag == "option":
            self.options[self._select].append(fields["value"])
            if "selected" in fields or self._select not in self.texts:
                self.texts[self._select] = fields["value"]
        elif tag == "textarea":
            self._area = name
            self.texts[name] = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.texts[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # A browser drops the first line break, and posts line breaks as CR LF.
            self.texts[self._area] = self.texts[self._area].removeprefix("\n").replace("\n", "\r\n")
            self._area = ""
        elif tag == "form":
            self._inside = False


@pytest.fixture
def client(installation: Any) -> Iterator[TestClient]:
    """A browser in which an administrator is signed in, at a service with a channel that has every type of field."""
    declared = Channel(
        code="EVERY",
        title="Every",
        requires_api=">=2.0,<3",
        config=EveryConfig,
        capabilities=Capabilities(content=Support.IMPOSSIBLE),
    )
    blackboard = installation.channels.get("BLACKBOARD")
    every = LoadedChannel(declared, blackboard.hook_caller, "every", "coursewire-every", "1")
    installation.__dict__["channels"] = Registry([], [*installation.channels, every])
    Accounts(installation.engine).add(
        "ada@example.com", SecretStr(PASSWORD), [RoleAssignment(Role.ADMINISTRATOR, "")]
    )
    with TestClient(create_app(Host(installation=installation))) as made:
        made.post("/console/sign-in", data={"name": "ada@example.com", "password": PASSWORD})
        yield made


@pytest.fixture
def headers(token: Callable[..., dict[str, str]]) -> dict[str, str]:
    """An administrator's."""
    return token("administrator")


@pytest.fixture
def add(client: TestClient, headers: dict[str, str]) -> Callable[..., str]:
    """Adds a draft by the REST API, and returns its id."""

    def made(channel: str, **fields: Any) -> str:
        body = {"channel": channel, "customer": CUSTOMER, "fields": fields}
        answer = client.post(API, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["uuid"])

    return made


def form_of(client: TestClient, uuid: str) -> Form:
    """Open the page of a configuration."""
    page = client.get(f"{CONSOLE}/{uuid}")
    assert page.status_code == 200
    return Form(page.text)


def post(client: TestClient, uuid: str, **changes: str) -> Any:
    """Open the page, change inputs, and save."""
    return client.post(
        f"{CONSOLE}/{uuid}", data={**form_of(client, uuid).texts, **changes}, follow_redirects=False
    )


def stored(client: TestClient, uuid: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return a configuration as the REST API shows it."""
    found: dict[str, Any] = client.get(f"{API}/{uuid}", headers=headers).json()
    return found


def test_the_only_choice_of_blackboards_chunk_size_is_taken(
    client: TestClient, add: Callable[..., str], headers: dict[str, str]
) -> None:
    uuid = add("BLACKBOARD")
    assert form_of(client, uuid).options["transmission_chunk_size"] == ["", "1"]
    assert post(client, uuid, transmission_chunk_size="1").status_code == 303
    assert stored(client, uuid, headers)["fields"]["transmission_chunk_size"] == 1
    validity = client.get(f"{API}/{uuid}/validity", headers=headers).json()
    assert "transmission_chunk_size" not in validity["incorrect"]
    assert post(client, uuid, transmission_chunk_size="").status_code == 303
    assert "transmission_chunk_size" not in stored(client, uuid, headers)["fields"]
    fields = {"fields": {"transmission_chunk_size": 1}}
    assert client.patch(f"{API}/{uuid}", json=fields, headers=headers).status_code == 200
    assert form_of(client, uuid).texts["transmission_chunk_size"] == "1"


VALUES = [
    ("only", 1),
    *[("mixed", each) for each in (1, "a, b", "c or d", -3, True)],
    ("size", 2),
    ("colour", "red, warm"),
    ("colour", "blue or so"),
    ("strict", False),
    ("below", -40),
    ("share", -0.25),
    ("share", 3),
    ("on", False),
    ("tri", True),
    ("tri", False),
    ("day", "2026-02-28"),
    ("who", "3fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e3333"),
    ("colours", ["blue or so", "red, warm"]),
    ("numbers", [-1, 0, 12]),
    ("words", ["a", "b"]),
    ("words", ["a, b", "[c", " d "]),
    ("nested", [["a, b"], [], ["<b>"]]),
    ("mapping", {"a": [1, -2]}),
    ("either", "5"),
    ("either", True),
    ("either", 'say "x" & <y>'),
    ("anything", {"a": [None, 1.5]}),
    ("anything", "12"),
]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_what_the_rest_api_stored_is_shown_and_stays_when_the_form_is_saved_untouched(
    client: TestClient, add: Callable[..., str], headers: dict[str, str], name: str, value: Any
) -> None:
    uuid = add("EVERY", **{name: value})
    before = stored(client, uuid, headers)
    assert before["fields"] == {name: value}
    assert post(client, uuid).status_code == 303
    assert stored(client, uuid, headers) == before


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_what_the_form_of_one_configuration_shows_can_be_typed_into_anothers(
    client: TestClient, add: Callable[..., str], headers: dict[str, str], name: str, value: Any
) -> None:
    text = form_of(client, add("EVERY", **{name: value})).texts[name]
    other = add("EVERY")
    if name in form_of(client, other).options:
        assert text in form_of(client, other).options[name]
    assert post(client, other, **{name: text}).status_code == 303
    found = stored(client, other, headers)
    assert found["fields"] == {name: value}
    assert type(found["fields"][name]) is type(value)
    assert client.get(f"{API}/{other}/validity", headers=headers).json()["valid"]


def test_a_form_that_nobody_touched_changes_nothing(
    client: TestClient, add: Callable[..., str], headers: dict[str, str]
) -> None:
    uuid = add("EVERY")
    assert post(client, uuid).status_code == 303
    found = stored(client, uuid, headers)
    assert (found["fields"], found["version"]) == ({}, 1)


def test_a_value_that_cannot_be_used_stays_in_the_form_with_its_fault(
    client: TestClient, add: Callable[..., str], headers: dict[str, str]
) -> None:
    uuid = add("EVERY")
    assert client.post(f"{API}/{uuid}/activate", headers=headers).status_code == 200
    refused = post(client, uuid, below="a few", mapping="{oops", numbers="1, many")
    assert refused.status_code == 422
    shown = Form(refused.text).texts
    assert (shown["below"], shown["mapping"], shown["numbers"]) == ("a few", "{oops", "1\r\nmany")
    assert refused.text.count('<p class="fault">') == 3
    assert stored(client, uuid, headers)["fields"] == {}


def test_a_secret_is_never_shown_and_stays_when_it_is_left_empty(
    client: TestClient, add: Callable[..., str], headers: dict[str, str]
) -> None:
    uuid = add("EVERY", token="CANARY-1")
    page = client.get(f"{CONSOLE}/{uuid}").text
    assert "CANARY-1" not in page
    assert 'placeholder="set; leave empty to keep it"' in page
    assert post(client, uuid).status_code == 303
    assert stored(client, uuid, headers)["version"] == 1
    assert post(client, uuid, token="[CANARY-2]").status_code == 303
    found = stored(client, uuid, headers)
    assert (found["version"], found["secrets_set"]) == (2, ["token"])
    assert "CANARY" not in client.get(f"{CONSOLE}/{uuid}").text


def test_the_rest_api_describes_types_as_data(client: TestClient, headers: dict[str, str]) -> None:
    rows = client.get("/api/v1/channels/EVERY", headers=headers).json()["fields"]
    values = {row["name"]: row["value"] for row in rows}
    assert values["only"] == {"kind": "choice", "nullable": True, "choices": [1], "item": None, "options": []}
    assert values["mixed"]["choices"] == ["1", 1, "a, b", "c or d", -3, True]
    assert values["colours"]["item"]["choices"] == ["red, warm", "blue or so"]
    assert [option["kind"] for option in values["either"]["options"]] == ["whole number", "text", "yes or no"]
    assert {row["name"]: row["type"] for row in rows}["numbers"] == "list of whole number"
