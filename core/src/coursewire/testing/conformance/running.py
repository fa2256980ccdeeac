"""Running the checks without pytest: for ``coursewire conformance``, and for tests of channels that are wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from coursewire.testing.conformance.checks import Fault, message
from coursewire.testing.conformance.kit import Kit
from coursewire.testing.conformance.suite import SLOW_TO_START, ChannelSuite, Listed, open_kit

NEEDS_A_FOLDER = "It needs a folder of golden pairs, which the channel's own tests have."


class Outcome(StrEnum):
    """The end of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one channel.

    Attributes:
        name: Of the check, ``test_...``.
        title: The requirement, as a sentence.
        capability: What the channel must declare for it to apply; "" for every channel.
        outcome: What became of it.
        message: Why it failed, with where it is explained; or the written reason why it was skipped; or that it is
            called for and lacks golden pairs.
        explained: Page and section of the docs.
        duration_s: Seconds.
    """

    name: str
    title: str
    capability: str
    outcome: Outcome
    message: str
    explained: str
    duration_s: float


def run_suite(
    channel: object,
    *,
    golden: str | Path | None = None,
    config: Mapping[str, Any] | None = None,
    skipped: Mapping[str, str] | None = None,
    only: Callable[[Listed], bool] | None = None,
    progress: Callable[[CheckResult], None] | None = None,
) -> list[CheckResult]:
    """Run every check that applies to a channel.

    Call it outside an event loop: checks run jobs of their own.

    Args:
        channel: The module or object with the channel's hooks.
        golden: Folder of golden pairs.
        config: As in :class:`ChannelSuite`.
        skipped: As in :class:`ChannelSuite`.
        only: Tells which checks to run; the others are left out of the answer.
        progress: Told each result as it comes.

    Returns:
        One result for every check there is, in their order.
    """
    folder = None if golden is None else Path(golden).absolute()
    fields = {"channel": channel, "golden": folder, "config": config or {}, "skipped": skipped or {}}
    suite: type[ChannelSuite] = type("Suite", (ChannelSuite,), fields)
    results = []
    with ExitStack() as cleanup:
        kit: Kit | None = None
        broken: Fault | None = None
        try:
            kit = open_kit(suite, cleanup)
        except Fault as fault:
            broken = fault
        chosen = [listed for listed in suite.checks() if only is None or only(listed)]
        if kit is not None and any(listed.check.name == SLOW_TO_START for listed in chosen):
            kit.start_sibling()
        for listed in chosen:
            result = _run(suite, listed, kit, broken)
            results.append(result)
            if progress is not None:
                progress(result)
    return results


def _run(suite: type[ChannelSuite], listed: Listed, kit: Kit | None, broken: Fault | None) -> CheckResult:
    check, outcome, said = listed.check, Outcome.PASSED, ""
    started = time.perf_counter()
    if not listed.applies:
        outcome = Outcome.NOT_APPLICABLE
        if check.golden and kit is not None and check.need.applies(kit.channel):
            said = NEEDS_A_FOLDER
    elif listed.skipped:
        outcome, said = Outcome.SKIPPED, listed.skipped
    elif broken is not None and not check.without_channel:
        outcome, said = Outcome.FAILED, message(check, broken)
    else:
        try:
            getattr(suite(), check.name)(None if kit is None else kit.bench())
        except AssertionError as error:
            outcome, said = Outcome.FAILED, str(error)
    return CheckResult(
        check.name,
        check.title,
        check.need.text,
        outcome,
        said,
        check.explained,
        time.perf_counter() - started,
    )
