"""The examples of docs/how-to/embed.md run as they stand."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from coursewire.configurations.secrets import new_key
from coursewire.installation import Installation
from coursewire.model.results import ConsentState
from coursewire.settings import Settings
from coursewire.sources.database import load_bundle
from coursewire.sources.sample import sample_bundle
from coursewire_canvas.simulator import CanvasSimulator
from coursewire_sap.simulator import SapSimulator

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"

DJANGO_SETTINGS = """
SECRET_KEY = "only-for-this-test"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "platform.db"}}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "platform_urls"
"""
DJANGO_URLS = """
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("courses/", lambda request: HttpResponse(f"hello {request.user.username or 'stranger'}"))]
"""


@pytest.fixture
def guide(pages, read_blocks, tmp_path):
    """Writes the example with this file name where the test runs."""
    blocks = {
        block.lines[0].removeprefix("# "): block.text
        for block in read_blocks(pages["docs/how-to/embed.md"])
        if block.language == "python"
    }
    assert set(blocks) == {"script.py", "app.py", "asgi.py", "send_results.py"}
    for name, text in blocks.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def home(tmp_path, engine):
    """The installation that the environment of the examples names."""
    settings = Settings.load(
        data_dir=tmp_path,
        database_url=engine.url.render_as_string(hide_password=False),
        secret_key=new_key(),
        allow_insecure_urls=True,
    )
    made = Installation(settings)
    yield made
    made.close()


def run(guide, home, program, status=0):
    settings = home.settings
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("COURSEWIRE_", "DJANGO"))
    }
    environment = {
        **kept,
        "COURSEWIRE_DATA_DIR": str(settings.data_dir),
        "COURSEWIRE_DATABASE_URL": settings.database_url,
        "COURSEWIRE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "COURSEWIRE_ALLOW_INSECURE_URLS": "1",
    }
    command = [sys.executable, *program]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, cwd=guide, env=environment
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def add(home, simulator, customer=CUSTOMER):
    channel = home.channels.get(simulator.code).channel
    return home.configurations.add(channel, customer, simulator.sample_config(), active=True, actor="test")


def passed(home):
    """A customer of the sample bundle, and who passed there."""

    async def find():
        for customer in await home.source.customers():
            async for page in home.source.enrollments(customer.uuid):
                for facts in page:
                    who = facts.learner
                    willing = facts.consent.state in (ConsentState.GRANTED, ConsentState.IMPLIED)
                    known = who.linked and who.active and not who.pending and who.remote_ids
                    if known and willing and facts.is_active and facts.grade and facts.grade.passed:
                        return customer.uuid, who.username, facts.course.run_key
        raise AssertionError("nobody passed")

    return asyncio.run(find())


def test_the_script_sends_and_says_how_it_went(guide, home, shelf):
    shelf.fill(2)
    with CanvasSimulator().running() as canvas:
        add(home, canvas)
        out = run(guide, home, ["script.py"])
        assert out.count("create ") == 2
        assert "2 created" in out
        assert "0 created" in run(guide, home, ["script.py"])
        assert len(canvas.items) == 2


FASTAPI = """
import sys, time
sys.path.insert(0, "")
from starlette.testclient import TestClient
from app import app
with TestClient(app) as client:
    print(client.get("/lms/healthz").json())
    print(client.get("/lms/console/", follow_redirects=False).headers["location"])
    print(client.post(f"/courses/{sys.argv[2]}/passed/{sys.argv[1]}").json())
"""


def test_fastapi_mounts_it_and_says_that_somebody_passed(guide, home):
    load_bundle(home.engine, sample_bundle())
    customer, username, course = passed(home)
    (guide / "try_app.py").write_text(FASTAPI)
    with SapSimulator().running() as sap:
        add(home, sap, customer)
        out = run(guide, home, ["try_app.py", username, course])
    assert "{'status': 'alive'}" in out
    assert "/lms/console/sign-in" in out
    assert "{'jobs': 1}" in out


DJANGO = """
import sys
sys.path.insert(0, "")
from starlette.testclient import TestClient
from asgi import application, learner_of
import asyncio
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpRequest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from starlette.requests import Request
call_command("migrate", verbosity=0)
asked = HttpRequest()
asked.session = SessionStore()
login(asked, User.objects.create_user("ada"), backend="django.contrib.auth.backends.ModelBackend")
asked.session.save()
cookie = f"sessionid={asked.session.session_key}"
for header in (cookie, "sessionid=forged", ""):
    request = Request({"type": "http", "headers": [(b"cookie", header.encode())]})
    print(repr(asyncio.run(learner_of(request))))
with TestClient(application) as client:
    print(client.get("/courses/").text)
    print(client.get("/courses/", headers={"cookie": cookie}).text)
    print(client.get("/lms/healthz").json())
    print(client.get("/lms/console/", follow_redirects=False).headers["location"])
"""


def test_django_under_asgi_mounts_it_and_names_its_learners(guide, home):
    (guide / "platform_settings.py").write_text(DJANGO_SETTINGS)
    (guide / "platform_urls.py").write_text(DJANGO_URLS)
    (guide / "try_asgi.py").write_text(DJANGO)
    out = run(guide, home, ["try_asgi.py"]).splitlines()
    assert out[:3] == ["'ada'", "''", "''"]
    assert out[3:6] == ["hello stranger", "hello ada", "{'status': 'alive'}"]
    assert out[6].startswith("/lms/console/sign-in")


WSGI = """
import os, sys
sys.path.insert(0, "")
os.environ["DJANGO_SETTINGS_MODULE"] = "platform_settings"
import django
django.setup()
from django.http import JsonResponse
from django.test import Client
from django.urls import path
import platform_urls
from send_results import send_result
# In place of the queue's worker: a synchronous view under Django's WSGI test client.
platform_urls.urlpatterns.append(
    path("send/<username>/<path:course>", lambda request, **about: JsonResponse({"faults": send_result(**about)}))
)
for _ in range(2):
    print(Client().get(f"/send/{sys.argv[1]}/{sys.argv[2]}").json())
"""


def test_django_under_wsgi_sends_one_result_once(guide, home):
    load_bundle(home.engine, sample_bundle())
    customer, username, course = passed(home)
    (guide / "platform_settings.py").write_text(DJANGO_SETTINGS)
    (guide / "platform_urls.py").write_text(DJANGO_URLS)
    (guide / "try_wsgi.py").write_text(WSGI)
    with SapSimulator().running() as sap:
        add(home, sap, customer)
        out = run(guide, home, ["try_wsgi.py", username, course])
        assert out.splitlines() == ["{'faults': []}"] * 2
        assert len(sap.completions) == 1
