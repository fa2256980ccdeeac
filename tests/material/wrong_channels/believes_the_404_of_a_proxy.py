"""Takes a course for retired when a proxy answers with a page of HTML and status 404."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    return [await send_one(session, payload) for payload in batch.payloads]


async def send_one(session, payload):
    path, retire = cw.quoted_path("api", "courses", payload.remote_key), payload.operation is cw.Operation.RETIRE
    response = await (session.delete(path) if retire else session.put(path, json=payload.body))
    if retire and response.status_code == 404:
        return cw.Result(cw.ResultKind.ALREADY_SO, "already-retired", http_status=404)
    return cw.result_from_echo(response, payload.operation, {"id": payload.remote_key}, now=session.clock())


CAUGHT_BY = ("test_a_404_of_a_proxy_retires_nothing", "a page of HTML with status 404 counts as a retirement")
