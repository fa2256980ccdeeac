"""The service against hostile browsers and callers: sign-in, redirects, headers, bounds of what is sent."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import uvicorn
from pydantic import SecretStr

from coursewire.service import accounts as accounts_module
from coursewire.service import connections
from coursewire.service.accounts import FAILURES_BEFORE_LOCK, Accounts
from coursewire.service.connections import OPTIONS, BoundedProtocol
from coursewire.service.console.site import safe_path
from coursewire.service.rights import Role, RoleAssignment

PASSWORD = "correct horse battery"
API = "/api/v1"


@pytest.fixture
def accounts(installation):
    made = Accounts(installation.engine)
    made.add("ada", SecretStr(PASSWORD), [RoleAssignment(Role.ADMINISTRATOR, "")])
    return made


def sign_in(client, **headers):
    return client.post(
        "/console/sign-in",
        data={"name": "ada", "password": PASSWORD},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        follow_redirects=False,
    )


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "/%5Cevil.example",
        "/%2F%2Fevil.example",
        "/../healthz",
        "/%2e%2e/healthz",
        "/%252e%252e/healthz",
        "/.%2e/healthz",
        "/jobs/..;/..;/healthz",
        "/jobs/../../healthz",
        "/./../healthz",
        "/jobs//evil.example",
        "/..",
        "/jobs/..?a=b",
        "/jobs/..#x",
        "https://evil.example",
        "javascript:alert(1)",
        "/\tjobs",
        "/%0d%0aSet-Cookie:x=y",
        "",
        "/%" + "25" * 9 + "2e./",
    ],
)
def test_the_page_after_sign_in_is_one_of_the_console(path):
    assert safe_path(path) == "/"


@pytest.mark.parametrize(
    "path", ["/", "/jobs", "/records?search=a//b&state=failed", "/configurations/1?note=..", "/x/%C3%A9"]
)
def test_a_page_of_the_console_stays_the_page_after_sign_in(path):
    assert safe_path(path) == path


def test_the_host_header_decides_no_redirect(client):
    for path in ("/", "/console", "/console/jobs", f"{API}/jobs/", "/console/jobs/"):
        answer = client.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
        assert "evil" not in answer.headers.get("location", ""), path


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://testserver"},
    ],
)
def test_a_form_of_another_site_signs_nobody_in(client, accounts, headers):
    answer = sign_in(client, **headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec_Fetch_Site": "same-origin", "Origin": "http://testserver"}, {"Origin": "http://testserver"}],
)
def test_the_own_form_signs_in(client, accounts, headers):
    assert sign_in(client, **headers).status_code == 303


def test_a_second_sign_in_ends_the_first_session_of_the_browser(client, accounts):
    first = sign_in(client).cookies["coursewire_session"]
    sign_in(client)
    assert accounts.caller(first) is None


def test_guesses_side_by_side_are_as_many_as_one_after_the_other(accounts, monkeypatch):
    """All of them read the count before any is counted; together they lock the account all the same."""
    all_have_read = threading.Barrier(FAILURES_BEFORE_LOCK)
    waited = threading.local()
    writing = accounts_module.writing

    def writing_after_all_have_read(engine):
        if not getattr(waited, "done", False):
            waited.done = True
            all_have_read.wait(30)
        return writing(engine)

    monkeypatch.setattr(accounts_module, "writing", writing_after_all_have_read)
    with ThreadPoolExecutor(FAILURES_BEFORE_LOCK) as pool:
        guesses = list(pool.map(lambda _: accounts.sign_in("ada", "wrong"), range(FAILURES_BEFORE_LOCK)))
    monkeypatch.undo()
    assert guesses == [None] * FAILURES_BEFORE_LOCK
    assert accounts.sign_in("ada", PASSWORD) is None, "the account is locked"


def test_every_answer_says_that_nobody_may_keep_it(client, token, configured):
    headers = token("administrator")
    for path in (
        f"{API}/me",
        f"{API}/configurations",
        f"{API}/transmissions/export",
        f"{API}/jobs/9fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e9999",
        f"{API}/openapi.json",
        "/console/configurations",
        "/nowhere",
        "/metrics",
    ):
        answer = client.get(path, headers=headers)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["x-content-type-options"] == "nosniff", path


def test_allow_names_every_method_of_the_path(client, token):
    answer = client.put(f"{API}/configurations", headers=token("administrator"))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


def test_the_document_declares_every_part_of_every_path(client):
    document = client.get(f"{API}/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            declared = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
            parts = {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert declared == parts, (method, path)


@pytest.mark.parametrize("depth", [51, 200, 900, 5000])
def test_fields_that_are_nested_too_deep_are_refused(client, token, depth):
    headers = {**token("administrator"), "Content-Type": "application/json"}
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        deep = opened * depth + "1" + closed * depth
        body = (
            '{"channel": "CSOD", "customer": "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111", "fields": '
            f'{{"subject_mapping": {deep}}}}}'
        )
        answer = client.post(f"{API}/configurations", content=body, headers=headers)
        assert answer.status_code in (400, 422), answer.text
        if depth < 1000:
            assert answer.status_code == 422
            assert "deep" in answer.text


@pytest.mark.parametrize("state", ["offered", "confirmed", "retired", "sending"])
def test_what_cannot_be_tried_again_is_refused_with_a_sentence(client, token, configured, state):
    answer = client.post(
        f"{API}/configurations/{configured.uuid}/retry",
        json={"states": ["failed", state]},
        headers=token("operator"),
    )
    assert answer.status_code == 422
    assert f"items that are {state} cannot be tried again" in answer.text


@pytest.fixture
def port(monkeypatch):
    """The port of a server with the bounds of the service, whose time is a quarter of a second."""
    monkeypatch.setattr(BoundedProtocol, "request_s", 0.25)

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        more = True
        while more:
            more = (await receive()).get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    options = {**OPTIONS, "limit_concurrency": 20, "timeout_keep_alive": 1}
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=BoundedProtocol, log_config=None, lifespan="off", **options)
    )
    server.install_signal_handlers = lambda: None
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


def talk(port, data):
    """Send bytes, and return what comes until the other side ends; an end by force is one, too."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as made:
        answer = b""
        try:
            made.sendall(data)
            while part := made.recv(65536):
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass
        return answer


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost:",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_a_connection_ends_on_which_no_whole_request_comes(port, begun):
    started = time.monotonic()
    answer = talk(port, begun)
    assert time.monotonic() - started < 8
    assert answer.count(b"200 OK") == (1 if b"\r\n\r\n" in begun and begun.startswith(b"GET") else 0)


def test_headers_are_bounded(port):
    many = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(1000))
    assert b"200 OK" not in talk(port, b"GET / HTTP/1.1\r\nHost: x\r\n" + many + b"\r\n")
    assert connections.OPTIONS["h11_max_incomplete_event_size"] <= 65_536


def test_open_connections_are_bounded_and_make_room_again(port, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "request_s", 3.0)
    whole = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as held:
        for _ in range(30):
            made = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            made.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        assert b"200 OK" not in talk(port, whole)
        until = time.monotonic() + 20
        while b"200 OK" not in talk(port, whole):
            assert time.monotonic() < until, "the held connections were not ended"
            time.sleep(0.1)
