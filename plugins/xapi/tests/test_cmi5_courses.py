"""Courses as blocks of cmi5 course structures: ids, texts, addresses, and the command."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from coursewire.cli.app import app
from coursewire.errors import NotExportableError
from coursewire.model.content import ContentItem
from coursewire.model.instant import Moment
from coursewire_xapi.cmi5_courses import course_block
from coursewire_xapi.cmi5_format import NAMESPACE, Block, of_many, of_one
from coursewire_xapi.outcomes import activity_id

RUN = "course-v1:FarmU+SOIL101+2026_T1"
COURSE = {
    "content_type": "course",
    "key": "FarmU+SOIL101",
    "title": "Soil Health Basics",
    "short_description": "How soil lives and how to keep it alive.",
    "course_runs": [
        {
            "key": RUN,
            "title": "Soil Health Basics, spring run",
            "content_language": "en",
            "enrollment_url": f"https://learn.example.org/courses/{RUN}/course",
        }
    ],
}


def block(config_of, moment=None, **fields) -> Block:
    item = ContentItem.model_validate(COURSE | fields)
    return course_block(config_of(), item, moment or Moment(datetime(2026, 3, 1, tzinfo=UTC)))


def test_the_structure_of_one_run(config_of):
    """The smallest valid structure, but for the words of the description."""
    assert of_one(block(config_of)).to_xml() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<courseStructure xmlns="{NAMESPACE}">\n'
        '  <course id="https://learn.example.org/xapi/activities/course/FarmU+SOIL101">\n'
        '    <title>\n      <langstring lang="en">Soil Health Basics</langstring>\n    </title>\n'
        '    <description>\n      <langstring lang="en">How soil lives and how to keep it alive.</langstring>\n'
        "    </description>\n"
        "  </course>\n"
        f'  <au id="https://learn.example.org/xapi/activities/courserun/{RUN}" moveOn="NotApplicable" '
        'launchMethod="OwnWindow">\n'
        '    <title>\n      <langstring lang="en">Soil Health Basics, spring run</langstring>\n    </title>\n'
        '    <description>\n      <langstring lang="en">How soil lives and how to keep it alive.</langstring>\n'
        "    </description>\n"
        f"    <url>https://learn.example.org/courses/{RUN}/course</url>\n"
        "  </au>\n"
        "</courseStructure>"
    )


def test_markup_and_every_letter_survive(config_of):
    title = '<b>R&D</b> "土壌" 😀 Café'
    xml = of_one(block(config_of, course_runs=[{"key": RUN}], title=title + "\x00\x0b")).to_xml()
    found = ElementTree.fromstring(xml).find(
        f"{{{NAMESPACE}}}course/{{{NAMESPACE}}}title/{{{NAMESPACE}}}langstring"
    )
    assert (found.text, found.get("lang")) == (title, "und")


def test_open_runs_are_units(config_of):
    open_run = {"status": "published", "availability": "Current"}
    runs = [
        {"key": "r1", **open_run},
        {"key": "r2", **open_run, "status": "archived"},
        {"key": "r3", **open_run},
    ]
    made = block(config_of, course_runs=runs)
    assert [unit.id.rpartition("/")[2] for unit in made.au] == ["r1", "r3"]


def test_addresses(config_of):
    own = block(config_of)
    of_course = block(config_of, enrollment_url="https://e.example.org/1", course_runs=[{"key": "r1"}])
    of_site = block(config_of, course_runs=[{"key": "r1"}])
    assert [each.au[0].url for each in (own, of_course, of_site)] == [
        f"https://learn.example.org/courses/{RUN}/course",
        "https://e.example.org/1",
        "https://learn.example.org/courses/r1/course",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "", "course_runs": [{"key": "r"}]},
        {"course_runs": []},
        {"content_type": "program", "uuid": "u"},
    ],
)
def test_what_cannot_be_one(config_of, fields):
    with pytest.raises(NotExportableError):
        block(config_of, **fields)


def names(element):
    return [each.tag.rpartition("}")[2] for each in element]


def test_the_order_of_elements(config_of):
    made = of_many(activity_id(config_of(), "catalog", "acme"), "Acme", [block(config_of)])
    root = ElementTree.fromstring(made.to_xml())
    assert names(root) == ["course", "block"]
    assert names(root[0]) == ["title", "description"]
    assert names(root[1]) == ["title", "description", "au"]
    assert names(root[1][2]) == ["title", "description", "url"]


class TestTheCommand:
    @pytest.fixture
    def files(self, tmp_path: Path):
        bundle = tmp_path / "bundle"
        bundle.mkdir()
        courses = [
            COURSE,
            {**COURSE, "key": "FarmU+SOIL102", "title": "More"},
            {**COURSE, "key": "NoRuns", "course_runs": []},
        ]
        courses[1]["course_runs"] = [{"key": "course-v1:FarmU+SOIL102+1", "content_language": "en"}]
        (bundle / "content.jsonl").write_text("".join(json.dumps(each) + "\n" for each in courses))
        config = tmp_path / "xapi.json"
        fields = {
            "endpoint": "https://lrs.example.com",
            "key": "k",
            "secret": {"env": "NONE"},
            "site_domain": "learn.example.org",
        }
        config.write_text(json.dumps({"channel": "XAPI", **fields}))
        return ["--config", str(config), "--bundle", str(bundle), "--output", str(tmp_path / "out")]

    def run(self, *arguments: str, status: int = 0):
        ended = CliRunner().invoke(app, ["xapi", "cmi5", *arguments])
        assert ended.exit_code == status, (ended.output, ended.exception)
        return ended

    def test_a_file_for_each_course(self, files, tmp_path):
        said = self.run(*files, "--json", status=1)
        rows = [json.loads(line) for line in said.stdout.splitlines()]
        assert [(row["key"], row.get("units")) for row in rows] == [
            ("FarmU+SOIL101", 1), ("FarmU+SOIL102", 1), ("NoRuns", None),
        ]  # fmt: skip
        assert "no run" in rows[2]["reason"]
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "FarmU+SOIL101.xml",
            "FarmU+SOIL102.xml",
        ]

    def test_some_of_them(self, files, tmp_path):
        self.run(*files, "--key", "FarmU+SOIL102", "--zip")
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["FarmU+SOIL102.zip"]
        assert "no catalog holds it" in self.run(*files, "--key", "Nothing", status=1).output

    def test_all_in_one(self, files, tmp_path):
        self.run(*files, "--whole", "--key", "FarmU+SOIL101", "--key", "FarmU+SOIL102")
        (path,) = (tmp_path / "out").iterdir()
        assert path.name == "cmi5.xml"
        assert names(ElementTree.fromstring(path.read_text())) == ["course", "block", "block"]

    def test_options_that_break_a_rule(self, files):
        self.run(*files, "--move-on", "Sometimes", status=2)
        said = self.run(*files, "--key", "FarmU+SOIL101", "--mastery-score", "60", status=1)
        assert "less than or equal to 1" in said.output
