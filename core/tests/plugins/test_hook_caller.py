"""The relay: who is asked in which order, what is checked, who is named when something is wrong."""

import asyncio
import logging
import types
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import httpx
import pytest

from coursewire import hookimpl
from coursewire.errors import (
    ContractError,
    CredentialsError,
    IncompleteListError,
    NotExportableError,
    RejectedError,
    SourceError,
)
from coursewire.model.channel import Capabilities, Channel, Limits, Support
from coursewire.model.configuration import ChannelConfig
from coursewire.model.content import ContentItem
from coursewire.model.inbound import CodeGrant, InboundAccess, InboundRoute
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Assessment, Completion, Verdict
from coursewire.model.payload import Batch, Operation, Payload, RemoteItem, Result, ResultKind, fingerprint
from coursewire.model.reasons import CountedAs, ReasonGroup, ReasonInfo
from coursewire.plugins.defaults import CoreDefaults
from coursewire.plugins.loading import load_channel_object

ITEM = ContentItem(content_type="course", key="edX+DemoX")
CONFIG = ChannelConfig()
ROUTE = InboundRoute("/courses", handler=None, access=InboundAccess.PUBLIC)
GRANT = CodeGrant(("refresh_token",), authorize_url=None, token_request=None, read_token=None)
CREATE, UPDATE = Operation.CREATE, Operation.UPDATE
COMPLETION = Completion(
    enrollment_id="1",
    username="vera",
    email="vera@example.com",
    remote_id="r1",
    course_key="edX+DemoX",
    course_run_key="course-v1:edX+DemoX+1",
    verdict=Verdict.PASS,
    complete=True,
    completed_at=datetime(2020, 1, 1, tzinfo=UTC),
    percent=Decimal("0.5"),
)
ASSESSMENT = Assessment(
    **COMPLETION.model_dump(include={*Assessment.model_fields}),
    subsection_id="s",
    subsection_name="S",
    points_earned=1,
    points_possible=2,
)
JOB = {"id": "j1"}
ACCEPTED = Result(ResultKind.ACCEPTED)


def payloads(count, *, operation=CREATE, text="t", **body):
    return [
        Payload(f"k{n}", operation, {"id": f"k{n}", "t": text, **body}, fingerprint({"id": n}), f"k{n}")
        for n in range(count)
    ]


BATCH = Batch(CREATE, tuple(payloads(3)))


class Probe:
    """A channel whose answers a test chooses: values, or functions that are called."""

    def __init__(self, limits=None, reasons=(), **answers):
        self.reasons = reasons
        self.limits = limits or Limits(batch_items=10, outcome_batch_items=2)
        self.answers = answers

    def say(self, hook, *args):
        answer = self.answers.get(hook)
        return answer(*args) if isinstance(answer, types.FunctionType) else answer

    @hookimpl
    def declare_channel(self):
        can = Capabilities(content=Support.FULL, completions=Support.FULL, assessments=Support.FULL)
        return Channel(
            code="PROBE",
            title="Probe",
            requires_api=">=2.0,<3",
            config=ChannelConfig,
            capabilities=can,
            limits=self.limits,
            reasons=self.reasons,
        )

    @hookimpl
    def export_content(self, config, item, moment):
        return self.say("export_content", item)

    @hookimpl
    def export_completion(self, completion):
        return self.say("export_completion", completion)

    @hookimpl
    def export_assessment(self, assessment):
        return self.say("export_assessment", assessment)

    @hookimpl
    def authenticate(self, config, tokens):
        return self.say("authenticate")

    @hookimpl
    async def send_content(self, batch):
        return self.say("send_content", batch)

    @hookimpl
    async def send_outcomes(self, batch):
        return self.say("send_outcomes", batch)

    @hookimpl
    async def check_connection(self, session):
        return self.say("check_connection")


