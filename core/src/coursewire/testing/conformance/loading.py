"""Loading: the channel can be used, and has what it declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from coursewire.errors import ChannelLoadError, SendError
from coursewire.model.channel import PLUGIN_API, Idempotency
from coursewire.model.kinds import OUTCOMES
from coursewire.model.reasons import REASONS
from coursewire.plugins.loading import load_channel_object
from coursewire.testing.conformance.checks import (
    REASONS_DECLARED,
    Fault,
    check,
    demand,
    demand_declared_reasons,
    demand_equal,
)
from coursewire.testing.conformance.needs import ANY_RESULTS, CONTENT, EVERY

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench
    from coursewire.testing.conformance.suite import SuiteBase

NEXT_MAJOR = f"{Version(PLUGIN_API).major + 1}.0"


class LoadingChecks:
    """Core can load the channel, and the channel is what it says."""

    @check("core loads the channel", EVERY, without_channel=True)
    def test_it_loads(self: SuiteBase, bench: Bench) -> None:
        """Hooks have the right names and arguments, and the declaration is complete.

        Core refuses a misspelt hook, an argument that a hook does not have, a hook that a capability
        needs and that is missing, and a declaration that is incomplete. While this fails nothing else
        is asked.
        """
        try:
            load_channel_object(self.channel)
        except ChannelLoadError as error:
            raise Fault(
                str(error), seen=self.channel, expected="a module or object with the channel's hooks"
            ) from None

    @check("nothing is skipped or overridden without a written reason", EVERY, without_channel=True)
    def test_nothing_is_skipped_in_silence(self: SuiteBase, bench: Bench) -> None:
        """Every check that is left out or replaced stands in ``skipped``, with a reason.

        A check that cannot hold for an LMS goes into ``skipped`` with one sentence why. A check of your
        own in place of one here needs such a sentence too, and so it is seen by whoever reads the
        suite. This check itself can be neither skipped nor replaced.
        """
        demand(
            not self.silent,
            "; ".join(self.silent),
            seen=f"skipped = {dict(self.skipped)!r}",
            expected='{"name of the check": "why it is left out or replaced"} for each of them, and no other',
        )

    @check("the channel is made for this core's plugin API, and not for later ones unseen", EVERY)
    def test_it_names_its_api(self: SuiteBase, bench: Bench) -> None:
        """``requires_api`` holds the present version and ends before the next major one.

        Write ``requires_api=">=2.0,<3"``.
        """
        wanted = SpecifierSet(bench.channel.requires_api)
        demand(
            PLUGIN_API in wanted, "requires_api leaves out this core", seen=str(wanted), expected=PLUGIN_API
        )
        demand(
            NEXT_MAJOR not in wanted,
            f"requires_api takes {NEXT_MAJOR} too, which nobody has seen yet",
            seen=str(wanted),
            expected=f">={PLUGIN_API},<{Version(NEXT_MAJOR).major}",
        )

    @check("the declaration is the same whenever it is asked for", EVERY)
    def test_it_declares_the_same_again(self: SuiteBase, bench: Bench) -> None:
        """Core asks more than once, in more than one process."""
        again = load_channel_object(self.channel).channel
        demand_equal(again, bench.kit.channel, "declare_channel() gave something else the second time")

    @check("every capability that is declared has its hooks", EVERY)
    def test_it_has_the_hooks_that_it_needs(self: SuiteBase, bench: Bench) -> None:
        """A declared kind can be asked for.

        Declare only what the channel can do. ``Support.NOT_IMPLEMENTED`` and ``Support.IMPOSSIBLE`` are
        answers too, and tell users which of the two it is.
        """
        can = bench.channel.capabilities
        needed = {"authenticate": True, "check_connection": True}
        needed |= {"export_content": can.content.usable, "send_content": CONTENT.applies(bench.channel)}
        needed |= {kind.info.export_hook: can.takes(kind) for kind in OUTCOMES}
        needed["send_outcomes"] = ANY_RESULTS.applies(bench.channel)
        needed["find_remote"] = can.content.usable and can.idempotency is Idempotency.NATURAL_KEY
        needed["list_remote"] = can.list_remote.usable
        needed["list_inactive_learners"] = can.list_inactive_learners.usable
        missing = sorted(
            hook
            for hook, wanted in needed.items()
            if wanted and not bench.loaded.hook_caller.implements(hook)
        )
        demand(not missing, f"hooks are missing: {', '.join(missing)}", seen=can, expected=sorted(needed))

    @check(REASONS_DECLARED, EVERY)
    def test_reasons_are_declared(self: SuiteBase, bench: Bench) -> None:
        """A code that nobody declares cannot be explained, counted or documented.

        An item is sent that the LMS refuses, and every other check looks at its end, too. Give a result one of core's
        codes, which ``cw.Reason`` has, or declare your own: ``Channel(reasons=(cw.ReasonInfo(...), ...))``. A code that
        core has is not declared again: it means the same in every channel. Where the LMS has error codes of its own that
        are passed on, a row with the code ``*`` stands for those without a row.
        """
        again = sorted(info.code for info in bench.channel.reasons if info.code in REASONS)
        demand(
            not again,
            f"the channel declares codes that core has: {', '.join(again)}",
            expected="codes of the channel's own",
        )
        if CONTENT.applies(bench.channel):
            uuid, items = bench.configure(), bench.shelve(1, 2)
            bench.simulator.poisoned = {bench.remote_key(items[0])}
            bench.settle(uuid)
        demand_declared_reasons(bench)

    @check("the simulator's sample is a complete configuration", EVERY)
    def test_the_sample_is_complete(self: SuiteBase, bench: Bench) -> None:
        """An author, a test and ``coursewire simulate`` all start from it.

        ``sample_config()`` of the simulator gives every field that a configuration needs, with the
        address in ``self.url`` and credentials that the simulator knows.
        """
        bench.configure()

    @check("the connection can be checked, and checking it changes nothing", EVERY)
    def test_the_connection_can_be_checked(self: SuiteBase, bench: Bench) -> None:
        """One sentence for each thing that works.

        Ask for something harmless that needs the same rights as sending: an account, one learner, a
        list of one row.
        """
        said = bench.in_session(bench.configure(), bench.loaded.hook_caller.check_connection)
        demand(
            said, "check_connection said nothing", seen=said, expected="a sentence for each thing that works"
        )
        demand(
            bench.simulator.seen,
            "check_connection asked the LMS nothing",
            seen="no request",
            expected="a request",
        )
        demand(
            not bench.simulator.items and not bench.simulator.outcomes,
            "check_connection left something at the LMS",
            seen=[*bench.simulator.items, *bench.simulator.outcomes],
            expected="nothing",
        )

    @check("a connection that does not work is an error, whatever the status says", EVERY)
    def test_a_broken_connection_is_told(self: SuiteBase, bench: Bench) -> None:
        """Refused credentials, a page of HTML, an error inside a 200: none of them is a working connection.

        Read the body as strictly as any input: a status of 200 alone proves nothing. Raise
        ``UnreachableError``, ``BlockedError`` or another ``SendError`` with the next step.
        """
        uuid = bench.configure()
        for name in ("expired token", "HTML error page", "200 with error body", "empty answer"):
            bench.simulator.misbehave.clear()
            bench.misbehave(name, times=None)
            try:
                said = bench.in_session(uuid, bench.loaded.hook_caller.check_connection)
            except SendError as error:
                demand(str(error), f"the error after {name!r} says nothing")
            else:
                raise Fault(
                    f"check_connection takes {name!r} for a connection that works",
                    seen=said,
                    expected="a SendError with the next step",
                )
