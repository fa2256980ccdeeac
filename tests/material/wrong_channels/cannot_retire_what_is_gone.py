"""Takes it for a failure that a course to be retired is not there any more."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    results = []
    for payload in batch.payloads:
        path, retire = cw.quoted_path("api", "courses", payload.remote_key), payload.operation is cw.Operation.RETIRE
        response = await (session.delete(path) if retire else session.put(path, json=payload.body))
        echo = {"id": payload.remote_key}
        results.append(cw.result_from_echo(response, cw.Operation.UPDATE, echo, now=session.clock()))
    return results


CAUGHT_BY = ("test_retiring_a_missing_item_succeeds", "a retirement of what is gone failed")
