"""Gives items up for good when the LMS refuses the token."""

import coursewire as cw
from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    try:
        return [await send(session, payload, "courses", payload.remote_key) for payload in batch.payloads]
    except cw.CredentialsError as error:
        return [cw.Result(cw.ResultKind.REJECTED, "credentials", str(error))] * len(batch)


CAUGHT_BY = ("test_refused_credentials_settle_nothing", "items were settled by refused credentials")
