"""Who REST takes a caller for, in both modes. What they may then do: tests/test_permissions.py."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import make_run
from tests.people import make_person, share
from tracking.domain.identity import SIGN_IN
from tracking.domain.tokens import create_token, revoke_token
from tracking.enums import Role
from tracking.models import ApiToken, Project, User

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = "/api/projects/proj/runs"
METADATA = "/api/projects/proj/metadata"
MODES = ["open", "login"]


@pytest.fixture
def alice() -> User:
    alice = make_person("alice")
    make_run()
    make_run(project="other")
    Project.objects.update(owner=alice)
    return alice


def secret_of(user: User, **scope: Any) -> str:
    return create_token(user, **({"name": "job", "can_write": True} | scope))[1]


def ask(path: str, secret: str = "", *, method: str = "get", **headers: str) -> tuple[int, Any]:
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    options = {"data": {"notes": "changed"}, "content_type": "application/json"}
    client = Client(enforce_csrf_checks=True)
    answer = getattr(client, method)(
        path,
        **(options if method == "put" else {}),
        headers={"Accept": "application/json"} | headers,
    )
    return answer.status_code, answer.json()


@pytest.mark.parametrize("mode", MODES)
def test_token_acts_as_its_user(alice, settings, mode):
    settings.ACCESS = mode
    mine = secret_of(alice)
    of_stranger = secret_of(make_person("charlie"))

    assert ask(METADATA, mine, method="put")[0] == 200
    assert Project.objects.get(key="proj").notes == "changed"
    assert ask(RUNS, of_stranger) == (404, {"detail": "Project 'proj' not found"})


@pytest.mark.parametrize("mode", MODES)
def test_reading_token_changes_nothing(alice, settings, mode):
    settings.ACCESS = mode
    secret = secret_of(alice, can_write=False)

    assert ask(RUNS, secret)[0] == 200
    assert ask(METADATA, secret, method="put") == (
        404,
        {"detail": "This API token may only read."},
    )
    assert Project.objects.get(key="proj").notes == ""


@pytest.mark.parametrize("mode", MODES)
def test_token_for_one_project_opens_no_other(alice, settings, mode):
    settings.ACCESS = mode
    secret = secret_of(alice, project=Project.objects.get(key="proj"))

    assert ask(RUNS, secret)[0] == 200
    assert ask("/api/projects/other/runs", secret) == (
        404,
        {"detail": "Project 'other' not found"},
    )


@pytest.mark.parametrize("mode", MODES)
def test_token_gives_no_more_than_its_user_has(alice, settings, mode):
    settings.ACCESS = mode
    bob = make_person("bob")
    share(Project.objects.get(key="proj"), bob, Role.VIEWER)

    assert ask(RUNS, secret_of(bob))[0] == 200
    assert ask(METADATA, secret_of(bob), method="put")[0] == 404


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        ("revoke", "The API token “job” was revoked."),
        ("expire", "The API token “job” has expired."),
        ("disable", "The account of this API token is disabled."),
        ("delete", "There is no such API token."),
    ],
)
def test_token_that_is_no_good_is_refused_in_both_modes(alice, settings, mode, spoil, detail):
    settings.ACCESS = mode
    token, secret = create_token(alice, name="job", can_write=True)
    match spoil:
        case "revoke":
            revoke_token(token)
        case "expire":
            ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
        case "disable":
            User.objects.filter(pk=alice.pk).update(is_active=False)
        case "delete":
            token.delete()

    assert ask(RUNS, secret) == (401, {"detail": detail})
    assert ask(METADATA, secret, method="put") == (401, {"detail": detail})


def test_refusal_names_the_scheme(alice, settings):
    for mode in MODES:
        settings.ACCESS = mode
        answer = Client().get(RUNS, headers={"Authorization": "Bearer ry_wrong"})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_nobody_reads_in_login_mode(alice, settings):
    settings.ACCESS = "login"

    assert ask(RUNS) == (401, {"detail": SIGN_IN})
    assert ask(RUNS, Authorization="Basic YTpi")[0] == 401


def test_anybody_changes_things_in_open_mode(alice):
    assert ask(METADATA, method="put", Authorization="Basic YTpi")[0] == 200


def test_session_reads_but_changes_only_with_the_csrf_token(alice, settings):
    settings.ACCESS = "login"
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    put = {"data": {"notes": "changed"}, "content_type": "application/json"}

    assert client.get(RUNS).status_code == 200
    refused = client.put(METADATA, **put)
    assert (refused.status_code, Project.objects.get(key="proj").notes) == (403, "")

    client.cookies["csrftoken"] = "a" * 32
    allowed = client.put(METADATA, **put, headers={"X-CSRFToken": "a" * 32})
    assert (allowed.status_code, Project.objects.get(key="proj").notes) == (200, "changed")


def test_wrong_token_is_refused_beside_a_session(alice, settings):
    settings.ACCESS = "login"
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")

    assert client.get(RUNS, headers={"Authorization": "Bearer ry_wrong"}).status_code == 401


@pytest.mark.parametrize("mode", MODES)
def test_token_in_an_address_is_no_token(alice, settings, mode):
    settings.ACCESS = mode
    secret = secret_of(make_person("charlie"))

    for name in ("token", "access_token", "api_key"):
        status, _ = ask(f"{RUNS}?{name}={secret}")
        assert status == (200 if mode == "open" else 401)
    assert ApiToken.objects.get().last_used_at is None


def test_no_log_ever_names_a_token(alice, settings, caplog, monkeypatch):
    """Not even a traceback does, nor what the framework says at its most talkative."""
    settings.ACCESS = "login"
    settings.DEBUG = True
    token, secret = create_token(alice, name="job", can_write=True)
    caplog.set_level(logging.DEBUG)

    ask(RUNS, secret)
    ask("/api/nowhere", secret)
    ask(RUNS, f"{secret}0")
    monkeypatch.setattr("tracking.api.aspara_dashboard.views.find_project", None)
    with pytest.raises(TypeError):
        ask(RUNS, secret)
    revoke_token(token)
    ask(RUNS, secret)

    assert "Internal Server Error" in caplog.text
    assert secret not in caplog.text
    assert token.digest not in caplog.text
