"""conformance.md: every check of the conformance suite, with what calls for it and what to do when it fails."""

from __future__ import annotations

import inspect

from coursewire.testing.conformance.suite import ChannelSuite
from docs.generate.markdown import code, page, prose

INTRO = """\
The checks that hold for every channel. A channel's author subclasses `ChannelSuite`, and pytest runs those that the declared
capabilities call for:

```python
from pathlib import Path

from coursewire.testing import ChannelSuite
from coursewire_acme import plugin


class TestAcme(ChannelSuite):
    channel = plugin
    golden = Path(__file__).parent / "golden"
    config = {}  # fields beside those of the simulator's sample_config()
    skipped = {}  # {"test_...": "why it cannot hold for this LMS"}
```

Every check drives the channel through core's real jobs, on a real database, against the channel's own simulator, and counts
there what arrived. Nothing leaves the machine, and nobody waits: the clock and every pause are the suite's. Learners, courses
and grades are made up, in `coursewire.testing.conformance.made_up`.

A check whose capability is not declared is not collected. `ChannelSuite.checks()` lists all of them, each with whether it
applies. `coursewire.testing.run_suite(plugin)` runs them without pytest.

What the simulator must have is said in [Test a channel](../how-to/test-a-channel.md#what-a-simulator-has)."""


def pages() -> dict[str, str]:
    """The page."""
    parts = [INTRO]
    for topic in ChannelSuite.topics():
        checks = [function for function in vars(topic).values() if hasattr(function, "check")]
        parts += [f"## {_heading(topic)}", prose(topic.__doc__)]
        for function in checks:
            check = function.check
            called_for = f"Called for by: {code(check.need.text)}." if check.need.text else "Every channel."
            if check.golden:
                called_for += " Needs a folder of golden pairs."
            title = f"**{check.title[:1].upper()}{check.title[1:]}.** {called_for}"
            parts += [f"### {check.anchor}", f"{code(check.name)} – {title}", prose(inspect.getdoc(function))]
    return {"conformance.md": page("Conformance checks", *parts)}


def _heading(topic: type) -> str:
    words = topic.__name__.removesuffix("Checks")
    return {
        "Result": "Results",
        "Correction": "Corrections",
        "Failure": "Failures",
        "Token": "Tokens",
        "Text": "Texts, keys and dates",
        "Dry": "Plans and dry runs",
        "Exporting": "Exporters",
    }.get(words, words)
