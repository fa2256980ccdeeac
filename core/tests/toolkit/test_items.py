from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind, fingerprint
from coursewire.toolkit.items import BulkItemWriter, ItemWriter

CREATE, UPDATE, RETIRE = Operation.CREATE, Operation.UPDATE, Operation.RETIRE
ACCEPTED, ALREADY_SO, REJECTED = ResultKind.ACCEPTED, ResultKind.ALREADY_SO, ResultKind.REJECTED


def course(key, operation, remote_id=None):
    return Payload(key, operation, {}, fingerprint(key), key, remote_id)


@dataclass
class Lms:
    """Items by id, each with our key or a stranger's; names are unique, and ours are our keys."""

    held: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


class Finder:
    def __init__(self, lms):
        self.lms = lms

    async def find(self, payload):
        self.lms.asked.append(f"find {payload.remote_key}")
        return next((item for item, key in self.lms.held.items() if key == payload.remote_key), None)


class OneByOne(Finder, ItemWriter):
    async def create(self, payload):
        self.lms.asked.append(f"create {payload.remote_key}")
        if payload.remote_key in {*self.lms.held.values(), *self.lms.names}:
            return Result(REJECTED, "conflict", http_status=409)
        new = str(100 + len(self.lms.held))
        self.lms.held[new] = payload.remote_key
        return Result(ACCEPTED, remote_id=new, http_status=201)

    async def update(self, remote_id, payload):
        self.lms.asked.append(f"update {remote_id}")
        if remote_id not in self.lms.held:
            return Result(REJECTED, "not-found-at-lms", http_status=404)
        return Result(ACCEPTED, remote_id=remote_id, http_status=200)

    async def retire(self, remote_id, payload):
        self.lms.asked.append(f"retire {remote_id}")
        if self.lms.held.pop(remote_id, None) is None:
            return Result(REJECTED, "not-found-at-lms", http_status=410)
        return Result(ACCEPTED, remote_id=remote_id, http_status=204)


class AllAtOnce(Finder, BulkItemWriter):
    """Makes all or none."""

    async def create_all(self, payloads):
        self.lms.asked.append("create " + " ".join(payload.remote_key for payload in payloads))
        taken = {*self.lms.held.values(), *self.lms.names}
        if any(payload.remote_key in taken for payload in payloads):
            clash = Result(REJECTED, "conflict", http_status=409, batch_refused=True)
            return {payload.key: clash for payload in payloads}
        made = {payload.key: f"new-{payload.remote_key}" for payload in payloads}
        self.lms.held |= {item: key for key, item in made.items()}
        return {key: Result(ACCEPTED, remote_id=item, http_status=200) for key, item in made.items()}

    async def update_all(self, there):
        self.lms.asked.append("update " + " ".join(there))
        return {each.key: Result(ACCEPTED, remote_id=item) for item, each in there.items()}

    async def retire_all(self, there):
        raise AssertionError("these tests retire nothing in bulk")


class LooksFirst(OneByOne):
    looks_first = True


def send(adopter, *payloads):
    return asyncio.run(adopter.send(Batch(payloads[0].operation, payloads)))


@pytest.mark.parametrize(
    ("operation", "known", "held", "asked", "kind", "remote_id"),
    [
        (CREATE, None, {}, ["create k"], ACCEPTED, "100"),
        (CREATE, None, {"7": "k"}, ["create k", "find k", "update 7"], ACCEPTED, "7"),
        (CREATE, "7", {"7": "k"}, ["update 7"], ACCEPTED, "7"),
        (UPDATE, "7", {"7": "k"}, ["update 7"], ACCEPTED, "7"),
        (UPDATE, "7", {"8": "k"}, ["update 7", "find k", "update 8"], ACCEPTED, "8"),
        (UPDATE, "7", {}, ["update 7", "find k", "create k"], ACCEPTED, "100"),
        (UPDATE, None, {"8": "k"}, ["find k", "update 8"], ACCEPTED, "8"),
        (UPDATE, None, {}, ["find k", "create k"], ACCEPTED, "100"),
        (RETIRE, "7", {"7": "k"}, ["retire 7"], ACCEPTED, "7"),
        (RETIRE, "7", {"8": "k"}, ["retire 7", "find k", "retire 8"], ACCEPTED, "8"),
        (RETIRE, "7", {}, ["retire 7", "find k"], ALREADY_SO, "7"),
        (RETIRE, None, {}, ["find k"], ALREADY_SO, None),
    ],
)
def test_what_is_asked_for_depends_on_what_is_known_and_there(operation, known, held, asked, kind, remote_id):
    lms = Lms(held)
    (result,) = send(OneByOne(lms), course("k", operation, known))
    assert (lms.asked, result.kind, result.remote_id) == (asked, kind, remote_id)


@pytest.mark.parametrize("operation", [CREATE, UPDATE])
def test_what_a_stranger_is_in_the_way_of_keeps_its_refusal(operation):
    lms = Lms(names={"k"})
    (result,) = send(OneByOne(lms), course("k", operation))
    assert (result.kind, result.reason, lms.held) == (REJECTED, "conflict", {})


def test_an_lms_that_would_make_a_second_one_is_asked_first():
    lms = Lms({"7": "k"})
    (result,) = send(LooksFirst(lms), course("k", CREATE))
    assert (result.remote_id, lms.asked) == ("7", ["find k", "update 7"])


def test_where_all_are_refused_for_one_ours_is_adopted_and_the_others_are_made():
    lms = Lms({"7": "b"})
    results = send(AllAtOnce(lms), course("a", CREATE), course("b", CREATE), course("c", CREATE))
    assert [result.remote_id for result in results] == ["new-a", "7", "new-c"]
    assert [asked for asked in lms.asked if "find" not in asked] == ["create a b c", "update 7", "create a c"]


def test_where_all_are_refused_and_none_is_ours_the_refusal_stands():
    lms = Lms(names={"b"})
    results = send(AllAtOnce(lms), course("a", CREATE), course("b", CREATE))
    assert [(result.reason, result.batch_refused) for result in results] == [("conflict", True)] * 2
    assert not lms.held


def test_results_come_in_the_order_of_the_batch():
    lms = Lms({"7": "a", "9": "c"})
    results = send(
        OneByOne(lms), course("a", UPDATE, "7"), course("b", UPDATE, "8"), course("c", UPDATE, "9")
    )
    assert [result.remote_id for result in results] == ["7", "102", "9"]


@pytest.mark.parametrize("operation", [UPDATE, RETIRE])
def test_a_404_that_settles_nothing_says_nothing_of_the_id(operation):
    class BehindAProxy(OneByOne):
        async def update(self, remote_id, payload):
            return Result(ResultKind.TRY_LATER, "unreadable-answer", http_status=404)

        async def retire(self, remote_id, payload):
            return await self.update(remote_id, payload)

    lms = Lms({"7": "k"})
    (result,) = send(BehindAProxy(lms), course("k", operation, "7"))

    assert (result.reason, lms.asked) == ("unreadable-answer", [])


@pytest.mark.parametrize(
    ("writer", "left_out"), [(ItemWriter, "create"), (BulkItemWriter, "create_all"), (ItemWriter, "find")]
)
def test_a_writer_with_a_method_left_out_is_refused_before_it_sends(writer, left_out):
    abstract = dict.fromkeys(writer.__abstractmethods__ - {left_out}, lambda self: None)
    with pytest.raises(TypeError, match=left_out):
        type("Incomplete", (writer,), abstract)(None)
