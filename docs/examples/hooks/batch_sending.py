"""For every batch, right before its request leaves; its items are written down as *sending* by then, and what is held
back is put back. It may be asked again about the same items: in the next run about those that were held back, and in this
one when a batch is split."""

from dataclasses import replace

from coursewire import hookimpl


@hookimpl(wrapper=True)
def batch_sending(batch):
    """Hold back what the editors have not released yet."""
    batch = yield
    ready = tuple(payload for payload in batch.payloads if "DRAFT" not in payload.key)
    return replace(batch, payloads=ready) if ready else None
