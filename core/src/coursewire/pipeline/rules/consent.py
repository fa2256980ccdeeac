"""The gates that must be open before anything about an enrollment may leave, in this order. Pure.

| gate | closed when | reason |
| --- | --- | --- |
| learner | invited by e-mail, no account yet | ``learner-pending`` |
| learner | does not belong to the customer | ``learner-unlinked`` |
| learner | has another customer selected, and the configuration leaves such learners out | ``learner-inactive`` |
| enrollment | ended, and it is a result that would be sent | ``unenrolled`` |
| consent | refused | ``consent-refused`` |
| consent | asked for, not answered | ``consent-unanswered`` |
| consent | implied, but the customer does not manage consent elsewhere any more | ``consent-unanswered`` |
| consent | nobody knows | ``consent-unknown`` |
| audit track | the customer has not both of its audit switches on | ``audit-reporting-off`` |
| course | the source does not know the run | ``course-unknown`` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursewire.model.reasons import Reason
from coursewire.model.results import AUDIT_MODES, Consent, ConsentState, EnrollmentFacts

if TYPE_CHECKING:
    from coursewire.model.configuration import ChannelConfig
    from coursewire.model.content import Customer

_CLOSED = {
    ConsentState.REFUSED: Reason.CONSENT_REFUSED,
    ConsentState.UNANSWERED: Reason.CONSENT_UNANSWERED,
    ConsentState.UNKNOWN: Reason.CONSENT_UNKNOWN,
}


def gate(
    customer: Customer, facts: EnrollmentFacts, config: ChannelConfig, *, ended_too: bool = False
) -> Reason | None:
    """Tell why nothing of an enrollment may leave: the code of the first closed gate, None when all are open.

    Args:
        customer: The customer that the enrollment belongs to.
        facts: The facts that the source knows of it.
        config: The configuration's settings, which may let in learners who have another customer selected.
        ended_too: The enrollment itself is what is told, so that its end closes no gate.
    """
    learner = facts.learner
    if learner.pending:
        return Reason.LEARNER_PENDING
    if not learner.linked:
        return Reason.LEARNER_UNLINKED
    if not learner.active and not config.include_inactive_learners:
        return Reason.LEARNER_INACTIVE
    if not facts.is_active and not ended_too:
        return Reason.UNENROLLED
    if closed := consent_gate(customer, facts.consent):
        return closed
    if facts.mode in AUDIT_MODES and not reports_audit(customer):
        return Reason.AUDIT_REPORTING_OFF
    return Reason.COURSE_UNKNOWN if facts.course.course_key is None else None


def consent_gate(customer: Customer, consent: Consent) -> Reason | None:
    """Tell why a consent does not let data leave; None when it does. Asked at planning and again at sending."""
    if consent.state is ConsentState.IMPLIED and not implies_consent(customer):
        return Reason.CONSENT_UNANSWERED
    return _CLOSED.get(consent.state)


def implies_consent(customer: Customer) -> bool:
    """Tell whether the customer collects consent itself, so that its learners are never asked."""
    return customer.enable_data_sharing_consent and (
        customer.enforce_data_sharing_consent == "externally_managed"
    )


def reports_audit(customer: Customer) -> bool:
    """Tell whether results of the audit track may leave."""
    return customer.enable_audit_enrollment and customer.enable_audit_data_reporting
