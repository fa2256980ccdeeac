"""The examples of the hook pages: all together they are a channel and an operator's hooks that work."""

import asyncio
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType, SimpleNamespace

import httpx
import pluggy
import pytest

from coursewire.errors import BlockedError, NotExportableError, ThrottledError
from coursewire.hooks import PROJECT, SPECS
from coursewire.http.opening import open_draft_session
from coursewire.model.content import ContentItem
from coursewire.model.inbound import InboundRequest
from coursewire.model.instant import Moment
from coursewire.model.kinds import Kind
from coursewire.model.outcomes import Assessment, Completion, EnrollmentReport, LastReported
from coursewire.model.payload import Batch, Operation, Payload, Result, ResultKind, fingerprint
from coursewire.plugins.loading import load_channel_object

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOOKS = [
    (spec.__name__, name)
    for spec in SPECS
    for name, each in vars(spec).items()
    if hasattr(each, f"{PROJECT}_spec")
]


@pytest.fixture(scope="module")
def examples(root):
    """Name of the hook to its example, loaded afresh as anybody's module would be."""
    found = {}
    for path in sorted((root / "docs/examples/hooks").glob("*.py")):
        spec = spec_from_file_location(f"example_{path.stem}", path)
        found[path.stem] = module_from_spec(spec)
        spec.loader.exec_module(found[path.stem])
    return found


def test_each_hook_has_an_example_and_no_other_exists(examples):
    assert examples.keys() == {name for _, name in HOOKS}


@pytest.mark.parametrize("name", [name for _, name in HOOKS])
def test_an_example_implements_its_hook_as_specified(examples, name):
    manager = pluggy.PluginManager(PROJECT)
    for spec in SPECS:
        manager.add_hookspecs(spec)
    manager.register(examples[name])  # refuses arguments that are not specified
    manager.check_pending()
    assert [each.name for each in manager.get_hookcallers(examples[name])] == [name]
    assert len(examples[name].__doc__.split()) >= 8, "when is it called?"


@pytest.mark.parametrize("name", [name for _, name in HOOKS])
def test_each_hook_has_a_page_with_its_signature_and_example(pages, examples, root, name):
    text = pages[f"docs/reference/hooks/{name}.md"]
    source = (root / f"docs/examples/hooks/{name}.py").read_text(encoding="utf-8")
    specified = next(vars(spec)[name] for spec in SPECS if name in vars(spec))
    arguments = [
        each for each in specified.__code__.co_varnames[: specified.__code__.co_argcount] if each != "self"
    ]

    assert re.search(rf"```python\n(?:async )?def {name}\(", text)
    assert [re.search(rf"^\| `{each}` \| `.+` \| \S", text, re.MULTILINE) for each in arguments].count(
        None
    ) == 0
    assert examples[name].__doc__ in text
    assert source.partition('"""\n\n')[2].strip() in text
    assert f"](hooks/{name}.md)" in pages["docs/reference/hooks.md"]


# -- as a channel ----------------------------------------------------------------------------------


@dataclass
class Lighthouse:
    """What the examples' LMS answers; refuses what it does not know."""

    busy: bool = False
    rights: tuple = ("courses:write",)

    def __call__(self, request):
        body = json.loads(request.content) if request.content[:1] == b"{" else {}
        if request.url.path == "/oauth/token":
            assert request.content == b"grant_type=api_token&api_token=lamp-oil"
            return httpx.Response(200, json={"access_token": "beam", "expires_in": 3600})
        assert request.headers["Authorization"] == "Bearer beam"
        if self.busy:
            return httpx.Response(503, json={"code": "BUSY", "seconds": 600})
        match request.method, request.url.path:
            case "GET", "/api/account":
                return httpx.Response(200, json={"name": "School", "rights": list(self.rights)})
            case "PUT", "/api/courses":
                rows = [
                    {"id": each["id"], "ok": True, "number": 7}
                    if "BAD" not in each["id"]
                    else {"id": each["id"], "ok": False, "error": "too dark"}
                    for each in body["courses"]
                    if "LOST" not in each["id"]
                ]
                return httpx.Response(200, json={"results": rows})
            case "GET", "/api/courses":
                page = int(request.url.params.get("page", 1))
                link = {"Link": '</api/courses?per_page=100&page=2>; rel="next"'} if page == 1 else {}
                return httpx.Response(
                    200, json={"courses": [{"id": f"K{page}", "number": page}]}, headers=link
                )
            case "GET", "/api/learners":
                assert request.url.params["active"] == "false"
                page = int(request.url.params.get("page", 1))
                following = "/api/learners?active=false&per_page=100&page=2"
                link = {"Link": f'<{following}>; rel="next"'} if page == 1 else {}
                return httpx.Response(200, json={"learners": [{"id": f"L{page}"}]}, headers=link)
            case "GET", "/api/courses/K1":
                return httpx.Response(200, json={"id": "K1", "number": 1, "archived": True})
            case "GET", _:
                return httpx.Response(404, json={"error": "no such course"})
            case "PUT", "/api/results/done":
                return httpx.Response(200, json={"id": "done"})
            case _:
                return httpx.Response(404, json={"error": "no such learner"})