class Chatty(Probe):
    """A channel with an answer for the hooks that core or nobody has one for."""

    @hookimpl
    def make_batches(self, config, kind, operation, payloads):
        return self.say("make_batches", operation, payloads)

    @hookimpl
    def remote_key(self, item):
        return self.say("remote_key")

    @hookimpl
    def should_transmit(self, record):
        return self.say("should_transmit")

    @hookimpl
    async def find_remote(self, key):
        return self.say("find_remote")

    @hookimpl
    async def list_remote(self, session):
        return self.say("list_remote")

    @hookimpl
    def read_slow_down(self, response):
        return self.say("read_slow_down")

    @hookimpl
    def oauth_application(self):
        return self.say("oauth_application")

    @hookimpl
    def inbound_routes(self):
        return self.say("inbound_routes")

    @hookimpl
    def channel_commands(self):
        return self.say("channel_commands")


def relay_of(plugin, *operators):
    loaded = load_channel_object(
        plugin, name="probe", distribution="acme-probe", version="1.2.3", operators=operators
    )
    return loaded.hook_caller


def broken(call, *args, **kwargs):
    """The text of the contract error that a call ends with."""

    async def run():
        answer = call(*args, **kwargs)
        return await answer if asyncio.iscoroutine(answer) else answer

    with pytest.raises(ContractError) as caught:
        asyncio.run(run())
    return str(caught.value)


WHERE = "PROBE (acme-probe 1.2.3)"


# -- core's defaults -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "status", "headers", "words", "seconds"),
    [
        (("429", "403 with text"), 403, {}, "403 Forbidden (Rate Limit Exceeded)", 0.0),
        (("403 with text",), 403, {"X-Rate-Limit-Remaining": "0"}, "no", 0.0),
        (("403 with text",), 403, {"X-Rate-Limit-Remaining": "7"}, "no right to do this", None),
        (("403 with text",), 400, {"X-Rate-Limit-Remaining": "0"}, "Rate limit", None),
        (("429",), 403, {"X-Rate-Limit-Remaining": "0"}, "Rate limit", None),
    ],
)
def test_a_403_means_slow_down_where_the_channel_declares_it_and_the_answer_says_so(
    declared, status, headers, words, seconds
):
    channel = Channel(
        code="XX",
        title="X",
        requires_api=">=2.0,<3",
        config=ChannelConfig,
        capabilities=Capabilities(slow_down=declared),
    )
    response = httpx.Response(status, headers=headers, text=words)

    assert CoreDefaults(channel).read_slow_down(response) == seconds


def test_defaults_answer_where_the_channel_does_not():
    hook_caller = relay_of(Probe())
    confirmed = {"id": "k", "schedule": [{"active": True}]}

    retirement = hook_caller.export_retirement(CONFIG, confirmed)
    assert retirement == confirmed
    retirement["schedule"][0]["active"] = False
    assert confirmed["schedule"][0]["active"] is True
    assert hook_caller.remote_key(CONFIG, ITEM) == "edX+DemoX"
    assert hook_caller.should_transmit(CONFIG, COMPLETION, None) is True
    assert hook_caller.read_slow_down(CONFIG, httpx.Response(200)) is None
    assert hook_caller.batch_sending(JOB, BATCH).batch == BATCH
    assert hook_caller.oauth_application() is None
    assert hook_caller.inbound_routes() == []
    assert hook_caller.channel_commands() == []
    assert hook_caller.implements("make_batches")
    assert not hook_caller.implements("list_remote")


@pytest.mark.parametrize(
    ("kind", "chunk", "count", "sizes"),
    [
        (Kind.CONTENT, None, 25, [10, 10, 5]),
        (Kind.CONTENT, 4, 10, [4, 4, 2]),
        (Kind.CONTENT, 400, 20, [10, 10]),
        (Kind.COMPLETIONS, None, 5, [2, 2, 1]),
        (Kind.ASSESSMENTS, 1, 2, [1, 1]),
        (Kind.CONTENT, None, 0, []),
    ],
)
def test_batches_are_filled_to_the_lower_limit_and_keep_the_order(kind, chunk, count, sizes):
    given = payloads(count)
    config = ChannelConfig(transmission_chunk_size=chunk)
    batches = relay_of(Probe()).make_batches(config, kind, CREATE, given)
    assert [len(batch) for batch in batches] == sizes
    assert [payload for batch in batches for payload in batch.payloads] == given
    assert {batch.operation for batch in batches} <= {CREATE}


