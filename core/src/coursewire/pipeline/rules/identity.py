"""The choice of the learner's id that goes to the LMS. Pure: a look at what the source says and at the stored link.

| stored link | ``learner_id`` | what is known | id |
| --- | --- | --- | --- |
| made by hand | any | any | the link's |
| - | ``email`` | an address | the address |
| - | ``employee_id`` | a remote id named ``employee_id`` | that |
| - | ``sso``, ``idp_id`` set | a link with this provider | that |
| - | ``sso`` | the customer has one provider, and a link with it | that |
| - | ``sso`` | several providers, a link with the default one | that |
| - | ``sso`` | several providers, all links with them give one id | that |
| - | ``sso`` | several providers, different ids, none of the default one | ambiguous |
| - | any | anything else, and the channel knows learners by something else, too | by that |
| - | any | anything else | unmatched |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.model.configuration import LearnerId
from coursewire.model.identity import BY_HAND, EMPLOYEE_ID, FROM_LAUNCH, Identity, IdentityState

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import Customer
    from coursewire.model.results import LearnerFacts


def identify(
    config: ChannelConfig, customer: Customer, learner: LearnerFacts, link: Identity | None
) -> Identity:
    """Find the learner's id at this configuration's LMS.

    Args:
        config: The settings, which name the kind of id and may name the identity provider.
        customer: The customer, with its identity providers in their order.
        learner: The learner at this customer.
        link: The link that is stored for the learner and this configuration. Only one made by hand, or brought along
            from the LMS, is looked at: everything else is found afresh.
    """
    if link is not None and link.origin == BY_HAND and link.value:
        return link
    found = _by(config.learner_id, config, customer, learner, link)
    if found.state is IdentityState.UNMATCHED and config.learner_id_otherwise is not None:
        other = _by(config.learner_id_otherwise, config, customer, learner, link)
        return other if other.value else found
    return found


def _by(
    kind: LearnerId, config: ChannelConfig, customer: Customer, learner: LearnerFacts, link: Identity | None
) -> Identity:
    match kind:
        case LearnerId.EMAIL:
            return _found("", learner.email, "email")
        case LearnerId.EMPLOYEE_ID:
            return _found(EMPLOYEE_ID, learner.remote_ids.get(EMPLOYEE_ID), "employee-id")
        case LearnerId.LAUNCH:
            if link is not None and link.origin == FROM_LAUNCH and link.value:
                return link
            return _found("", None, "no-launch")
        case LearnerId.SSO:
            return _by_provider(config.idp_id, customer, learner)


def _by_provider(idp_id: str, customer: Customer, learner: LearnerFacts) -> Identity:
    if idp_id:
        return _found(idp_id, learner.remote_ids.get(idp_id), "named-provider")
    providers = customer.identity_providers
    if not providers:
        return _found("", None, "no-provider")
    if len(providers) == 1:
        only = providers[0].provider_id
        return _found(only, learner.remote_ids.get(only), "only-provider")
    links = {
        one.provider_id: value for one in providers if (value := learner.remote_ids.get(one.provider_id))
    }
    default = next((one.provider_id for one in providers if one.default), "")
    if default in links:
        return _found(default, links[default], "default-provider")
    if len(set(links.values())) > 1:
        return Identity(IdentityState.AMBIGUOUS, None, "", "several-ids")
    first = next(iter(links), "")
    return _found(first, links.get(first), "first-link" if links else "no-link")


def _found(provider: str, value: str | None, origin: str) -> Identity:
    if value:
        return Identity(IdentityState.LINKED, value, provider, origin)
    return Identity(IdentityState.UNMATCHED, None, provider, origin)