def module_of(functions):
    """A channel's module that holds just these."""
    module = ModuleType("lighthouse")
    vars(module).update(functions)
    return module


@pytest.fixture
def channel(examples):
    own = {name: getattr(examples[name], name) for group, name in HOOKS if group != "OperatorSpecs"}
    return load_channel_object(module_of(own))


@pytest.fixture
def config(channel):
    fields = {"lighthouse_url": "https://school.lighthouse.example", "lighthouse_token": "lamp-oil"}
    return channel.channel.config.model_validate(fields)


@pytest.fixture
def ask(channel, config):
    """Run one of the relay's client hooks against the LMS."""

    def run(hook, *arguments, lms=None):
        async def in_session():
            async with open_draft_session(
                channel=channel.channel,
                config=config,
                authenticate=lambda tokens: channel.hook_caller.authenticate(config, tokens),
                read_slow_down=lambda response: channel.hook_caller.read_slow_down(config, response),
                clock=lambda: NOW,
                transport=httpx.MockTransport(lms or Lighthouse()),
            ) as session:
                answer = getattr(channel.hook_caller, hook)(session, *arguments)
                if hook == "list_inactive_learners":
                    return [each async for each in answer]
                return await answer

        return asyncio.run(in_session())

    return run


def item(**changes):
    base = {
        "content_type": "course",
        "key": "RiverU+KNOTS",
        "title": "Knots",
        "enrollment_url": "https://courses.example.org/knots",
        "start": "2026-04-01T00:00:00Z",
    }
    return ContentItem.model_validate({**base, **changes})


OUTCOME = {
    "enrollment_id": "e-1",
    "username": "ada",
    "email": None,
    "remote_id": "1001",
    "course_key": "RiverU+KNOTS",
    "course_run_key": "course-v1:RiverU+KNOTS+1",
    "percent": "0.875",
}
COMPLETION = Completion.model_validate(
    {**OUTCOME, "verdict": "Pass", "complete": True, "completed_at": "2026-02-03T04:05:06Z"}
)


def payload(key, body, **more):
    return Payload(key, Operation.UPDATE, body, fingerprint(body), key, **more)


def test_exports(channel, config):
    hook_caller, moment = channel.hook_caller, Moment(NOW)
    assert hook_caller.export_content(config, item(), moment) == {
        "title": "Knots",
        "link": "https://courses.example.org/knots",
        "summary": "",
        "region": "eu",
        "upcoming": True,
    }
    assert moment.next_change_at == datetime(2026, 4, 1, tzinfo=UTC)
    with pytest.raises(NotExportableError, match="enrollment_url"):
        hook_caller.export_content(config, item(enrollment_url=" "), moment)
    assert hook_caller.export_retirement(config, {"title": "Knots"}) == {"title": "Knots", "archived": True}
    assert hook_caller.remote_key(config, item()) == "RiverU+KNOTS"
    long = [hook_caller.remote_key(config, item(key=f"RiverU+{'x' * 60}{number}")) for number in (1, 2)]
    assert {len(key) for key in long} == {40}
    assert len(set(long)) == 2
    assert hook_caller.export_outcome(Kind.COMPLETIONS, config, COMPLETION) == {
        "learner": "1001",
        "course": "RiverU+KNOTS",
        "done": True,
        "passed": True,
        "on": "2026-02-03T04:05:06Z",
        "percent": 87.5,
    }
    unknown = COMPLETION.model_copy(update={"percent": None})
    assert hook_caller.export_outcome(Kind.COMPLETIONS, config, unknown)["percent"] is None
    left = EnrollmentReport.model_validate(
        {
            **{name: value for name, value in OUTCOME.items() if name != "percent"},
            "mode": "verified",
            "active": False,
            "enrolled_at": "2026-01-02T03:04:05Z",
        }
    )
    assert hook_caller.export_outcome(Kind.ENROLLMENTS, config, left) == {
        "learner": "1001",
        "course": "RiverU+KNOTS",
        "active": False,
    }
    assessment = Assessment.model_validate(
        {
            **OUTCOME,
            "subsection_id": "s",
            "subsection_name": "Week 1",
            "points_earned": "7",
            "points_possible": "8",
        }
    )
    assert hook_caller.export_outcome(Kind.ASSESSMENTS, config, assessment) == {
        "learner": "1001",
        "course": "RiverU+KNOTS",
        "task": "Week 1",
        "points": "7",
        "of": "8",
    }


def test_batches(channel, config):
    results = [payload(f"{course}-{number}", {"course": course}) for course in "AB" for number in range(31)]
    batches = list(channel.hook_caller.make_batches(config, Kind.COMPLETIONS, Operation.UPDATE, results))
    assert [len(batch) for batch in batches] == [30, 1, 30, 1]
    courses = list(channel.hook_caller.make_batches(config, Kind.CONTENT, Operation.UPDATE, results))
    assert [len(batch) for batch in courses] == [30, 30, 2]  # core's default