def test_batches_keep_to_the_limit_of_bytes_and_a_giant_goes_alone():
    hook_caller = relay_of(Probe(Limits(batch_items=10, batch_bytes=80)))
    small, giant = payloads(5), payloads(1, text="x" * 1000)
    batches = hook_caller.make_batches(CONFIG, Kind.CONTENT, None, [*small, *giant, *payloads(1)])
    assert [len(batch) for batch in batches] == [4, 1, 1, 1]
    assert {batch.operation for batch in batches} == {None}


def test_outcomes_that_belong_together_travel_together_in_the_order_asked_for():
    hook_caller = relay_of(
        Probe(Limits(batch_items=9, outcome_batch_items=2, outcomes_by=("course", "learner")))
    )
    given = [
        replace(payloads(1, course=course, learner=learner)[0], key=course + learner)
        for course, learner in ("bz", "ay", "bx", "by")
    ]

    batches = hook_caller.make_batches(CONFIG, Kind.COMPLETIONS, None, given)

    assert [[payload.key for payload in batch.payloads] for batch in batches] == [
        ["ay"],
        ["bx", "by"],
        ["bz"],
    ]
    assert [len(batch) for batch in hook_caller.make_batches(CONFIG, Kind.CONTENT, CREATE, payloads(4))] == [
        4
    ]


# -- exporters -------------------------------------------------------------------------------------


def export(answer, *operators):
    return relay_of(Probe(export_content=answer), *operators).export_content(CONFIG, ITEM, None)


def test_exporters_hand_plain_data_through():
    body = {"s": "x", "i": 1, "f": 0.5, "b": True, "n": None, "l": [{"a": []}, [1]], "d": {}}
    hook_caller = relay_of(Probe(export_content=body, export_completion=body, export_assessment=body))
    assert hook_caller.export_content(CONFIG, ITEM, None) is body
    assert hook_caller.export_outcome(Kind.COMPLETIONS, CONFIG, COMPLETION) is body
    assert hook_caller.export_outcome(Kind.ASSESSMENTS, CONFIG, ASSESSMENT) is body


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (None, "it returned None where a dict is due"),
        ([], "it returned a list where a dict is due"),
        ({"a": [{"b": datetime(2020, 1, 1, tzinfo=UTC)}]}, "a[0].b is a datetime"),
        ({"a": {"b": (1, 2)}}, "a.b is a tuple"),
        ({"a": Colour.RED}, "a is a Colour"),
        ({"a": Decimal(1)}, "a is a Decimal"),
        ({"a": {1: 2}}, "a has an int for a key"),
        ({1: 2}, "has an int for a key"),
        ({"a": [1.0, float("nan")]}, "a[1] is not a finite number"),
        ({"a": float("-inf")}, "a is not a finite number"),
    ],
)
def test_a_payload_that_is_no_plain_data_is_refused(body, part):
    text = broken(export, body)
    assert text.startswith(f"hook export_content broke its contract ({WHERE}): ")
    assert part in text
    assert text.endswith("report it to its authors.")


def test_an_error_of_ours_passes_untouched():
    def lacking(item):
        raise NotExportableError("title", "it is empty")

    with pytest.raises(NotExportableError):
        export(lacking)


def test_another_error_names_plugin_place_and_cause_but_no_data():
    def stumble(item):
        raise ValueError("vera@example.com")

    with pytest.raises(ContractError) as caught:
        export(stumble)
    assert WHERE in str(caught.value)
    assert "it raised ValueError, raised at plugins/test_hook_caller.py line" in str(caught.value)
    assert "vera" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


def test_an_error_about_code_keeps_its_text():
    assert "'ContentItem' object has no attribute 'titel'" in broken(export, lambda item: item.titel)


