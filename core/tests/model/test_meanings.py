"""One table says how good or bad a state is, for the command line and the console alike."""

import pytest

from coursewire.cli.output import STYLES
from coursewire.model.meanings import MEANINGS, Meaning, meaning_of
from coursewire.model.payload import Operation, ResultKind
from coursewire.plugins.registry import LoadState
from coursewire.service.console.words import colour_of
from coursewire.storage.audit.jobs import JobState
from coursewire.storage.audit.states import State

WORDS = [each.value for kind in (State, ResultKind, JobState, LoadState, Operation) for each in kind]


@pytest.mark.parametrize("word", WORDS)
def test_every_state_and_result_has_a_meaning_and_a_colour_on_both_surfaces(word):
    assert meaning_of(word) is MEANINGS[word]
    assert STYLES[word]
    assert colour_of(word)


def test_what_waits_to_be_fetched_waits():
    assert meaning_of("offered") is Meaning.WAITING
    assert colour_of("offered") == "wait"


def test_a_state_may_have_more_behind_it_and_other_texts_mean_nothing():
    assert meaning_of("draft: token is missing") is Meaning.ATTENTION
    assert meaning_of("released") is None
    assert colour_of("released") == ""
