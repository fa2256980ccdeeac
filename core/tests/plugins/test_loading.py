"""Finding and loading what is installed."""

import pytest

from coursewire.errors import ChannelLoadError, SettingsError, UnknownChannelError
from coursewire.plugins.loading import load_channel_object, load_channels, load_named
from coursewire.plugins.registry import LoadState

FAILED, LOADED, SKIPPED = LoadState.FAILED, LoadState.LOADED, LoadState.SKIPPED


def load(site, **settings):
    """Load, and keep what the site offers from what the developer's environment has installed."""
    registry = load_channels(**settings)
    rows = {row.distribution: row for row in registry.report if row.distribution in site.distributions}
    return registry, rows


def only_row(site, **settings):
    _registry, rows = load(site, **settings)
    (row,) = rows.values()
    return row


def test_a_good_channel_is_loaded_with_its_distribution_and_version(site):
    site.add("coursewire-good", site.channel("GOOD"), version="1.3.0")
    registry, rows = load(site)

    row = rows["coursewire-good"]
    assert (row.state, row.reason, row.code, row.title) == (LOADED, "", "GOOD", "GOOD title")
    assert (row.group, row.name, row.version) == ("coursewire.channels", "good", "1.3.0")
    assert "send_content" in row.hooks
    assert row.hooks == tuple(sorted(row.hooks))
    loaded = registry.get("GOOD")
    assert loaded.where == row.where == "GOOD (coursewire-good 1.3.0)"
    assert loaded.channel.code in registry.codes()
    assert loaded in list(registry)
    assert len(registry) == len(registry.codes())


def test_a_reinstallation_of_the_same_version_is_seen(site):
    site.add("coursewire-good", site.channel("GOOD"))
    assert "GOOD" in load(site)[0].codes()
    site.remove("coursewire-good")
    assert "GOOD" not in load(site)[0].codes()


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import no_such_module_at_all", ["dependency", "'no_such_module_at_all'", "line 1", "Install"]),
        ("from json import no_such_name", ["ImportError", "line 1", "no_such_name", "Reinstall"]),
        ("x = 1\nx.y", ["AttributeError", "line 2", "has no attribute 'y'"]),
        ("def f(:\n  pass", ["SyntaxError", "line 1", "invalid syntax"]),
        ("raise RuntimeError", ["RuntimeError", "line 1", "without a word"]),
        ("raise SystemExit('bye')", ["ends the program", "line 1", "Report"]),
        ("assert 1 == 2, 'sums'", ["AssertionError", "line 1", "sums"]),
        ("raise ValueError('long ' * 100)", ["ValueError", "…"]),
    ],
)
def test_an_import_that_fails_is_a_row_and_the_others_go_on(site, source, parts, caplog):
    site.add("coursewire-broken", source)
    site.add("coursewire-good", site.channel("GOOD"))
    registry, rows = load(site)

    row = rows["coursewire-broken"]
    assert row.state is FAILED
    for part in parts:
        assert part in row.reason
    assert "GOOD" in registry.codes()
    assert f"broken (coursewire-broken 1.0.0) is not loaded. {row.reason}" in caplog.text


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("from coursewire.client.words import read_json", "coursewire.client"),
        ("from coursewire import Adopter", "coursewire.Adopter"),
        ("from coursewire.hookspecs import hookimpl", "coursewire.hookspecs"),
        ("from coursewire.toolkit.items import Adopter", "coursewire.toolkit.items.Adopter"),
        ("import coursewire as cw\nclass Courses(cw.Adopter): ...", "coursewire.Adopter"),
        (
            "import coursewire as cw\n@cw.hookimpl\ndef declare_channel(): return cw.Capabilities.of_upserts()",
            "coursewire.Capabilities.of_upserts",
        ),
    ],
)
def test_names_of_an_earlier_plugin_api_are_one_clear_message(site, source, missing):
    site.add("coursewire-old", source)
    row = only_row(site)
    assert row.state is FAILED
    assert f"uses {missing} at site-packages/coursewire_old" in row.reason
    assert "plugin API 2.0 of this core does not have" in row.reason
    assert 'core/CHANGELOG.md), under "Plugin API 2.0".' in row.reason


def test_an_attribute_error_of_the_plugins_own_is_not_laid_on_the_plugin_api(site):
    site.add("coursewire-own", "class Mine: ...\nMine.nothing")
    assert "AttributeError" in only_row(site).reason
    assert "plugin API" not in only_row(site).reason