# -- operators' hooks over the channel's -----------------------------------------------------------


class Upper:
    __name__ = "upper hooks"

    @hookimpl(wrapper=True)
    def export_content(self):
        body = yield
        return {**body, "wrapped": True}


def test_an_operator_can_wrap_and_replace_a_channels_hook():
    class Instead:
        @hookimpl
        def export_content(self, item):
            return {"instead": item.content_key}

    assert export({"a": 1}, Upper()) == {"a": 1, "wrapped": True}
    assert export({"a": 1}, Upper(), Instead()) == {"instead": "edX+DemoX", "wrapped": True}


def test_the_one_that_raised_is_named():
    class Bad:
        __name__ = "bad hooks"

        @hookimpl(wrapper=True)
        def export_content(self):
            yield
            raise ZeroDivisionError

    assert "(bad hooks): it raised ZeroDivisionError" in broken(export, {"a": 1}, Upper(), Bad())
    assert f"({WHERE}): it raised ZeroDivisionError" in broken(export, lambda item: 1 / 0, Upper())


def test_a_wrong_answer_names_all_who_could_have_given_it():
    class Forgets:
        __name__ = "forgetful hooks"

        @hookimpl(wrapper=True)
        def export_content(self):
            yield

    assert f"(forgetful hooks, {WHERE}): it returned None" in broken(export, {"a": 1}, Forgets())


def test_a_wrapper_goes_round_a_coroutine():
    class Around:
        @hookimpl(wrapper=True)
        def send_content(self):
            pending = yield

            async def later():
                return [replace(result, message="seen") for result in await pending]

            return later()

    hook_caller = relay_of(Probe(send_content=[ACCEPTED] * 3), Around())
    results = asyncio.run(hook_caller.send(None, Kind.CONTENT, BATCH))
    assert [result.message for result in results] == ["seen"] * 3


def test_a_fault_that_shows_in_no_plugins_code_names_all_who_are_in_it():
    class Twice:
        __name__ = "stuttering hooks"

        @hookimpl(wrapper=True)
        def export_content(self):
            yield
            yield

    text = broken(export, {"a": 1}, Twice())
    assert f"(stuttering hooks, {WHERE}): it raised RuntimeError" in text
    assert "raised at" not in text


# -- batches ---------------------------------------------------------------------------------------


def whole(operation, given):
    return [Batch(operation, tuple(given))]


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ("text", "it returned a str where batches is due"),
        (7, "it returned an int where batches is due"),
        (None, None),
        (lambda op, given: [given], "it returned a list where batches is due"),
        (lambda op, given: [Batch(op, tuple(given)), Batch(op, ())], "a batch of 0 where 1 to 5 may travel"),
        (lambda op, given: whole(op, given * 2), "a batch of 6 where 1 to 5 may travel"),
        (lambda op, given: whole(UPDATE, given), "a batch for update where create was asked"),
        (lambda op, given: whole(op, given[1:]), "1 of 3 payloads are in no batch"),
        (
            lambda op, given: whole(op, [*given, given[0]]),
            "the payload k0 was not handed in, or is there twice",
        ),
        (lambda op, given: whole(op, payloads(3)), "the payload k0 was not handed in"),
        (lambda op, given: (1 / 0 for _ in given), "it raised ZeroDivisionError"),
    ],
)
def test_batches_that_lose_or_double_something_are_refused(answer, part):
    hook_caller = relay_of(Chatty(Limits(batch_items=5), make_batches=answer))
    if part is None:  # no answer: core's default has one
        assert len(hook_caller.make_batches(CONFIG, Kind.CONTENT, CREATE, payloads(3))) == 1
    else:
        assert part in broken(hook_caller.make_batches, CONFIG, Kind.CONTENT, CREATE, payloads(3))


