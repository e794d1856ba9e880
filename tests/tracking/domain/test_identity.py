"""Who somebody is by what comes with the request."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.people import make_person
from tracking.domain.access import local_user
from tracking.domain.identity import find_session_user, find_user, identify, secret_in
from tracking.domain.jwt import make_jwt
from tracking.domain.tokens import create_token, revoke_token
from tracking.errors import InvalidCredentials

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_person("alice")


@pytest.fixture
def session_key(alice):
    client = Client()
    client.force_login(alice)
    return client.cookies["sessionid"].value


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Token abc", "abc"),
        ("Basic abc", ""),
        ("Bearer", ""),
        ("", ""),
    ],
)
def test_header_names_a_token_or_none(header, secret):
    assert secret_in(header) == secret


def test_api_token_and_jwt_are_their_user(alice):
    token, secret = create_token(alice, name="job", can_write=True)

    by_token, by_jwt = identify(f"Bearer {secret}"), identify(f"Bearer {make_jwt(alice)}")

    assert (by_token, by_token.token) == (alice, token)
    assert (by_jwt, by_jwt.token) == (alice, None)
    assert identify("Basic cHJveHk6c2VjcmV0") is None


@pytest.mark.parametrize("mode", ["open", "login"])
def test_wrong_credentials_are_refused_in_both_modes(alice, settings, mode):
    settings.ACCESS = mode
    token, revoked = create_token(alice, name="job", can_write=True)
    revoke_token(token)

    for secret in ("ry_unknown", revoked, "not.a.jwt", "x"):
        with pytest.raises(InvalidCredentials):
            find_user(f"Bearer {secret}", "")


def test_nobody_is_the_local_user_in_open_mode_only(settings):
    settings.ACCESS = "open"
    assert find_user("", "") == local_user()

    settings.ACCESS = "login"
    with pytest.raises(InvalidCredentials, match="Sign in, or send a token"):
        find_user("", "")


def test_session_is_its_user_and_is_only_read(alice, session_key):
    with CaptureQueriesContext(connection) as queries:
        assert find_session_user(session_key) == alice

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT"]


def test_expired_session_is_nobody(session_key):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert find_session_user(session_key) is None


def test_session_of_a_disabled_account_is_nobody(alice, session_key):
    alice.is_active = False
    alice.save()

    assert find_session_user(session_key) is None


def test_session_from_before_the_password_changed_is_nobody(alice, session_key):
    alice.set_password("another one")
    alice.save()

    assert find_session_user(session_key) is None


@pytest.mark.parametrize("key", ["", "x" * 32, "\0", "../../etc"])
def test_key_of_no_session_is_nobody(key):
    assert find_session_user(key) is None
