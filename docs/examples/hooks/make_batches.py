"""In the sending part of every run, once for each page of payloads that are due, grouped by operation unless the channel
declares `mixed_operations`. Every payload must come back in exactly one batch, in its order; core holds the
answer to that.

Core's default fills batches up to the limits of the channel and the configuration. Few channels need another rule."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import coursewire as cw


@cw.hookimpl
def make_batches(config, kind, operation, payloads: Sequence[cw.Payload]) -> Iterator[cw.Batch] | None:
    """Results of one course travel together, thirty at most. For content: no answer, so core's default."""
    if kind is cw.Kind.CONTENT:
        return None
    return _by_course(config.transmission_chunk_size or 30, operation, payloads)


def _by_course(size, operation, payloads):
    for _, group in groupby(payloads, key=lambda payload: payload.body["course"]):
        members = tuple(group)
        for start in range(0, len(members), size):
            yield cw.Batch(operation, members[start : start + size])