def test_ctrl_c_during_an_import_is_not_swallowed(site):
    site.add("coursewire-slow", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load(site)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("nowhere_to_be_found", ["names the module 'nowhere_to_be_found'", "Reinstall coursewire-lost"]),
        ("{module}:missing.thing", ["names something that is not there", "missing", "Reinstall"]),
        ("{module}:Kind", ["names the class Kind", "module"]),
        ("{module}:NOTHING", ["names nothing"]),
        ("{module}:UNHASHABLE", ["not hashable"]),
    ],
)
def test_an_entry_point_that_names_no_plugin(site, target, parts):
    site.add("coursewire-lost", "class Kind: pass\nNOTHING = None\nUNHASHABLE = []", target=target)
    row = only_row(site)
    assert row.state is FAILED
    for part in parts:
        assert part in row.reason


def test_a_missing_module_of_the_plugin_itself_is_no_missing_dependency(site):
    module = site.add("coursewire-half", "")
    (site.folder / f"{module}.py").write_text(f"import {module}.part")
    row = only_row(site)
    assert "dependency" not in row.reason
    assert f"No module named '{module}.part'" in row.reason


@pytest.mark.parametrize(
    ("extra", "parts"),
    [
        (
            "@hookimpl\ndef find_remote(sesion, key): ...",
            ["find_remote", "sesion", "It may take: session, key"],
        ),
        ("@hookimpl\ndef should_transmit(config, extra=1): ...", ["should_transmit", "extra"]),
        ("@hookimpl\nasync def find_remote(*, session, key): ...", ["by keyword only", "session, key"]),
        ("@hookimpl\ndef inbound_routes(request): ...", ["inbound_routes", "request", "It may take: none"]),
        (
            "@hookimpl\ndef send_contents(batch): ...",
            ["unknown hook: send_contents", "Did you mean send_content?"],
        ),
        ("@hookimpl\ndef qqq(): ...", ["unknown hook: qqq", "coursewire.hooks"]),
        ("def remote_key(item): ...", ["remote_key", "not marked", "@coursewire.hookimpl"]),
        ("@hookimpl\ndef find_remote(session, key): ...", ["find_remote must be written with async def"]),
        ("@hookimpl\nasync def remote_key(item): ...", ["remote_key must not be written with async def"]),
        ("@hookimpl(wrapper=True)\ndef remote_key(item): return ''", ["not a generator function", "Mend"]),
    ],
)
def test_hooks_that_do_not_fit_the_specifications_are_refused(site, extra, parts):
    site.add("coursewire-odd", site.channel("ODD", extra=extra))
    row = only_row(site)
    assert (row.state, row.code, row.title) == (FAILED, "ODD", "ODD title")
    for part in parts:
        assert part in row.reason


@pytest.mark.parametrize(
    "extra",
    [
        "@hookimpl(optionalhook=True)\ndef of_a_later_core(): ...",
        "@hookimpl(specname='remote_key')\ndef key_of(item): return 'k'\ndef helper(): ...",
        "@hookimpl(wrapper=True, specname='send_content')\ndef around(batch):\n    return (yield)",
    ],
)
def test_hooks_that_may_be_there(site, extra):
    site.add("coursewire-fine", site.channel("FINE", extra=extra))
    assert only_row(site).state is LOADED


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("", ["declare_channel", "Add that hook"]),
        ("from coursewire import hookimpl\n@hookimpl\ndef declare_channel(): return None", ["returned None"]),
        ("from coursewire import hookimpl\n@hookimpl\ndef declare_channel(): return 'X'", ["returned a str"]),
        (
            "from coursewire import hookimpl\n@hookimpl\ndef declare_channel():\n    raise ValueError('so')",
            ["declare_channel raised ValueError", "line 4", "so"],
        ),
        (
            "from coursewire import hookimpl, Channel\n@hookimpl\ndef declare_channel(): Channel(code='a')",
            ["declare_channel raised ValidationError"],
        ),
    ],
)
def test_a_plugin_that_declares_no_channel(site, source, parts):
    site.add("coursewire-mute", source)
    row = only_row(site)
    assert row.state is FAILED
    for part in parts:
        assert part in row.reason


@pytest.mark.parametrize(
    ("api", "parts"),
    [
        (">=3,<4", ["needs plugin API >=3,<4", "this core offers 2.0"]),
        (
            ">=1.0,<2",
            ["made for plugin API >=1.0,<2", "this core offers 2.0", "core/CHANGELOG.md", '"Plugin API 2.0"'],
        ),
        ("", ["does not say by requires_api", "counts as 1.0", "this core offers 2.0", '"Plugin API 2.0"']),
        ("two or so", ["'two or so' cannot be read", "PEP 440"]),
    ],
)
def test_a_plugin_for_another_plugin_api(site, api, parts):
    # The range is looked at first: what else differs follows from it.
    site.add("coursewire-future", site.channel("FUTURE", api=api, extra="@hookimpl\ndef newer(): ..."))
    row = only_row(site)
    assert (row.state, row.code) == (FAILED, "FUTURE")
    for part in parts:
        assert part in row.reason


