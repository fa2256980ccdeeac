"""The plugin as core finds it."""

from __future__ import annotations

from importlib.metadata import entry_points

import pluggy

from coursewire.hooks import PROJECT, SPECS
from coursewire.model.channel import Idempotency, Support
from coursewire.model.configuration import LearnerId
from coursewire_canvas import plugin
from coursewire_canvas.config import CanvasConfig
from coursewire_canvas.grading import OUTCOMES_A_BATCH
from coursewire_canvas.simulator import CanvasSimulator


def test_the_entry_point_names_the_plugin() -> None:
    (found,) = entry_points(group="coursewire.channels", name="canvas")

    assert found.load() is plugin


def test_every_hook_fits_its_specification() -> None:
    manager = pluggy.PluginManager(PROJECT)
    for specs in SPECS:
        manager.add_hookspecs(specs)

    manager.register(plugin)
    manager.check_pending()

    assert manager.hook.declare_channel() is plugin.CHANNEL


def test_what_is_declared_matches_what_is_there() -> None:
    channel = plugin.declare_channel()
    module, _, name = (channel.simulator or "").partition(":")

    assert channel.code == CanvasConfig.code == CanvasSimulator.code
    assert (module, name) == (CanvasSimulator.__module__, CanvasSimulator.__name__)
    assert channel.limits.batch_items == 1
    assert channel.limits.outcome_batch_items == OUTCOMES_A_BATCH
    can = channel.capabilities
    assert {can.completions, can.assessments, can.raise_grade, can.lower_grade, can.revoke} == {Support.FULL}
    assert can.outcome_idempotency is Idempotency.UPSERT
    assert can.outcomes_need_content
    assert CanvasConfig.model_fields["learner_id"].default is LearnerId.EMAIL
    assert channel.capabilities.retire_strategies[0] == CanvasConfig.model_fields["retire_strategy"].default
