"""Statements, as pure functions: golden pairs, identifiers, numbers, times, languages."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from coursewire.errors import NotExportableError
from coursewire.model.outcomes import Completion, EnrollmentReport
from coursewire_xapi import plugin
from coursewire_xapi.outcomes import (
    activity_id,
    export_completion,
    export_enrollment,
    instant,
    voiding,
)
from coursewire_xapi.simulated_rules import faults

GOLDEN = sorted((Path(__file__).parent / "golden").rglob("*.json"))
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden_pair(path, config_of):
    pair = json.loads(path.read_text())
    config = config_of(**pair["config"])
    if "completion" in pair:
        made = export_completion(config, Completion.model_validate(pair["completion"]))
    else:
        made = export_enrollment(config, EnrollmentReport.model_validate(pair["enrollment"]))
    assert made == pair["payload"]
    if "id" in made:
        assert faults(made, NOW) == []


class TestIds:
    def test_the_same_in_another_process(self, config_of, completion):
        script = (
            "import sys, json\n"
            "from coursewire.model.outcomes import Completion\n"
            "from coursewire_xapi.config import XapiConfig\n"
            "from coursewire_xapi.outcomes import export_completion\n"
            "config, completion = json.loads(sys.argv[1])\n"
            "made = export_completion(XapiConfig(**config), Completion(**completion))\n"
            "print(made['id'])\n"
        )
        config, told = config_of(), completion()
        given = [
            {**config.model_dump(mode="json", exclude={"pseudonym_key"}), "secret": "x"},
            told.model_dump(mode="json"),
        ]
        ended = subprocess.run(
            [sys.executable, "-c", script, json.dumps(given)], capture_output=True, text=True, check=True
        )
        assert ended.stdout.strip() == export_completion(config, told)["id"]

    def test_they_are_of_version_5(self, config_of, completion, report):
        for made in (
            export_completion(config_of(), completion()),
            export_enrollment(config_of(), report()),
        ):
            assert UUID(made["id"]).version == 5
            assert UUID(made["context"]["registration"]).version == 5

    def test_one_for_each_fact(self, config_of, completion, report):
        config = config_of()
        facts = [
            completion(),
            completion(percent="0.91"),
            completion(percent=None),
            completion(verdict="Fail"),
            completion(completed_at="2026-03-02T09:15:01Z"),
            completion(enrollment_id="e2"),
            completion(remote_id="E-4418"),
            completion(course_run_key="course-v1:FarmU+SOIL101+2026_T2"),
        ]
        ids = {export_completion(config, each)["id"] for each in facts}
        ids |= {
            export_enrollment(config, each)["id"]
            for each in (report(), report(active=False), report(enrolled_at="2026-01-13T08:30:00Z"))
        }
        assert len(ids) == len(facts) + 3

    def test_words_make_no_other_fact(self, config_of, completion, report):
        config, course = config_of(), {"title": "Renamed", "language": "de"}
        for make, build in ((completion, export_completion), (report, export_enrollment)):
            assert build(config, make())["id"] == build(config, make(course=course))["id"]
        assert (
            export_enrollment(config, report())["id"] == export_enrollment(config, report(mode="audit"))["id"]
        )

    def test_the_same_grade_in_other_digits(self, config_of, completion):
        config = config_of()
        one, two = (export_completion(config, completion(percent=each)) for each in ("0.870", "0.87"))
        assert one == two

    def test_the_same_instant_in_another_zone(self, config_of, completion):
        config = config_of()
        told = completion(completed_at="2026-03-02T10:15:00+01:00")
        assert export_completion(config, told) == export_completion(config, completion())

    def test_a_voiding_statement_is_always_the_same(self, config_of):
        target = "dd3a8828-b8da-5f73-949b-9b6efde20e67"
        one, two = voiding(config_of(), target), voiding(config_of(), target)
        assert one == two
        assert one["object"] == {"objectType": "StatementRef", "id": target}
        assert faults(one, NOW) == []


class TestActors:
    def actor(self, config, completion):
        return export_completion(config, completion)["actor"]

    def test_a_remote_id_with_colons_is_whole(self, config_of, completion):
        made = self.actor(config_of(), completion(remote_id="saml:acme:E:1"))
        assert made["account"]["name"] == made["name"] == "saml:acme:E:1"

    def test_the_home_page_of_the_site_where_none_is_set(self, config_of, completion):
        made = self.actor(config_of(account_home_page=""), completion())
        assert made["account"]["homePage"] == "https://learn.example.org"

    def test_an_id_that_looks_like_an_address_stays_an_account(self, config_of, completion):
        made = self.actor(config_of(), completion(remote_id="ada@idp.example.com"))
        assert made["account"]["name"] == "ada@idp.example.com"

    def test_the_address_where_there_is_no_id(self, config_of, completion):
        made = self.actor(config_of(), completion(remote_id="ada@example.com", remote_id_origin="email"))
        assert made == {"objectType": "Agent", "mbox": "mailto:ada@example.com"}

    def test_a_pseudonym_tells_nothing_and_is_always_the_same(self, config_of, completion):
        config = config_of(actor="pseudonym", pseudonym_key="0123456789abcdef")
        made = self.actor(config, completion())
        assert made == self.actor(config, completion(email="changed@example.com"))
        assert set(made) == {"objectType", "account"}
        assert "E-4417" not in str(made)
        other = config_of(actor="pseudonym", pseudonym_key="fedcba9876543210")
        assert self.actor(other, completion()) != made

    @pytest.mark.parametrize("address", ["", "None", "ada", "@example.com", "ada@", "a b@example.com"])
    @pytest.mark.parametrize("form", ["mbox", "mbox_sha1sum"])
    def test_no_address_no_statement(self, config_of, completion, form, address):
        told = completion(remote_id=address, remote_id_origin="email")
        with pytest.raises(NotExportableError, match="email"):
            export_completion(config_of(actor=form), told)

    def test_odd_addresses_are_kept(self, config_of, completion):
        for address in ("o'brien+x@example.com", "ädä@exämple.example"):
            told = completion(remote_id=address, remote_id_origin="email")
            assert self.actor(config_of(actor="mbox"), told)["mbox"] == f"mailto:{address}"


def test_no_grade_is_not_zero(config_of, completion):
    assert "score" not in export_completion(config_of(), completion(percent=None))["result"]
    assert export_completion(config_of(), completion(percent="0"))["result"]["score"]["raw"] == 0


def test_instants():
    assert instant(datetime.fromisoformat("2026-03-02T10:15:00.123456+01:00")) == "2026-03-02T09:15:00.123Z"
    assert instant(None) == ""


def test_activity_ids_are_iris(config_of):
    config = config_of(site_domain="Learn.Example.org:8443")
    assert activity_id(config, "course", "Org+C<1> 2/ü") == (
        "https://learn.example.org:8443/xapi/activities/course/Org+C%3C1%3E%202/ü"
    )


def test_nothing_is_null_anywhere(config_of, completion, report):
    bare = {"course": {}, "content_key": None}
    for made in (
        export_completion(config_of(), completion(**bare, percent=None)),
        export_enrollment(config_of(), report(**bare, enrolled_at=None)),
    ):
        assert "null" not in json.dumps(made)
        assert faults(made, NOW) == []


def test_an_address_of_the_course_that_is_none_is_left_out(config_of, completion):
    for url in ("not an address", "javascript:alert(1)", "https://a b"):
        made = export_completion(config_of(), completion(course={"title": "T", "url": url}))
        assert "moreInfo" not in made["object"]["definition"]


class TestWhatGoesAgain:
    def ask(self, config, outcome, record):
        return plugin.should_transmit(config=config, outcome=outcome, record=record)

    def test_the_same_fact_does_not(self, config_of, completion, report):
        config = config_of()
        assert self.ask(config, completion(), export_completion(config, completion())) is False
        assert self.ask(config, report(), export_enrollment(config, report())) is False

    def test_of_another_fact_core_decides(self, config_of, completion, report):
        config = config_of()
        record = export_completion(config, completion())
        assert self.ask(config, completion(percent="0.9"), record) is None
        assert self.ask(config, completion(complete=False), record) is None
        assert self.ask(config, report(active=False), export_enrollment(config, report())) is None
        assert self.ask(config, completion(), None) is None
        voided = export_completion(config, completion(complete=False))
        assert self.ask(config, completion(), voided) is None
