"""Once in every process, when the channel is loaded, before any of its other hooks. Core keeps the answer: what it
declares decides how the channel is called, and nothing of it can change while the process lives.

Capabilities and limits are promises. Core never tries out what a channel does not declare, and the conformance suite
checks what it does. Every one, with its default and what it is for: [capabilities and limits](../capabilities.md).

`limits.rates` is what the vendor allows. `counted_by` is for readers; core counts by the configuration's `limit_scope`, which is the host of
the LMS. Where the vendor counts by client, override it: a property that returns `f"{super().limit_scope} {cw.digest(self.client_id, 16)}"`.
A second customer with a client of its own then has a rate of its own, and two with the same client share one."""

import coursewire as cw


class LighthouseConfig(cw.ChannelConfig):
    """Settings of one customer."""

    lighthouse_url: cw.LmsUrl
    """Address of the customer's Lighthouse, such as https://school.lighthouse.example."""
    lighthouse_token: cw.Secret
    """API token of a user who may manage courses."""
    region: str = "eu"
    """Where the customer's learners are."""


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """Courses and completions, thirty in a batch; two requests a second."""
    return cw.Channel(
        code="LIGHTHOUSE",
        title="Lighthouse",
        requires_api=">=2.0,<3",
        config=LighthouseConfig,
        capabilities=cw.Capabilities(
            completions=cw.Support.FULL,
            retire_strategies=(cw.RetireStrategy.HIDE,),
            idempotency=cw.Idempotency.UPSERT,
            outcome_idempotency=cw.Idempotency.UPSERT,
            raise_grade=cw.Support.FULL,
            lower_grade=cw.Support.FULL,
            revoke=cw.Support.FULL,
            list_inactive_learners=cw.Support.FULL,
        ),
        limits=cw.Limits(
            batch_items=30, outcome_batch_items=30, rates={"default": cw.Rate(calls=2, seconds=1)}
        ),
    )
