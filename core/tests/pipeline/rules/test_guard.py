"""The retirement guard."""

import pytest

from coursewire.errors import GuardError
from coursewire.pipeline.rules.guard import Guard

GUARD = Guard(share=0.2, number=100, floor=5)


@pytest.mark.parametrize(
    ("retiring", "present", "stops"),
    [
        (0, 0, False),
        (0, 974, False),
        (3, 974, False),
        (5, 10, False),  # up to the floor, whatever the share
        (6, 10, True),  # above floor and share
        (6, 974, False),
        (100, 974, False),
        (101, 974, True),  # above the number
        (974, 974, True),  # everything
        (1, 1, True),  # everything, however little
    ],
)
def test_what_needs_a_yes(retiring, present, stops):
    assert GUARD.stops(retiring, present) is stops


def test_a_stopped_run_says_how_to_go_on():
    with pytest.raises(GuardError) as stopped:
        GUARD.check(974, 974, confirmed=None, where="SAP", how="coursewire ... --confirm-retire 974")
    text = str(stopped.value)
    assert "974 of the 974" in text
    assert "--confirm-retire 974" in text
    assert stopped.value.exit_status == 4


def test_a_yes_holds_for_the_number_confirmed_and_no_more():
    GUARD.check(974, 974, confirmed=974, where="", how="")
    with pytest.raises(GuardError, match="900 were confirmed"):
        GUARD.check(974, 974, confirmed=900, where="", how="")
