"""Course structures of cmi5: the rules, the texts, the package."""

from __future__ import annotations

import io
import zipfile
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem, CourseRun
from coursewire_xapi.cmi5_format import NAMESPACE, Block, Structure, Unit, described, of_many, of_one, to_zip

TEXT = {"langstring": [{"lang": "en", "text": "Text"}]}


def unit(**fields):
    given = {
        "id": "https://learn.example.org/u",
        "title": TEXT,
        "description": TEXT,
        "url": "https://x.example/u",
    }
    return given | fields


COURSE_ELEMENT = {"id": "https://learn.example.org/c", "title": TEXT, "description": TEXT}

WRONG = {
    "no unit": {"au": []},
    "an id twice": {"au": [unit(), unit()]},
    "the course's id again": {"au": [unit(id="https://learn.example.org/c")]},
    "a blank in an id": {"au": [unit(id="https://learn.example.org/a b")]},
    "an id without a scheme": {"au": [unit(id="learn.example.org/u")]},
    "no language": {"au": [unit(title={"langstring": [{"text": "T"}]})]},
    "an empty language": {"au": [unit(title={"langstring": [{"lang": "", "text": "T"}]})]},
    "an empty text": {"au": [unit(title={"langstring": [{"lang": "en", "text": " "}]})]},
    "no text at all": {"au": [unit(description={"langstring": []})]},
    "an empty url": {"au": [unit(url="")]},
    "a url of no host": {"au": [unit(url="/courses/1")]},
    "mastery of 60": {"au": [unit(mastery_score="60")]},
    "mastery of five decimals": {"au": [unit(mastery_score="0.12345")]},
    "an unknown moveOn": {"au": [unit(move_on="Finished")]},
    "an unknown launch method": {"au": [unit(launch_method="Tab")]},
    "an unknown element": {"au": [unit(surplus="x")]},
    "a block without units": {"block": [{**COURSE_ELEMENT, "id": "https://learn.example.org/b", "au": []}]},
}


@pytest.mark.parametrize("parts", WRONG.values(), ids=WRONG)
def test_what_breaks_a_rule(parts):
    with pytest.raises(ValidationError):
        Structure.model_validate({"course": COURSE_ELEMENT, **parts})


def test_what_breaks_none():
    made = Structure.model_validate(
        {"course": COURSE_ELEMENT, "au": [unit(mastery_score="0.6", move_on="Passed"), unit(id="urn:uuid:2")]}
    )
    root = ElementTree.fromstring(made.to_xml())
    assert [(each.get("moveOn"), each.get("masteryScore")) for each in root.iter(f"{{{NAMESPACE}}}au")] == [
        ("Passed", "0.6"),
        ("NotApplicable", None),
    ]


def block(number: int) -> Block:
    parts = {**COURSE_ELEMENT, "id": f"https://learn.example.org/c{number}"}
    return Block(**parts, au=(Unit(**unit(id=f"https://learn.example.org/u{number}")),))


def test_one_course_is_the_structure_itself():
    made = of_one(block(1))
    assert (made.course.id, len(made.block)) == ("https://learn.example.org/c1", 0)
    assert [each.id for each in made.units] == ["https://learn.example.org/u1"]


def test_many_courses_are_its_blocks():
    made = of_many("https://learn.example.org/all", "Catalogue", [block(1), block(2)])
    assert [each.id for each in made.block] == [
        "https://learn.example.org/c1",
        "https://learn.example.org/c2",
    ]
    assert [each.id for each in made.units] == [
        "https://learn.example.org/u1",
        "https://learn.example.org/u2",
    ]
    (text,) = made.course.title.langstring
    assert (text.lang, text.text) == ("und", "Catalogue")


def item(**fields) -> ContentItem:
    return ContentItem.model_validate({"content_type": "course", "key": "X+1", "title": "Course", **fields})


@pytest.mark.parametrize(
    ("course", "run", "title", "said"),
    [
        ({}, None, None, ("und", "Course", "Course")),
        ({"content_language": "de"}, {"key": "r"}, " Run ", ("de", "Run", "Run")),
        (
            {"content_language": "de"},
            {"key": "r", "content_language": "en-us"},
            "",
            ("en-US", "Course", "Course"),
        ),
        ({"short_description": "About \x00 it"}, None, "\x0b", ("und", "Course", "About  it")),
    ],
)
def test_texts(course, run, title, said):
    made = described(item(**course), run and CourseRun.model_validate(run), title)
    (name,), (description,) = made["title"].langstring, made["description"].langstring
    assert (name.lang, name.text, description.text) == said


def test_a_course_without_a_title_is_none():
    with pytest.raises(NotExportableError, match="title"):
        described(item(title=" "), None, None)


def test_the_package():
    xml = of_one(block(1)).to_xml()
    packed = to_zip(xml)
    assert packed == to_zip(xml)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["cmi5.xml"]
        assert archive.read("cmi5.xml").decode() == xml
