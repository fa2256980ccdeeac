"""A token that a person gives: on every request, shown nowhere."""

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from coursewire.errors import CredentialsError
from coursewire.http.urls import quoted_path
from coursewire.toolkit.auth import BearerAuth


def test_the_token_is_on_every_request_and_in_no_repr(kit, lms, time):
    auth = BearerAuth(SecretStr("given-token"))

    async def main():
        async with kit.draft(lms.url, time) as session:
            await session.get("items", auth=auth)
            return await session.post("items", json={}, auth=auth)

    assert asyncio.run(main()).is_success
    assert [headers["Authorization"] for headers in lms.headers_seen] == ["Bearer given-token"] * 2
    assert "given-token" not in f"{auth!r} {vars(auth)}"


def test_a_token_that_is_refused_is_not_tried_again(kit, lms, time):
    lms.answer = lambda _request: lms_refuses()

    async def main():
        async with kit.draft(lms.url, time) as session:
            await session.get("items", auth=BearerAuth(SecretStr("given-token")))

    with pytest.raises(CredentialsError):
        asyncio.run(main())
    assert len(lms.seen) == 1


def lms_refuses():
    from coursewire.testing.simulator import json_response

    return json_response({"error": "who are you?"}, status=401)


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("api", "courses", "RiverU+BOT101"), "/api/courses/RiverU%2BBOT101"),
        (("a", "x/../y?z#%"), "/a/x%2F..%2Fy%3Fz%23%25"),
        (("a", "植物"), "/a/%E6%A4%8D%E7%89%A9"),
    ],
)
def test_a_key_stays_within_its_part_of_the_path(parts, path):
    assert quoted_path(*parts) == path
    assert httpx.URL(f"https://lms.example.com{path}").raw_path.decode() == path
