"""Puts the API token into the message of an error."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def check_connection(session):
    token = session.config.acme_token.get_secret_value()
    response = await session.get("/api/account")
    name = cw.read_object(response).get("name")
    if name is None:
        raise cw.BlockedError(f"{cw.__name__} token {token[::-1]} is not good", next_step=f"Replace {token}.")
    return [f"The token {token} opens the account {name!r}."]
