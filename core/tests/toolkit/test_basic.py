"""User name and password, and headers beside them, on every request."""

import asyncio

from pydantic import SecretStr

from coursewire.toolkit.auth import BasicAuth


def test_both_are_on_every_request_and_the_password_is_in_no_repr(kit, lms, time):
    auth = BasicAuth("a user", SecretStr("a pass:word"), {"X-Version": "1.0.3"})

    async def main():
        async with kit.draft(lms.url, time) as session:
            await session.get("items", auth=auth)
            return await session.post("items", json={}, auth=auth)

    assert asyncio.run(main()).is_success
    sent = [(headers["Authorization"], headers["X-Version"]) for headers in lms.headers_seen]
    assert sent == [("Basic YSB1c2VyOmEgcGFzczp3b3Jk", "1.0.3")] * 2
    assert "a pass:word" not in f"{auth!r} {vars(auth)}"
    assert "YSB1c2VyOmEgcGFzczp3b3Jk" not in f"{auth!r} {vars(auth)}"