def test_a_batch_of_outcomes_that_do_not_belong_together_is_refused():
    limits = Limits(batch_items=9, outcome_batch_items=9, outcomes_by=("course", "learner"))
    hook_caller = relay_of(Chatty(limits, make_batches=whole))
    given = [
        replace(payloads(1, course=course, learner="a")[0], key=course) for course in ("botany", "zoology")
    ]

    refusal = broken(hook_caller.make_batches, CONFIG, Kind.COMPLETIONS, CREATE, given)

    assert "outcomes that differ in 'course'" in refusal
    assert len(hook_caller.make_batches(CONFIG, Kind.CONTENT, CREATE, given)) == 1


def test_batches_with_too_many_bytes_are_refused():
    hook_caller = relay_of(Chatty(Limits(batch_items=9, batch_bytes=50), make_batches=whole))
    assert "bytes where 50 may travel" in broken(
        hook_caller.make_batches, CONFIG, Kind.CONTENT, CREATE, payloads(5)
    )


def test_a_channel_may_make_batches_in_its_own_way_and_raise_our_errors():
    def one_by_one(operation, given):
        return [Batch(operation, (payload,)) for payload in reversed(given)]

    hook_caller = relay_of(Chatty(Limits(batch_items=5), make_batches=one_by_one))
    assert len(hook_caller.make_batches(CONFIG, Kind.CONTENT, CREATE, payloads(3))) == 3

    def stops(operation, given):
        def late():
            yield Batch(operation, tuple(given[:1]))
            raise SourceError("stop")

        return late()

    with pytest.raises(SourceError):
        relay_of(Chatty(make_batches=stops)).make_batches(CONFIG, Kind.CONTENT, CREATE, payloads(3))


# -- clients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
def test_results_are_held_against_the_batch(kind):
    hook = "send_content" if kind is Kind.CONTENT else "send_outcomes"

    def send(answer):
        return relay_of(Probe(**{hook: answer})).send(None, kind, BATCH)

    assert asyncio.run(send([ACCEPTED] * 3)) == [ACCEPTED] * 3
    assert "it returned 2 results for 3 payloads" in broken(send, [ACCEPTED] * 2)
    assert "it returned None where a list of Result is due" in broken(send, None)
    assert "it returned a tuple where a list of Result is due" in broken(send, (ACCEPTED,) * 3)
    assert "it returned a bool where Result is due" in broken(send, [ACCEPTED, True, ACCEPTED])
    assert "it raised ZeroDivisionError" in broken(send, lambda batch: 1 / 0)

    def refuse(batch):
        raise CredentialsError("the token was refused")

    with pytest.raises(CredentialsError):
        asyncio.run(send(refuse))


def test_a_reason_that_nobody_declares_is_logged_once_and_its_result_counts(caplog):
    results = [replace(ACCEPTED, kind=ResultKind.REJECTED, reason="full-moon")] * 3
    hook_caller = relay_of(Probe(send_content=results))
    assert asyncio.run(hook_caller.send(None, Kind.CONTENT, BATCH)) == results
    assert asyncio.run(hook_caller.send(None, Kind.CONTENT, BATCH)) == results
    assert hook_caller.undeclared == {"full-moon": "send_content"}
    (record,) = caplog.records
    assert "'full-moon' in send_content, which neither core nor the channel declares" in record.getMessage()


def test_a_reason_of_an_error_is_held_against_the_declared_ones_too(caplog):
    def refuse(batch):
        raise RejectedError("no", reason="full-moon")

    hook_caller = relay_of(Probe(send_outcomes=refuse))
    with pytest.raises(RejectedError):
        asyncio.run(hook_caller.send(None, Kind.COMPLETIONS, BATCH))
    assert hook_caller.undeclared == {"full-moon": "send_outcomes"}


def test_codes_of_core_and_of_the_channel_are_known(caplog):
    moon = ReasonInfo("full-moon", ReasonGroup.LMS, CountedAs.FAILED, "the moon is full")
    codes = ("refused", "http-418", "full-moon")
    results = [replace(ACCEPTED, kind=ResultKind.REJECTED, reason=code) for code in codes]
    hook_caller = relay_of(Probe(send_content=results, reasons=(moon,)))
    assert asyncio.run(hook_caller.send(None, Kind.CONTENT, BATCH)) == results
    assert hook_caller.undeclared == {}
    assert caplog.records == []


