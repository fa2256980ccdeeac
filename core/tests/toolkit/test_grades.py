"""Grades for LMSs that hold nothing else of a completion."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from coursewire.errors import NotExportableError
from coursewire.toolkit.grades import final_grade, learner_of


def completion(**fields):
    return SimpleNamespace(**{"complete": True, "percent": Decimal("0.85"), "remote_id": "pat", **fields})


def config(*, in_progress=False):
    return SimpleNamespace(send_in_progress=in_progress)


def test_a_completed_course_has_its_grade_and_zero_is_one():
    assert final_grade(config(), completion()) == Decimal("0.85")
    assert final_grade(config(), completion(percent=Decimal(0))) == 0


def test_a_course_under_way_has_none_unless_grades_in_progress_are_sent():
    assert final_grade(config(), completion(complete=False)) is None
    assert final_grade(config(), completion(complete=False, percent=None)) is None
    assert final_grade(config(in_progress=True), completion(complete=False)) == Decimal("0.85")


@pytest.mark.parametrize("complete", [True, False])
def test_a_grade_that_should_be_there_and_is_unknown_is_named(complete):
    with pytest.raises(NotExportableError) as caught:
        final_grade(config(in_progress=True), completion(complete=complete, percent=None))
    assert caught.value.field == "percent"


@pytest.mark.parametrize("remote_id", [None, ""])
def test_a_learner_whom_the_lms_does_not_know_is_named(remote_id):
    assert learner_of(completion()) == "pat"
    with pytest.raises(NotExportableError) as caught:
        learner_of(completion(remote_id=remote_id))
    assert caught.value.field == "remote_id"
    assert "learners link" in str(caught.value)