@pytest.mark.parametrize(
    ("can", "parts"),
    [
        (
            "Capabilities()",
            ["declares content", "export_content, send_content, authenticate, check_connection"],
        ),
        (
            "Capabilities(content='unknown', completions='from some version on')",
            ["declares completions", "export_completion, send_outcomes"],
        ),
        (
            "Capabilities(content='unknown', assessments='full')",
            ["declares assessments", "export_assessment"],
        ),
        ("Capabilities(content='unknown', idempotency='natural key')", ["natural key", "find_remote"]),
        ("Capabilities(content='unknown', list_remote='full')", ["declares list_remote"]),
        (
            "Capabilities(content='unknown', list_inactive_learners='full')",
            ["declares list_inactive_learners"],
        ),
    ],
)
def test_a_capability_without_its_hook(site, can, parts):
    site.add("coursewire-boast", site.channel("BOAST", can=can, hooks=""))
    row = only_row(site)
    assert row.state is FAILED
    for part in parts:
        assert part in row.reason


def test_a_channel_that_declares_nothing_needs_nothing(site):
    site.add("coursewire-idle", site.channel("IDLE", can="Capabilities(content='unknown')", hooks=""))
    assert only_row(site).state is LOADED


def test_of_two_channels_with_one_code_none_is_loaded_and_each_names_the_other(site):
    site.add("acme-twin", site.channel("TWIN"), version="1.0")
    site.add("coursewire-twin", site.channel("TWIN"), version="2.0")
    registry, rows = load(site)

    assert "TWIN" not in registry.codes()
    assert "twin (coursewire-twin 2.0)" in rows["acme-twin"].reason
    assert "twin (acme-twin 1.0)" in rows["coursewire-twin"].reason
    assert "Uninstall" in rows["acme-twin"].reason
    with pytest.raises(ChannelLoadError, match="also offered by"):
        registry.get("TWIN")

    registry, _rows = load(site, allowed=["acme-twin"])
    assert registry.get("TWIN").distribution == "acme-twin"


def test_what_is_not_allowed_is_skipped_and_not_imported(site, tmp_path):
    canary = tmp_path / "imported"
    site.add("coursewire-other", f"open({str(canary)!r}, 'w').close()")
    site.add("coursewire-good", site.channel("GOOD"))
    registry, rows = load(site, allowed=["Good"])

    assert registry.codes() == ["GOOD"]
    assert rows["coursewire-other"].state is SKIPPED
    assert "Add 'other'" in rows["coursewire-other"].reason
    assert not canary.exists()
    with pytest.raises(ChannelLoadError, match=r"OTHER is installed but skipped.*Add 'other'"):
        registry.get("OTHER")


def test_an_allowed_channel_that_is_not_installed_is_warned_of(site, caplog):
    site.add("coursewire-good", site.channel("GOOD"))
    load(site, allowed=["goood", "coursewire-good", "zzz"])
    assert "'goood' is allowed but not installed. Did you mean good?" in caplog.text
    assert "'zzz' is allowed but not installed. Install it, or take it off." in caplog.text
    assert "'coursewire-good' is allowed" not in caplog.text


def test_an_unknown_code_names_the_nearest_one(site):
    site.add("coursewire-good", site.channel("GOOD"))
    registry, _rows = load(site, allowed=["good"])
    with pytest.raises(UnknownChannelError) as caught:
        registry.get("good_")
    assert str(caught.value) == (
        "no installed channel has the code 'good_': installed are: GOOD. Did you mean GOOD?"
    )
    with pytest.raises(UnknownChannelError, match=r"Did you mean GOOD\?"):
        registry.get("good")
    with pytest.raises(UnknownChannelError, match="Install the distribution"):
        registry.get("ZZZ")


def test_nothing_allowed_is_nothing_loaded(site):
    registry, _rows = load(site, allowed=[])
    assert registry.codes() == []
    with pytest.raises(UnknownChannelError, match="installed are: none"):
        registry.get("ZZZ")


def test_a_half_removed_distribution_stops_nobody(site):
    site.add("coursewire-good", site.channel("GOOD"))
    site.add("coursewire-ghost", site.channel("GHOST"))
    (site.folder / "coursewire_ghost-1.0.0.dist-info" / "METADATA").unlink()
    assert "GOOD" in load(site)[0].codes()


