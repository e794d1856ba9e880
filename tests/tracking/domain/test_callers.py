"""Who came with which token a moment ago."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from tests.people import make_person
from tracking.domain import callers
from tracking.domain.callers import find_caller, recall_caller
from tracking.domain.identity import find_user
from tracking.domain.jwt import make_jwt, read_expiry
from tracking.domain.tokens import create_token, revoke_token
from tracking.errors import InvalidCredentials
from tracking.models import ApiToken, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_person("alice")


def api_token(user: User, **scope: Any) -> str:
    return "Bearer " + create_token(user, name="job", can_write=True, **scope)[1]


def jwt(user: User) -> str:
    return f"Bearer {make_jwt(user)}"


@pytest.mark.parametrize("kind", [api_token, jwt])
def test_caller_is_recalled_without_a_query(alice, django_assert_num_queries, kind):
    header = kind(alice)
    assert recall_caller(header) is None

    found = find_caller(header, "")

    with django_assert_num_queries(0):
        known = recall_caller(header)
    assert known == found == alice
    assert known.token == found.token
    assert recall_caller(header + "x") is None
    assert recall_caller("") is None


def test_nobody_is_kept_who_is_not_let_in(alice, settings):
    settings.ACCESS = "login"
    for header in ("Bearer ry_wrong", "Bearer x.y.z", ""):
        with pytest.raises(InvalidCredentials):
            find_caller(header, "")
        assert recall_caller(header) is None


def test_what_another_process_changes_holds_within_the_second(alice, monkeypatch):
    header = api_token(alice)
    find_caller(header, "")
    ApiToken.objects.update(revoked_at=timezone.now())
    now = time.monotonic()

    monkeypatch.setattr("tracking.domain.callers.time.monotonic", lambda: now + 1)

    assert recall_caller(header) is None
    with pytest.raises(InvalidCredentials, match="was revoked"):
        find_caller(header, "")


def revoke(user: User) -> None:
    revoke_token(ApiToken.objects.get())


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def set_password(user: User) -> None:
    user.set_password("another")
    user.save()


def delete(user: User) -> None:
    user.delete()


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        *((api_token, change) for change in (revoke, disable, delete)),
        *((jwt, change) for change in (set_password, disable, delete)),
    ],
)
def test_what_this_process_changes_holds_at_once(alice, kind, change):
    header = kind(alice)
    find_caller(header, "")

    change(alice)

    assert recall_caller(header) is None
    with pytest.raises(InvalidCredentials):
        find_caller(header, "")


def test_who_looked_before_a_change_keeps_nothing(alice, monkeypatch):
    header = api_token(alice)

    def look_and_be_overtaken(*credentials: str) -> User:
        found = find_user(*credentials)
        revoke(alice)
        return found

    monkeypatch.setattr("tracking.domain.callers.find_user", look_and_be_overtaken)

    assert find_caller(header, "") == alice
    assert recall_caller(header) is None


@pytest.mark.django_db(transaction=True)
def test_change_counts_from_its_commit(alice):
    """Until then others read, and keep, what was before."""
    header = api_token(alice)
    with transaction.atomic():
        disable(alice)
        alice.refresh_from_db()
        seen = callers._memory.version
        callers._memory.keep(callers._digest(header), alice, for_s=1, seen=seen)
        assert recall_caller(header) == alice

    assert recall_caller(header) is None


def test_nobody_is_known_longer_than_the_token_is_good(alice, monkeypatch):
    header = api_token(alice, expires_at=timezone.now() + timedelta(seconds=0.4))
    find_caller(header, "")
    now = time.monotonic()
    assert recall_caller(header) == alice

    monkeypatch.setattr("tracking.domain.callers.time.monotonic", lambda: now + 0.4)

    assert recall_caller(header) is None


def test_end_of_a_jwt_is_read_from_it(alice):
    left = read_expiry(make_jwt(alice)) - timezone.now()

    assert 86_390 < left.total_seconds() <= 86_400


def test_memory_is_bounded(alice, monkeypatch):
    monkeypatch.setattr("tracking.domain.callers.MAX_KNOWN", 2)
    headers = [api_token(alice) for _ in range(3)]

    for header in headers:
        find_caller(header, "")

    assert [recall_caller(header) is not None for header in headers] == [False, False, True]
