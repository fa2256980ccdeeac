"""What a call must bring."""

import pytest

import coursewire as cw
from coursewire_cornerstone.inbound import require_parameters


def test_what_must_be_given_comes_in_the_order_of_its_names():
    assert require_parameters({"a": "1", "b": "2", "c": ""}, "b", "a") == ["2", "1"]
    for wrong in ("c", "d"):
        with pytest.raises(cw.InboundRefusal, match=f"{wrong} is missing") as refusal:
            require_parameters({"a": "1", "c": ""}, "a", wrong)
        assert refusal.value.status == 400
