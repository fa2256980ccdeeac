"""Real distributions: built as wheels, installed into an environment of their own, found and loaded there."""

import json
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "tests" / "material" / "distributions"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
RELEASED = [ROOT / "core", *PLUGINS]

REPORT = """
import dataclasses, json, sys
from pathlib import Path
from coursewire.plugins.loading import load_channels
from coursewire.model.content import ContentItem
registry = load_channels()
json.dump(
    {
        "report": [dataclasses.asdict(row) for row in registry.report],
        "codes": registry.codes(),
        "exported": {
            loaded.where: loaded.hook_caller.export_content(
                loaded.channel.config(), ContentItem(content_type="course", key="edX+DemoX"), None
            )
            for loaded in registry
            if loaded.distribution.startswith("fixture-")
        },
    },
    sys.stdout,
)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory, build_wheels):
    """Wheels of core, plugins and fixtures, by distribution."""
    target = tmp_path_factory.mktemp("wheels")
    fixtures = sorted(path.parent for path in FIXTURES.glob("*/pyproject.toml"))
    return build_wheels(target, *RELEASED, *fixtures)


def load(environment):
    loaded = json.loads(environment.run("-c", REPORT))
    loaded["rows"] = {
        row["distribution"]: row for row in loaded["report"] if row["distribution"].startswith("fixture-")
    }
    return loaded


@pytest.fixture(scope="module")
def environment(wheels, tmp_path_factory, clean_python):
    made = clean_python(tmp_path_factory.mktemp("environment"))
    made.install(*wheels.values())
    return made


@pytest.fixture(scope="module")
def loaded(environment):
    return load(environment)


REASONS = {
    "fixture-duplicate-code": "The code GOOD is also offered by good-channel (fixture-good-channel 1.3.0).",
    "fixture-good-channel": "The code GOOD is also offered by duplicate-code (fixture-duplicate-code 1.0.0).",
    "fixture-wrong-api": "It needs plugin API >=3,<4 and this core offers 2.0.",
    "fixture-older-api": "It is made for plugin API >=1,<2, and this core offers 2.0. Install a release of it",
    "fixture-old-names": "It uses coursewire.client at fixture_old_names/__init__.py line 3, which plugin API 2.0 of this "
    "core does not have. Install a release of it",
    "fixture-unreadable-api": "Its range of plugin API versions 'the newest' cannot be read",
    "fixture-wrong-signature": "send_content has a wrong signature: there is no argument retries.",
    "fixture-unknown-hook": "unknown hook: find_remot. Did you mean find_remote?",
    "fixture-missing-hook": "It declares content but does not implement export_content, send_content",
    "fixture-no-channel": "It does not implement declare_channel",
    "fixture-raising-declaration": "declare_channel raised RuntimeError at "
    "fixture_raising_declaration/__init__.py line 8: not today.",
    "fixture-broken-import": "Importing it raised ImportError at fixture_broken_import/__init__.py line 3: "
    "cannot import name 'NoSuchName'",
    "fixture-missing-dependency": "A dependency of it is missing: there is no module "
    "'fixture_module_that_nobody_offers' at fixture_missing_dependency/__init__.py line 3.",
    "fixture-exits": "fixture-exits ends the program when it is imported at fixture_exits/__init__.py line 3.",
    "fixture-broken-hooks": "unknown hook: job_begun.",
}


@pytest.mark.parametrize("distribution", REASONS)
def test_a_faulty_distribution_is_a_row_that_says_what_is_wrong(loaded, distribution):
    row = loaded["rows"][distribution]
    assert row["state"] == "failed"
    assert REASONS[distribution] in row["reason"]
    assert row["reason"].endswith((".", "?"))
    assert row["version"]


def test_every_faulty_fixture_is_expected(wheels):
    fixtures = {name for name in wheels if name.startswith("fixture-")}
    assert fixtures == {*REASONS, "fixture-good-hooks"}


def test_good_hooks_load_beside_the_broken_ones(loaded):
    row = loaded["rows"]["fixture-good-hooks"]
    assert (row["state"], row["hooks"]) == ("loaded", ["export_content", "job_started"])


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_every_plugin_of_the_workspace_loads_from_its_wheel(loaded, plugin):
    rows = [row for row in loaded["report"] if row["distribution"] == f"coursewire-{plugin.name}"]
    assert rows
    for row in rows:
        assert (row["state"], row["reason"]) == ("loaded", "")
        assert row["code"] in loaded["codes"]


def test_uninstalling_one_leaves_the_others(environment, loaded, wheels):
    environment.pip("uninstall", "--yes", "fixture-duplicate-code")
    try:
        after = load(environment)
    finally:
        environment.install(wheels["fixture-duplicate-code"])

    assert set(loaded["rows"]) - set(after["rows"]) == {"fixture-duplicate-code"}
    assert after["codes"] == sorted([*loaded["codes"], "GOOD"])
    assert after["exported"] == {
        "GOOD (fixture-good-channel 1.3.0)": {"id": "edX+DemoX", "title": "", "marked": True}
    }
    unchanged = set(after["rows"]) - {"fixture-good-channel"}
    assert all(after["rows"][name] == loaded["rows"][name] for name in unchanged)


@pytest.mark.parametrize("project", RELEASED, ids=lambda path: path.name)
def test_a_wheel_has_types_and_licence_and_no_tests(wheels, project):
    name = "coursewire" if project.name == "core" else f"coursewire-{project.name}"
    package = name.replace("-", "_")
    with zipfile.ZipFile(wheels[name]) as wheel:
        names = wheel.namelist()
        (licence,) = [entry for entry in names if entry.endswith(".dist-info/licenses/LICENSE")]
        text = wheel.read(licence).decode()
    assert f"{package}/py.typed" in names
    assert "Apache License" in text
    assert {entry.partition("/")[0].partition("-")[0] for entry in names} == {package}
    assert not [entry for entry in names if "/tests/" in entry or "/test_" in entry or "conftest" in entry]
