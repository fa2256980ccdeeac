"""A field of the source that a channel cannot read is named; what no single field explains stays the channel's fault."""

import pytest

from coursewire.errors import ContractError, NotExportableError
from coursewire.hooks import hookimpl
from coursewire.model.channel import Channel
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment, utc_now
from coursewire.plugins.hook_caller import HookCaller, Plugin
from coursewire.plugins.wrong_field import MOST_ATTEMPTS, find_wrong_field

COURSE = {"content_type": "course", "key": "RiverU+KNOTS", "title": "Knots"}


class Careless:
    """An exporter that trusts the source."""

    @hookimpl
    def export_content(self, item):
        """Build a payload without looking."""
        return {
            "title": item.title,
            "owners": [owner["name"].upper() for owner in item.get("owners", [])],
            "seats": sum(seat["price"] for seat in item.get("seats", [])),
            "hours": [int(run.estimated_hours or 0) for run in item.course_runs],
            "level": item.get("level"),
        }


def exported(**fields):
    channel = Channel(code="LMS", title="An LMS", config=ChannelConfig)
    caller = HookCaller(channel, Plugin("lms 1.0", Careless()))
    return caller.export_content(ChannelConfig(), ContentItem(**COURSE, **fields), Moment(utc_now()), "k")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"owners": [{"name": "A"}, None]}, "owners[1]"),
        ({"owners": None}, "owners"),
        ({"owners": True}, "owners"),
        ({"owners": "River"}, "owners"),
        ({"owners": [{"name": 7}]}, "owners[0]"),
        ({"owners": [None, None]}, "owners"),
        ({"seats": [{"price": "7"}]}, "seats[0]"),
        ({"seats": {"price": 7}}, "seats.price"),
        ({"level": float("nan")}, "level"),
        ({"course_runs": [{"key": "r", "estimated_hours": float("inf")}]}, "course_runs[0].estimated_hours"),
    ],
)
def test_the_part_that_the_channel_cannot_read_is_named(fields, named):
    with pytest.raises(NotExportableError) as caught:
        exported(**fields)
    assert caught.value.field == named
    assert "Correct it at the source." in str(caught.value)
    assert "test_wrong_field.py line" in str(caught.value) or "not plain data" in str(caught.value)


def test_what_no_single_field_explains_is_a_fault_of_the_channel():
    with pytest.raises(ContractError):
        exported(owners=None, seats=None)


def test_a_declared_text_is_at_fault_only_where_its_value_is_refused():
    item = ContentItem(**COURSE, enrollment_url="http://[")

    def export(tried):
        if tried.enrollment_url:
            raise error

    for error, named in (
        (ValueError(), True),
        (UnicodeEncodeError("ascii", "", 0, 1, ""), False),
        (TypeError(), False),
    ):
        assert (find_wrong_field(item, export, error) is not None) is named


def test_the_search_ends_whatever_stands_in_the_item():
    calls = []

    def export(tried):
        calls.append(tried)
        if tried.get("owners"):
            raise TypeError

    found = find_wrong_field(ContentItem(**COURSE, owners=[None] * 5000), export, TypeError())
    assert found.path == "owners"
    assert len(calls) <= MOST_ATTEMPTS


def test_an_item_gives_its_fields_of_the_kind_that_is_asked_for():
    item = ContentItem(
        **COURSE, owners=[None, {"name": "River"}, 5, "x"], video={"src": "v"}, subjects=True, level=5
    )
    assert item.objects("owners") == [{"name": "River"}]
    assert item.objects("video") == [{"src": "v"}]
    assert item.objects("subjects") == item.objects("absent") == []
    assert item.names("owners") == ["River", "x"]
    assert (item.text("title"), item.text("level"), item.text("absent")) == ("Knots", None, None)