def test_an_async_hook_that_gives_no_coroutine_is_refused():
    class Plain:
        __name__ = "plain hooks"

        @hookimpl
        def send_content(self, batch):
            return [ACCEPTED]

    hook_caller = relay_of(Probe(), Plain())
    assert "it returned a list where a coroutine is due" in broken(
        hook_caller.send, None, Kind.CONTENT, BATCH
    )


def test_a_hook_that_nobody_implements_says_so():
    hook_caller = relay_of(Probe())
    for text in (broken(hook_caller.find_remote, None, "k"), broken(hook_caller.list_remote, None)):
        assert f"({WHERE}): the channel does not implement it" in text


def test_what_else_a_client_answers_is_checked():
    auth = httpx.BasicAuth("u", "p")
    found = RemoteItem("k", "1")
    good = relay_of(
        Chatty(
            authenticate=auth,
            find_remote=found,
            list_remote=[found],
            check_connection=["it works"],
            remote_key="K",
            should_transmit=False,
            read_slow_down=3,
            oauth_application=GRANT,
            inbound_routes=[ROUTE],
            channel_commands="commands",
        )
    )
    assert good.authenticate(CONFIG, None) is auth
    assert asyncio.run(good.find_remote(None, "k")) is found
    assert asyncio.run(good.list_remote(None)) == [found]
    assert asyncio.run(good.check_connection(None)) == ["it works"]
    assert good.remote_key(CONFIG, ITEM) == "K"
    assert good.should_transmit(CONFIG, COMPLETION, {}) is False
    assert good.read_slow_down(CONFIG, httpx.Response(200)) == 3.0
    assert good.oauth_application() is GRANT
    assert good.inbound_routes() == [ROUTE]
    assert good.channel_commands() == ["commands"]

    bad = relay_of(
        Chatty(
            find_remote={"id": 1},
            list_remote=["k"],
            check_connection="fine",
            remote_key="",
            should_transmit=1,
            read_slow_down=-1,
            oauth_application=[GRANT],
            inbound_routes="/x",
        )
    )
    assert "it returned None where Auth is due" in broken(bad.authenticate, CONFIG, None)
    assert "it returned a dict where RemoteItem is due" in broken(bad.find_remote, None, "k")
    assert "it returned a str where RemoteItem is due" in broken(bad.list_remote, None)
    assert "it returned a str where a list of str is due" in broken(bad.check_connection, None)
    assert "an empty key" in broken(bad.remote_key, CONFIG, ITEM)
    assert "it returned an int where bool is due" in broken(bad.should_transmit, CONFIG, COMPLETION, None)
    assert "seconds or None" in broken(bad.read_slow_down, CONFIG, httpx.Response(200))
    assert "it returned a str where a list" in broken(bad.inbound_routes)
    assert "a list where CodeGrant" in broken(bad.oauth_application)
    assert "a CodeGrant where InboundRoute" in broken(
        relay_of(Chatty(inbound_routes=[ROUTE, GRANT])).inbound_routes
    )
    assert asyncio.run(relay_of(Chatty()).find_remote(None, "k")) is None


class Leavers(Probe):
    """Lists what it is made with; an exception among it is raised."""

    def __init__(self, *leavers):
        super().__init__()
        self.leavers = leavers

    @hookimpl
    async def list_inactive_learners(self, session):
        for leaver in self.leavers:
            if isinstance(leaver, Exception):
                raise leaver
            yield leaver


class ListOfLeavers(Probe):
    @hookimpl
    def list_inactive_learners(self):
        return ["a"]


def read_inactive(hook_caller):
    async def run():
        return [each async for each in hook_caller.list_inactive_learners(None)]

    return asyncio.run(run())


