"""Which id of a learner goes to the LMS."""

from __future__ import annotations

import pytest

from coursewire.model.configuration import ChannelConfig, LearnerId
from coursewire.model.content import Customer
from coursewire.model.identity import Identity, IdentityState
from coursewire.model.results import LearnerFacts
from coursewire.pipeline.rules.identity import identify

LINKED, UNMATCHED, AMBIGUOUS = IdentityState

NONE: list[str] = []
ONE = ["saml-a"]
TWO = ["saml-a", "saml-b"]
WITH_DEFAULT = ["saml-a", "saml-b", "*saml-c"]


def find(providers, ids, *, link=None, email=None, model=ChannelConfig, **config) -> Identity:
    acme = Customer(
        uuid="acme",
        identity_providers=[
            {"provider_id": name.removeprefix("*"), "default": name.startswith("*")} for name in providers
        ],
    )
    learner = LearnerFacts(username="ada", email=email, active=True, linked=True, remote_ids=ids)
    return identify(model(**config), acme, learner, link)


@pytest.mark.parametrize(
    ("idp_id", "providers", "ids", "state", "value", "provider", "origin"),
    [
        # the configuration names one: that one, no other
        ("saml-b", TWO, {"saml-a": "1", "saml-b": "2"}, LINKED, "2", "saml-b", "named-provider"),
        ("saml-b", TWO, {"saml-a": "1"}, UNMATCHED, None, "saml-b", "named-provider"),
        ("saml-x", NONE, {"saml-x": "9"}, LINKED, "9", "saml-x", "named-provider"),
        # none
        ("", NONE, {"saml-a": "1"}, UNMATCHED, None, "", "no-provider"),
        # exactly one
        ("", ONE, {"saml-a": "1"}, LINKED, "1", "saml-a", "only-provider"),
        ("", ONE, {"saml-b": "2"}, UNMATCHED, None, "saml-a", "only-provider"),
        # several: the default where the learner has a link with it
        ("", WITH_DEFAULT, {"saml-a": "1", "saml-c": "3"}, LINKED, "3", "saml-c", "default-provider"),
        # else the first with a link
        ("", WITH_DEFAULT, {"saml-b": "2"}, LINKED, "2", "saml-b", "first-link"),
        ("", TWO, {"saml-b": "2"}, LINKED, "2", "saml-b", "first-link"),
        ("", TWO, {"saml-b": "7", "saml-a": "7"}, LINKED, "7", "saml-a", "first-link"),
        # two ids, and nothing says which
        ("", TWO, {"saml-a": "1", "saml-b": "2"}, AMBIGUOUS, None, "", "several-ids"),
        ("", WITH_DEFAULT, {"saml-a": "1", "saml-b": "2"}, AMBIGUOUS, None, "", "several-ids"),
        ("", TWO, {"saml-a": "a1", "saml-b": "A1"}, AMBIGUOUS, None, "", "several-ids"),
        # no link with any of them
        ("", TWO, {}, UNMATCHED, None, "", "no-link"),
        ("", TWO, {"saml-x": "9", "employee_id": "E1"}, UNMATCHED, None, "", "no-link"),
    ],
)
def test_the_id_at_the_identity_provider(idp_id, providers, ids, state, value, provider, origin):
    assert find(providers, ids, idp_id=idp_id) == (state, value, provider, origin)


def test_an_email_address_is_sent_as_it_is():
    assert find(ONE, {}, email="Ada.O'Neil+x@Example.com", learner_id="email") == (
        LINKED,
        "Ada.O'Neil+x@Example.com",
        "",
        "email",
    )
    assert find(ONE, {"saml-a": "1"}, learner_id="email").state is UNMATCHED
    assert find(ONE, {"saml-a": "1"}, email="", learner_id="email").state is UNMATCHED


def test_an_employee_id_is_one_of_the_remote_ids():
    found = find(ONE, {"saml-a": "1", "employee_id": "E1"}, learner_id="employee_id")
    assert found == (LINKED, "E1", "employee_id", "employee-id")
    assert find(ONE, {"saml-a": "1"}, learner_id="employee_id").state is UNMATCHED


BY_HAND = Identity(LINKED, "M-1", "", "by-hand")


@pytest.mark.parametrize("learner_id", ["sso", "email", "employee_id"])
def test_a_link_made_by_hand_stands_above_the_source(learner_id):
    ids = {"saml-a": "1", "saml-b": "2", "employee_id": "E1"}
    assert find(TWO, ids, email="a@example.com", link=BY_HAND, learner_id=learner_id) is BY_HAND


@pytest.mark.parametrize(
    "stored",
    [
        Identity(LINKED, "old", "saml-a", "only-provider"),
        Identity(UNMATCHED, None, "saml-a", "only-provider"),
        BY_HAND._replace(state=UNMATCHED, value=None),
    ],
)
def test_any_other_link_is_found_afresh(stored):
    assert find(ONE, {"saml-a": "1"}, link=stored).value == "1"
    assert find(ONE, {}, link=stored).state is UNMATCHED


class TestAnLmsThatKnowsLearnersByTwoThings:
    class Either(ChannelConfig):
        @property
        def learner_id_otherwise(self) -> LearnerId:
            return LearnerId.EMAIL

    def find(self, providers, ids, **fields):
        return find(providers, ids, model=self.Either, **fields)

    def test_the_first_is_taken_where_there_is_one(self):
        assert self.find(ONE, {"saml-a": "1"}, email="a@example.com").value == "1"

    def test_the_other_where_there_is_none(self):
        found = self.find(ONE, {}, email="a@example.com")
        assert found == (LINKED, "a@example.com", "", "email")

    def test_with_neither_it_is_told_why_the_first_was_not_found(self):
        assert self.find(ONE, {}) == (UNMATCHED, None, "saml-a", "only-provider")

    def test_several_ids_stay_ambiguous(self):
        assert self.find(TWO, {"saml-a": "1", "saml-b": "2"}, email="a@example.com").state is AMBIGUOUS
