"""The channels of the how-to guides for authors: their code is loaded and run, page by page."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from types import ModuleType

import httpx
import pytest
from pydantic import SecretStr, ValidationError

import coursewire as cw
from coursewire.configurations.secrets import new_key
from coursewire.http.opening import open_draft_session, open_session
from coursewire.inbound.desk import Caller, Inbound
from coursewire.installation import Installation
from coursewire.pipeline.content_job import ContentJob
from coursewire.pipeline.runners.inline import InlineRunner
from coursewire.plugins.loading import load_channel_object
from coursewire.plugins.registry import Registry
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.testing.database import database_url, engine, migrated_database

__all__ = ["database_url", "engine", "migrated_database"]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def module_in(pages, read_blocks):
    """The module that the Python blocks of a page make together."""

    def load(page):
        module = ModuleType("guide")
        source = "\n".join(block.text for block in read_blocks(pages[page]) if block.language == "python")
        exec(compile(source, page, "exec"), vars(module))
        return module

    return load


def payload(key, operation=cw.Operation.CREATE, remote_id=None):
    return cw.Payload(key, operation, {"title": key}, f"f-{key}", key, remote_id=remote_id)


class TestAnswers:
    """The channel of channel-answers.md."""

    @pytest.fixture
    def quay(self, module_in):
        return module_in("docs/how-to/channel-answers.md")

    @pytest.fixture
    def send(self, quay):
        """Send payloads to an LMS that is a function of the request."""

        def run(lms, *payloads):
            loaded = load_channel_object(quay)
            fields = {"quay_url": "https://school.quay.example", "token": "made-up"}
            config = loaded.channel.config.model_validate(fields)

            async def main():
                async with open_draft_session(
                    channel=loaded.channel,
                    config=config,
                    authenticate=lambda tokens: loaded.hook_caller.authenticate(config, tokens),
                    clock=lambda: NOW,
                    transport=httpx.MockTransport(lms),
                ) as session:
                    return await quay.send_content(session, cw.Batch(payloads[0].operation, payloads))

            return asyncio.run(main())

        return run

    def test_one_way_in_and_not_both(self, quay):
        url = {"quay_url": "https://school.quay.example"}
        good = quay.QuayConfig.model_validate({**url, "user": "u", "password": "p", "school": "7"})
        assert good.resend_outcomes is cw.Resend.IMPROVED
        assert isinstance(quay.authenticate(good), httpx.BasicAuth)
        assert isinstance(quay.authenticate(good.model_copy(update={"token": SecretStr("t")})), cw.BearerAuth)
        for wrong in (
            {},
            {"user": "u"},
            {"user": "u", "password": "p"},
            {"user": "u", "password": "p", "school": "7", "token": "t"},
        ):
            with pytest.raises(ValidationError):
                quay.QuayConfig.model_validate({**url, **wrong})

    def test_what_is_listed_was_created(self, send):
        def lms(request):
            assert [each["code"] for each in json.loads(request.content)["data"]] == ["A", "B"]
            return httpx.Response(200, json={"data": [{"id": 17, "attributes": {"code": "A"}}, {"id": 3}]})

        made, silent = send(lms, payload("A"), payload("B"))

        assert (made.kind, made.remote_id) == (cw.ResultKind.ACCEPTED, "17")
        assert (silent.kind, silent.reason) == (cw.ResultKind.IN_DOUBT, "no-acknowledgement")

    def test_a_request_that_fails_says_nothing_about_the_others(self, send):
        def lms(request):
            if request.url.path.endswith("/1"):
                return httpx.Response(200, json={"error": "term closed"})
            return httpx.Response(200, json={"data": {"attributes": {"code": "B"}}})

        update = cw.Operation.UPDATE
        closed, changed = send(lms, payload("A", update, "1"), payload("B", update, "2"))

        assert (closed.kind, closed.reason) == (cw.ResultKind.REJECTED, "term-closed")
        assert (changed.kind, changed.remote_id) == (cw.ResultKind.ACCEPTED, "2")

    @pytest.mark.parametrize(
        ("said", "error"),
        [("slow down", cw.ThrottledError), ("storage timeout", cw.OutcomeUnknownError)],
    )
    def test_an_error_with_the_status_of_a_success(self, send, said, error):
        with pytest.raises(error) as raised:
            send(lambda _: httpx.Response(200, json={"error": said}), payload("A"))
        if error is cw.ThrottledError:
            assert raised.value.retry_at == NOW + timedelta(minutes=5)

    def test_its_reason_is_lifted_by_a_person_alone(self, quay):
        (reason,) = load_channel_object(quay).channel.reasons
        assert (reason.code, reason.lifted_by) == ("term-closed", (cw.LiftedBy.PERSON,))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestRoutes:
    """The channel of channel-routes.md."""

    CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"

    @pytest.fixture
    def pier(self, module_in):
        return module_in("docs/how-to/channel-routes.md")

    @pytest.fixture
    def installation(self, pier, tmp_path, engine):
        url = engine.url.render_as_string(hide_password=False)
        made = Installation(Settings.load(data_dir=tmp_path, database_url=url, secret_key=new_key()))
        made.__dict__["channels"] = Registry([], [load_channel_object(pier, name="pier")])
        yield made
        made.close()

    @pytest.fixture
    def configuration(self, installation, tmp_path):
        bundle = tmp_path / "bundle"
        bundle.mkdir()
        for name, line in {
            "customers": {"uuid": self.CUSTOMER, "name": "Acme", "active": True},
            "catalogs": {
                "uuid": self.CUSTOMER.replace("1", "2"),
                "customer": self.CUSTOMER,
                "content_keys": ["KNOTS"],
            },
            "content": {"content_type": "course", "key": "KNOTS", "title": "Knots"},
            "learners": {"username": "ada", "customer": self.CUSTOMER, "active": True, "linked": True},
        }.items():
            (bundle / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
        loaded = load_bundle(installation.engine, bundle)
        assert loaded.problems == []
        channel = installation.channels.get("PIER").channel
        fields = {"pier_url": "https://school.pier.example"}
        return installation.configurations.add(channel, self.CUSTOMER, fields, active=True, actor="test")

    def call(self, installation, method, path, caller, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        return asyncio.run(
            Inbound(installation).call(method, f"/channels/pier{path}", caller=caller, body=data)
        )

    def test_the_list_that_pier_fetches(self, installation, configuration):
        (ended,) = asyncio.run(InlineRunner().run([ContentJob(installation, configuration)]))
        assert ended.error is None

        answer = self.call(installation, "GET", f"/{self.CUSTOMER}/courses", Caller([self.CUSTOMER]))

        (course,) = json.loads(answer.body)
        assert {**course, "changed": ""} == {"ref": "KNOTS", "title": "Knots", "open": True, "changed": ""}
        assert course["changed"].endswith("Z")

    def test_a_result_goes_with_what_the_learner_brought(self, pier, installation, configuration):
        brought = {"customer": self.CUSTOMER, "school": "school", "course": "KNOTS", "learner": "L7"}
        ada = Caller(learner="ada")
        lacking = self.call(installation, "POST", "/arrivals", ada, {**brought, "school": ""})
        assert (lacking.status, "school is missing" in lacking.body.decode()) == (400, True)
        assert self.send(pier, installation, configuration, None).reason == "launch-needed"

        whole = {**brought, "callback": "/back", "token": "made-up-session"}
        stored = self.call(installation, "POST", "/arrivals", ada, whole)
        assert stored.status == 204, stored.body

        asked = []
        assert self.send(pier, installation, configuration, asked).confirms
        assert asked == [("/back/results", "made-up-session")]

    def send(self, pier, installation, configuration, asked):
        def lms(request):
            asked.append((request.url.path, request.headers["X-Session"]))
            return httpx.Response(200, json={"done": True})

        loaded = installation.channels.get("PIER")

        async def main():
            async with open_session(
                channel=loaded.channel,
                config=installation.configurations.load(configuration.uuid, loaded.channel),
                configuration=configuration.uuid,
                authenticate=lambda _tokens: pier.authenticate(),
                engine=installation.engine,
                box=installation.secrets,
                transport=httpx.MockTransport(lms),
            ) as session:
                result = cw.Payload("e-1", cw.Operation.UPDATE, {"done": True}, "f", "L7")
                return await pier.send_outcomes(session, cw.Batch(cw.Operation.UPDATE, (result,)))

        (result,) = asyncio.run(main())
        return result