def test_inactive_learners_are_each_named_once():
    assert read_inactive(relay_of(Leavers("a", "b", "a"))) == ["a", "b"]
    assert read_inactive(relay_of(Leavers())) == []


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (Leavers("a", 7), "it returned an int where str is due"),
        (Leavers("a", KeyError("studentID")), "it raised KeyError"),
        (ListOfLeavers(), "it returned a list where an async iterator is due"),
        (Probe(), "the channel does not implement it"),
    ],
)
def test_a_list_of_inactive_learners_that_breaks_the_contract(plugin, words):
    with pytest.raises(ContractError) as caught:
        read_inactive(relay_of(plugin))
    assert words in str(caught.value)
    assert WHERE in str(caught.value)


def test_an_error_of_ours_ends_the_list_of_inactive_learners_as_it_is():
    error = IncompleteListError("a page is missing")
    with pytest.raises(IncompleteListError) as caught:
        read_inactive(relay_of(Leavers("a", error)))
    assert caught.value is error


# -- what operators are told -----------------------------------------------------------------------


def test_operators_are_told_and_one_that_raises_silences_nobody(caplog):
    told = []

    class Listens:
        def __init__(self, name):
            self.__name__ = name

        def note(self, hook):
            if self.__name__ == "bad":
                raise ValueError("vera@example.com")
            told.append((self.__name__, hook))

        @hookimpl
        def job_started(self, job):
            self.note("job_started")

        @hookimpl
        def batch_sent(self, batch, results):
            self.note("batch_sent")

        @hookimpl
        def transmission_failed(self, payload, result):
            self.note("transmission_failed")

        @hookimpl
        def job_finished(self, summary):
            self.note("job_finished")

    hook_caller = relay_of(Probe(), Listens("first"), Listens("bad"), Listens("last"))
    hook_caller.job_started(JOB)
    hook_caller.batch_sent(JOB, BATCH, [ACCEPTED] * 3)
    hook_caller.transmission_failed(JOB, BATCH.payloads[0], ACCEPTED)
    hook_caller.job_finished(JOB, {})

    hooks = ["job_started", "batch_sent", "transmission_failed", "job_finished"]
    for name in ("first", "last"):
        assert [hook for who, hook in told if who == name] == hooks
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 4
    for hook, record in zip(hooks, caplog.records, strict=True):
        assert f"Hook {hook} of bad raised and was passed over: ValueError" in record.message
    assert "vera" not in caplog.text


class Changes:
    """An operator's wrapper around ``batch_sending``."""

    __name__ = "our rules"

    def __init__(self, change):
        self.change = change

    @hookimpl(wrapper=True)
    def batch_sending(self):
        return self.change((yield))


def test_an_operator_may_change_a_body_and_the_fingerprint_stays_the_planned_one():
    def change(batch):
        first, *others = batch.payloads
        new = replace(first, body={"id": "x"}, fingerprint="forged", key="k0", remote_key="elsewhere")
        return replace(batch, payloads=(new, *others), operation=UPDATE)

    sending = relay_of(Probe(), Changes(change)).batch_sending(JOB, BATCH)
    assert sending.batch.payloads[0] == replace(BATCH.payloads[0], body={"id": "x"})
    assert sending.batch.payloads[1:] == BATCH.payloads[1:]
    assert sending.batch.operation is CREATE
    assert (sending.held, sending.reason) == ((), "")


def test_an_operator_may_hold_back_some_or_all():
    hook_caller = relay_of(Probe(), Changes(lambda batch: replace(batch, payloads=batch.payloads[1:])))
    sending = hook_caller.batch_sending(JOB, BATCH)
    assert sending.batch.payloads == BATCH.payloads[1:]
    assert (sending.held, sending.reason) == (BATCH.payloads[:1], "held back by our rules")

    for change in (lambda batch: None, lambda batch: replace(batch, payloads=())):
        sending = relay_of(Probe(), Changes(change)).batch_sending(JOB, BATCH)
        assert (sending.batch, sending.held) == (None, BATCH.payloads)
        assert sending.reason == "held back by our rules"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda batch: 1 / 0, "it raised ZeroDivisionError"),
        (lambda batch: [batch], "it returned a list where Batch is due"),
        (lambda batch: replace(batch, payloads=(*batch.payloads, batch.payloads[0])), "added the payload k0"),
        (
            lambda batch: replace(batch, payloads=(replace(batch.payloads[0], body={"a": 1j}),)),
            "a is a complex",
        ),
    ],
)
def test_an_operators_hook_that_fails_holds_the_batch_back(change, part, caplog):
    sending = relay_of(Probe(), Changes(change)).batch_sending(JOB, BATCH)
    assert (sending.batch, sending.held) == (None, BATCH.payloads)
    assert part in sending.reason
    assert "(our rules)" in sending.reason
    assert "A batch of 3 is held back. hook batch_sending broke its contract" in caplog.text


