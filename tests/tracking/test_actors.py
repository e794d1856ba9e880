"""Whose name stands in the audit log, however many requests a server is in the middle of."""

import asyncio
import gc
import json
import warnings

import pytest
from auditlog.models import LogEntry
from channels.testing import HttpCommunicator
from django.test import Client

from config.asgi import application
from tests.factories import make_run
from tests.people import make_person
from tracking.domain.access import local_user
from tracking.domain.audit import CHANGED
from tracking.domain.tokens import create_token
from tracking.models import Project

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = [f"person{n}" for n in range(12)]


def make_own_project(name: str) -> str:
    """A project that the user owns, and a token of theirs."""
    user = make_person(name)
    make_run(project=name)
    Project.objects.filter(key=name).update(owner=user)
    return create_token(user, name="job", can_write=True)[1]


async def put_notes(name: str, secret: str) -> int:
    body = json.dumps({"notes": f"by {name}"}).encode()
    headers = [
        (b"host", b"localhost"),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"authorization", f"Bearer {secret}".encode()),
    ]
    path = f"/api/projects/{name}/metadata"
    request = HttpCommunicator(application, "PUT", path, body=body, headers=headers)
    return (await request.get_response(timeout=30))["status"]


def test_requests_at_the_same_time_keep_their_own_actor():
    secrets = {name: make_own_project(name) for name in PEOPLE}

    async def ask_all() -> list[int]:
        return await asyncio.gather(*(put_notes(*pair) for pair in secrets.items()))

    with warnings.catch_warnings():  # Django leaves the files of request bodies to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        statuses = asyncio.run(ask_all())
        gc.collect()

    assert statuses == [200] * len(PEOPLE)
    edits = LogEntry.objects.filter(action=CHANGED, content_type__model="project")
    assert {entry.object_repr: entry.actor.username for entry in edits} == {
        name: name for name in PEOPLE
    }
    assert {entry.changes["notes"][1] for entry in edits} == {f"by {name}" for name in PEOPLE}


def test_page_api_and_admin_name_their_actor(settings):
    settings.ACCESS = "login"
    run, alice = make_run(), make_person("alice")
    Project.objects.update(owner=alice)
    alice.is_staff = alice.is_superuser = True
    alice.save()
    browser = Client()
    browser.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    LogEntry.objects.all().delete()

    page = browser.post(
        "/projects/proj/runs/actions", {"action": "tag", "run": "run-1", "tag": "by page"}
    )
    api = browser.put(
        "/api/projects/proj/metadata", {"notes": "by API"}, content_type="application/json"
    )
    admin = browser.post(
        f"/admin/tracking/run/{run.pk}/change/",
        {"name": "by admin", "tags": "by page", "notes": "", "readme": ""}
        | {
            f"{prefix}-{name}_FORMS": "0"
            for prefix in ("metrics", "artifacts")
            for name in ("TOTAL", "INITIAL")
        },
    )

    assert (page.status_code, api.status_code, admin.status_code) == (302, 200, 302)
    edits = LogEntry.objects.order_by("pk")
    assert [(entry.actor, list(entry.changes)) for entry in edits] == [
        (alice, ["tags"]),
        (alice, ["notes"]),
        (alice, ["name"]),
    ]


def test_in_open_mode_it_is_the_built_in_user(client):
    make_run()
    LogEntry.objects.all().delete()

    client.put("/api/projects/proj/metadata", {"notes": "x"}, content_type="application/json")

    assert LogEntry.objects.get().actor == local_user()
