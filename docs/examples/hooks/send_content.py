"""In a run over content, once for each batch, after its items are written down as *sending*. Up to
`limits.concurrency` batches of one configuration are under way at once. What it raises or answers is written down
when it returns; if the process dies in between, the next run settles the items by what the channel declares.

Answer for every payload, in the order of the batch. Core retries, waits, renews tokens and keeps to the rates: the hook
sends each request once and says what the answer means."""

import coursewire as cw


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """One bulk call. Only a course that the answer names with `ok` has arrived."""
    courses = [{"id": each.remote_key, **each.body} for each in batch.payloads]
    response = await session.put("/api/courses", json={"courses": courses})
    told = cw.rows_by(response, "results", by="id")
    return [_read(response, told.get(each.remote_key), session) for each in batch.payloads]


def _read(response, row, session) -> cw.Result:
    if not response.is_success:
        return cw.result_from(response, now=session.clock(), batch_refused=True)
    if row is None:  # HTTP 200, and not a word about this course
        return cw.Result(cw.ResultKind.TRY_LATER, "no-acknowledgement", http_status=response.status_code)
    if row.get("ok") is True:
        return cw.Result(
            cw.ResultKind.ACCEPTED, remote_id=str(row["number"]), http_status=response.status_code
        )
    return cw.Result(
        cw.ResultKind.REJECTED, "invalid", str(row.get("error")), http_status=response.status_code
    )
