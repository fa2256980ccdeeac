"""User name and password, and headers beside them, on every request."""

import httpx
from pydantic import SecretStr

from coursewire_xapi.auth import BasicAuth


def test_both_are_on_every_request_and_the_password_is_in_no_repr():
    auth = BasicAuth("a user", SecretStr("a pass:word"), {"X-Version": "1.0.3"})
    seen = []

    def answer(request):
        seen.append((request.headers["Authorization"], request.headers["X-Version"]))
        return httpx.Response(200)

    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        client.get("https://lrs.example.com/statements")
        client.post("https://lrs.example.com/statements", json=[])

    assert seen == [("Basic YSB1c2VyOmEgcGFzczp3b3Jk", "1.0.3")] * 2
    assert "a pass:word" not in f"{auth!r} {vars(auth)}"
    assert "YSB1c2VyOmEgcGFzczp3b3Jk" not in f"{auth!r} {vars(auth)}"