def test_a_plugin_named_twice_is_called_once():
    told = []

    class Listens:
        @hookimpl
        def job_started(self, job):
            told.append(job)

    listens = Listens()
    relay_of(Probe(), listens, listens).job_started(JOB)
    assert told == [JOB]


# -- the trace -------------------------------------------------------------------------------------


@pytest.fixture
def trace(monkeypatch, caplog):
    monkeypatch.setenv("COURSEWIRE_TRACE_HOOKS", "1")
    logger = logging.getLogger("coursewire.hooks.trace")
    level, handlers = logger.level, list(logger.handlers)
    yield caplog
    logger.setLevel(level)
    logger.handlers[:] = handlers


def test_the_trace_names_calls_and_never_values(trace):
    hook_caller = relay_of(
        Probe(
            export_content={"secret": "swordfish"},
            export_completion=lambda completion: 1 / 0,
            send_content=[ACCEPTED] * 3,
        ),
        Changes(lambda batch: batch),
    )
    hook_caller.export_content(CONFIG, ITEM, None)
    broken(hook_caller.export_outcome, Kind.COMPLETIONS, CONFIG, COMPLETION)
    hook_caller.batch_sending({"token": "swordfish"}, BATCH)
    hook_caller.make_batches(CONFIG, Kind.CONTENT, CREATE, payloads(1))
    hook_caller.transmission_failed(JOB, BATCH.payloads[0], ACCEPTED)
    asyncio.run(hook_caller.send(None, Kind.CONTENT, BATCH))

    lines = [record.message for record in trace.records]
    assert (
        f"{WHERE}: export_content(config=ChannelConfig, item=ContentItem edX+DemoX, moment=None, remote_key=str)"
        in lines
    )
    assert f"{WHERE}: export_content -> dict of 1" in lines
    assert f"{WHERE}: export_completion raised ZeroDivisionError" in lines
    assert f"{WHERE}: batch_sending(job=dict of 1, batch=Batch of 3)" in lines
    assert f"{WHERE}: batch_sending -> Batch of 3" in lines
    assert f"{WHERE}: send_content -> coroutine" in lines
    assert any("kind=content, operation=create, payloads=list of 1" in line for line in lines)
    assert "swordfish" not in trace.text
    assert "vera" not in trace.text


def test_the_trace_names_payloads_and_results(trace):
    class Listens:
        @hookimpl
        def transmission_failed(self, payload, result): ...

    relay_of(Probe(), Listens()).transmission_failed(JOB, BATCH.payloads[0], ACCEPTED)
    assert "payload=Payload k0 (create), result=Result accepted)" in trace.text


def test_the_trace_goes_to_standard_error_where_no_log_is_set_up(trace, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger("coursewire.hooks.trace"), "propagate", False)
    relay_of(Probe(export_content={})).export_content(CONFIG, ITEM, None)
    assert f"{WHERE}: export_content -> dict of 0" in capsys.readouterr().err


def test_without_the_variable_nothing_is_traced(monkeypatch, caplog):
    monkeypatch.delenv("COURSEWIRE_TRACE_HOOKS", raising=False)
    caplog.set_level(logging.DEBUG)
    relay_of(Probe(export_content={})).export_content(CONFIG, ITEM, None)
    assert caplog.records == []
