"""The gates before a result leaves: each alone, their order, and the states of consent."""

from __future__ import annotations

import pytest

from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import Customer
from coursewire.model.results import Consent, ConsentState, CourseFacts, EnrollmentFacts, LearnerFacts
from coursewire.pipeline.rules.consent import consent_gate, gate

ASKS = {"enable_data_sharing_consent": True, "enforce_data_sharing_consent": "at_enrollment"}
MANAGES = {"enable_data_sharing_consent": True, "enforce_data_sharing_consent": "externally_managed"}
OFF = {"enable_data_sharing_consent": False}
OFF_MANAGED = {**MANAGES, "enable_data_sharing_consent": False}

GRANTED, IMPLIED, REFUSED, UNANSWERED, UNKNOWN = ConsentState


def customer(**settings) -> Customer:
    return Customer(uuid="acme", **settings)


def enrollment(
    consent=GRANTED, mode="verified", is_active=True, course_key="C", **learner
) -> EnrollmentFacts:
    return EnrollmentFacts(
        id="e1",
        customer="acme",
        learner=LearnerFacts(
            **({"username": "ada", "email": None, "active": True, "linked": True} | learner)
        ),
        course=CourseFacts(course_key=course_key, run_key="R"),
        mode=mode,
        is_active=is_active,
        created_at=None,
        consent=Consent(consent),
    )


def test_all_gates_open():
    assert gate(customer(), enrollment(), ChannelConfig()) is None


GATES = [
    ("learner-pending", {"pending": True}),
    ("learner-unlinked", {"linked": False}),
    ("learner-inactive", {"active": False}),
    ("unenrolled", {"is_active": False}),
    ("consent-refused", {"consent": REFUSED}),
    ("audit-reporting-off", {"mode": "audit"}),
    ("course-unknown", {"course_key": None}),
]


@pytest.mark.parametrize("first", range(len(GATES)))
def test_the_first_closed_gate_is_the_reason(first):
    closed = {name: value for _, gate_ in GATES[first:] for name, value in gate_.items()}
    assert gate(customer(), enrollment(**closed), ChannelConfig()) == GATES[first][0]
    alone = enrollment(**GATES[first][1])
    assert gate(customer(), alone, ChannelConfig()) == GATES[first][0]


def test_inactive_learners_where_the_configuration_wants_them():
    wants = ChannelConfig(include_inactive_learners=True)
    assert gate(customer(), enrollment(active=False), wants) is None
    assert gate(customer(), enrollment(active=False, linked=False), wants) == "learner-unlinked"


@pytest.mark.parametrize(
    ("enrolls", "reports", "mode", "reason"),
    [
        (True, True, "audit", None),
        (True, True, "honor", None),
        (True, False, "audit", "audit-reporting-off"),
        (False, True, "audit", "audit-reporting-off"),
        (False, True, "honor", "audit-reporting-off"),
        (False, False, "audit", "audit-reporting-off"),
        (True, True, "verified", None),
        (True, False, "verified", None),
        (False, True, "verified", None),
        (False, False, "verified", None),
    ],
)
def test_the_audit_switches(enrolls, reports, mode, reason):
    acme = customer(enable_audit_enrollment=enrolls, enable_audit_data_reporting=reports)
    assert gate(acme, enrollment(mode=mode), ChannelConfig()) == reason


@pytest.mark.parametrize(
    ("settings", "state", "reason"),
    [
        # granted by the learner counts everywhere
        (ASKS, GRANTED, None),
        (MANAGES, GRANTED, None),
        (OFF, GRANTED, None),
        # implied counts as long as the customer manages consent itself
        (MANAGES, IMPLIED, None),
        (ASKS, IMPLIED, "consent-unanswered"),
        (OFF, IMPLIED, "consent-unanswered"),
        (OFF_MANAGED, IMPLIED, "consent-unanswered"),
        # everything else lets nothing leave, whatever the customer's settings
        (ASKS, REFUSED, "consent-refused"),
        (MANAGES, REFUSED, "consent-refused"),
        (OFF, REFUSED, "consent-refused"),
        (ASKS, UNANSWERED, "consent-unanswered"),
        (MANAGES, UNANSWERED, "consent-unanswered"),
        (OFF, UNANSWERED, "consent-unanswered"),
        (ASKS, UNKNOWN, "consent-unknown"),
        (MANAGES, UNKNOWN, "consent-unknown"),
        (OFF, UNKNOWN, "consent-unknown"),
    ],
)
def test_consent(settings, state, reason):
    assert consent_gate(customer(**settings), Consent(state)) == reason
    assert gate(customer(**settings), enrollment(consent=state), ChannelConfig()) == reason
