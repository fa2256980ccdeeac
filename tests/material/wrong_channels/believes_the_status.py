"""Takes a 200 with an error inside for an acknowledgement."""

from coursewire_acme.plugin import *


@cw.hookimpl
async def send_content(session, batch):
    results = []
    for payload in batch.payloads:
        path, retire = cw.quoted_path("api", "courses", payload.remote_key), payload.operation is cw.Operation.RETIRE
        response = await (session.delete(path) if retire else session.put(path, json=payload.body))
        gone = retire and response.status_code == 404
        kind = cw.Result(cw.ResultKind.ALREADY_SO) if gone else cw.result_from(response, now=session.clock())
        results.append(kind)
    return results


CAUGHT_BY = ("test_no_answer_passes_for_an_acknowledgement", "'200 with error body' counts as an acknowledgement")
