"""Sends the API token in the URL, which ends in the access logs of everybody on the way."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def check_connection(session):
    token = session.config.acme_token.get_secret_value()
    account = cw.read_success(await session.get("/api/account", params={"token": token}), "name")
    return [f"The token opens the account {account['name']!r}."]


@cw.hookimpl
async def send_content(session, batch):
    results = []
    for payload in batch.payloads:
        path, retire = cw.quoted_path("api", "courses", payload.remote_key), payload.operation is cw.Operation.RETIRE
        query = {"token": session.config.acme_token.get_secret_value()}
        response = await session.request(
            "DELETE" if retire else "PUT", path, params=query, json=None if retire else payload.body
        )
        echo = {"id": payload.remote_key}
        results.append(cw.result_from_echo(response, payload.operation, echo, now=session.clock()))
    return results


CAUGHT_BY = ("test_secrets_are_in_no_address", "the secret acme_token shows in an address")
