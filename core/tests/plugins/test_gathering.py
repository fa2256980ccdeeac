"""Hooks that stand in several modules."""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

import pytest

from coursewire.errors import ChannelLoadError
from coursewire.hooks import hookimpl
from coursewire.model.channel import Capabilities, Channel, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.plugins.gathering import hooks_of
from coursewire.plugins.loading import load_channel_object


class Config(ChannelConfig):
    code: ClassVar[str] = "GATHERED"


CHANNEL = Channel(
    code=Config.code,
    title="Gathered",
    requires_api=">=2.0,<3",
    config=Config,
    capabilities=Capabilities(content=Support.IMPOSSIBLE),
)


def module(name, **members):
    made = ModuleType(name)
    vars(made).update(members)
    return made


def gathered(*modules):
    return module("gathered", **hooks_of(CHANNEL, *modules))


@hookimpl
def remote_key(item):
    return item.content_key


@hookimpl(specname="export_retirement")
def retirement(confirmed):
    return dict(confirmed)


def helper():
    """No hook."""


def test_the_hooks_of_all_modules_make_one_channel():
    plugin = gathered(module("a", remote_key=remote_key, helper=helper), module("b", retirement=retirement))
    loaded = load_channel_object(plugin)

    assert loaded.channel is CHANNEL
    assert loaded.hook_caller.implements("remote_key")
    assert not hasattr(plugin, "helper")
    assert loaded.hook_caller.export_retirement(None, {"id": 1}) == {"id": 1}


def test_a_hook_that_one_module_imports_from_another_is_one_hook():
    assert hooks_of(CHANNEL, module("a", remote_key=remote_key), module("b", remote_key=remote_key))


def test_two_hooks_of_one_name_are_refused():
    with pytest.raises(ValueError, match="remote_key stands in"):
        hooks_of(CHANNEL, module("a", remote_key=remote_key), module("b", remote_key=lambda item: item))


def test_what_somebody_forgot_to_mark_is_found_at_load():
    def find_remote(session, key): ...

    with pytest.raises(ChannelLoadError, match="find_remote that is not marked"):
        load_channel_object(gathered(module("a", find_remote=find_remote)))


def test_an_unknown_hook_and_a_wrong_signature_are_found_at_load():
    with pytest.raises(ChannelLoadError, match="unknown hook"):
        load_channel_object(gathered(module("a", remote_kee=hookimpl(lambda item: item))))
    with pytest.raises(ChannelLoadError, match="wrong signature"):
        load_channel_object(gathered(module("a", remote_key=hookimpl(lambda itemm: itemm))))