# -- operators' hooks ------------------------------------------------------------------------------

OPERATOR = """
from coursewire import hookimpl
@hookimpl
def job_started(job): job["seen"].append(__name__)
"""


def test_operators_hooks_are_loaded_and_called(site, tmp_path):
    site.add("acme-hooks", OPERATOR, group="coursewire.hooks")
    site.add("coursewire-good", site.channel("GOOD"))
    file = tmp_path / "our_hooks.py"
    file.write_text(OPERATOR)
    registry, rows = load(site, allowed=["good"], hooks_file=file)

    assert (rows["acme-hooks"].state, rows["acme-hooks"].hooks) == (LOADED, ("job_started",))
    assert rows["acme-hooks"].where == "hooks (acme-hooks 1.0.0)"
    last = registry.report[-1]
    assert (last.group, last.name, last.state, last.distribution) == (
        "coursewire.hooks",
        str(file),
        LOADED,
        "",
    )
    assert last.where == str(file)
    seen = []
    registry.get("GOOD").hook_caller.job_started({"seen": seen})
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import coursewire\n\nraise ValueError('oh')", ["ValueError", "our_hooks.py line 3", "oh", "Mend"]),
        ("x = (", ["SyntaxError", "our_hooks.py line 1"]),
        ("raise SystemExit", ["The file ends the program", "line 1"]),
        ("import no_such_module_at_all", ["'no_such_module_at_all'", "line 1"]),
        ("", ["implements no hook"]),
        (
            "from coursewire import hookimpl\n@hookimpl\ndef job_stared(job): ...",
            ["Did you mean job_started?"],
        ),
        ("from coursewire import hookimpl\n@hookimpl\nasync def job_started(job): ...", ["async def"]),
        ("from coursewire import hookimpl\n@hookimpl\ndef declare_channel(): ...", ["declares a channel"]),
    ],
)
def test_a_file_of_hooks_that_cannot_be_used(tmp_path, source, parts):
    file = tmp_path / "our_hooks.py"
    file.write_text(source)
    row = load_channels(allowed=[], hooks_file=file).report[-1]
    assert row.state is FAILED
    for part in parts:
        assert part in row.reason


@pytest.mark.parametrize("name", ["missing.py", "hooks.txt"])
def test_a_file_of_hooks_that_is_not_there(tmp_path, name):
    (tmp_path / "hooks.txt").write_text(OPERATOR)
    row = load_channels(allowed=[], hooks_file=tmp_path / name).report[-1]
    assert row.state is FAILED
    assert f"There is no Python file {tmp_path / name}" in row.reason


# -- by name ---------------------------------------------------------------------------------------


def test_load_named_loads_one_object_and_nothing_else(site):
    site.add("acme-ours", "class Source: pass", group="coursewire.sources", target="{module}:Source")
    site.add("acme-bad", "raise ValueError", group="coursewire.sources")
    assert load_named("coursewire.sources", "ours").__name__ == "Source"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("our", ["there is no source named 'our'", "installed are: bad, ", "ours", "Did you mean ours?"]),
        ("zzz", ["Install the distribution"]),
        ("bad", ["'bad' cannot be loaded", "bad (acme-bad 1.0.0)", "ValueError"]),
        ("twice", ["offered more than once", "twice (a-twice 1.0.0), twice (b-twice 1.0.0)", "Uninstall"]),
    ],
)
def test_load_named_says_what_is_wrong(site, name, parts):
    site.add("acme-ours", "class Source: pass", group="coursewire.sources", target="{module}:Source")
    site.add("acme-bad", "raise ValueError", group="coursewire.sources")
    site.add("a-twice", "", group="coursewire.sources")
    site.add("b-twice", "", group="coursewire.sources")
    with pytest.raises(SettingsError) as caught:
        load_named("coursewire.sources", name)
    for part in parts:
        assert part in str(caught.value)


def test_load_named_without_any(site):
    with pytest.raises(SettingsError, match="installed are: none"):
        load_named("coursewire.of_nobody", "any")


# -- objects at hand -------------------------------------------------------------------------------


def test_an_object_at_hand_is_checked_like_an_installed_channel(site):
    module = site.add("coursewire-good", site.channel("GOOD"), group="nobody.reads.this")
    plugin = __import__(module)
    loaded = load_channel_object(plugin, name="good", distribution="coursewire-good", version="3")
    assert loaded.where == "GOOD (coursewire-good 3)"
    assert load_channel_object(plugin).where == "GOOD"
    with pytest.raises(ChannelLoadError, match="no channel"):
        load_channel_object(object())