def test_what_goes_again(channel, config):
    told = LastReported.of(COMPLETION)
    assert not channel.hook_caller.should_transmit(config, COMPLETION, {}, told)
    assert channel.hook_caller.should_transmit(
        config, COMPLETION, {}, told.model_copy(update={"complete": False})
    )


def test_sending_courses(ask):
    batch = Batch(Operation.UPDATE, tuple(payload(key, {"title": key}) for key in ("A", "BAD", "LOST")))
    results = ask("send", Kind.CONTENT, batch)
    assert [(each.kind, each.reason, each.remote_id) for each in results] == [
        (ResultKind.ACCEPTED, "", "7"),
        (ResultKind.REJECTED, "invalid", None),
        (ResultKind.TRY_LATER, "no-acknowledgement", None),
    ]


def test_sending_results(ask):
    batch = Batch(Operation.UPDATE, (payload("done", {"learner": "1"}), payload("nobody", {"learner": "2"})))
    results = ask("send", Kind.COMPLETIONS, batch)
    assert [(each.kind, each.reason) for each in results] == [
        (ResultKind.ACCEPTED, ""),
        (ResultKind.BLOCKED, "learner-unmatched"),
    ]


def test_looking(ask):
    assert ask("find_remote", "nowhere") is None
    found = ask("find_remote", "K1")
    assert (found.remote_id, found.live) == ("1", False)
    assert [each.remote_key for each in ask("list_remote")] == ["K1", "K2"]


def test_inactive_learners(ask):
    assert ask("list_inactive_learners") == ["L1", "L2"]


def test_a_connection(ask):
    assert len(ask("check_connection")) == 2
    with pytest.raises(BlockedError, match="may not write courses"):
        ask("check_connection", lms=Lighthouse(rights=()))


def test_slowing_down(ask):
    with pytest.raises(ThrottledError) as caught:
        ask("check_connection", lms=Lighthouse(busy=True))
    assert (caught.value.retry_at - NOW).total_seconds() == 600


def test_a_grant(channel):
    grant = channel.hook_caller.oauth_application()
    config = SimpleNamespace(lms_url="https://school.lighthouse.example", client_id="us", region="eu")
    url = httpx.URL(grant.authorize_url(config, "https://host.example/back", "state"))
    assert (grant.fields, grant.pkce) == (("refresh_token",), True)
    assert (url.host, url.path, url.params["scope"]) == (
        "school.lighthouse.example",
        "/oauth/authorize",
        "courses:write region:eu",
    )


def test_inbound(channel, config):
    class Desk:
        async def configurations(self, customer):
            return [("id", config)]

    (route,) = channel.hook_caller.inbound_routes()
    answer = asyncio.run(route.handler(InboundRequest("GET", "https://host.example/x", customer="c"), Desk()))
    assert (answer.status, json.loads(answer.body)) == (200, {"regions": ["eu"]})


def test_a_command(channel):
    from typer.testing import CliRunner

    (commands,) = channel.hook_caller.channel_commands()
    assert CliRunner().invoke(commands, []).output == "eu\nus\n"


def test_operators_hooks(examples, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = [examples[name] for group, name in HOOKS if group == "OperatorSpecs"]
    channel_hooks = {
        name: getattr(examples[name], name)
        for group, name in HOOKS
        if group not in ("OperatorSpecs", "HostSpecs")
    }
    hook_caller = load_channel_object(module_of(channel_hooks), operators=own).hook_caller
    job = {"uuid": "1", "kind": "content", "configuration": "2", "channel": "LIGHTHOUSE", "customer": "3"}
    batch = Batch(Operation.UPDATE, (payload("A", {}), payload("DRAFT-B", {})))

    hook_caller.job_started(job)
    sending = hook_caller.batch_sending(job, batch)
    hook_caller.batch_sent(job, sending.batch, [Result(ResultKind.ACCEPTED)])
    hook_caller.transmission_failed(job, batch.payloads[0], Result(ResultKind.REJECTED, "invalid"))
    hook_caller.transmission_failed(job, batch.payloads[0], Result(ResultKind.TRY_LATER, "lms-error"))
    hook_caller.job_finished(job, {"created": 1})

    assert [each.key for each in sending.batch.payloads] == ["A"]
    assert [each.key for each in sending.held] == ["DRAFT-B"]
    assert hook_caller.batch_sending(job, replace(batch, payloads=batch.payloads[1:])).batch is None
    assert examples["batch_sent"].COUNTS == {"accepted": 1}
    assert examples["transmission_failed"].REFUSED == ["LIGHTHOUSE refused A: invalid"]
    assert json.loads((tmp_path / "runs.jsonl").read_text()) == {**job, "created": 1}
