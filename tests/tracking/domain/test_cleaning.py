"""What the server throws away by itself."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from tests.people import make_person
from tracking.domain.cleaning import clean_daily, clean_up
from tracking.domain.tokens import create_token
from tracking.errors import Overloaded
from tracking.models import ApiToken


def make_session(name: str, *, left: timedelta) -> None:
    store = SessionStore()
    store["name"] = name
    store.set_expiry(timezone.now() + left)
    store.create()


def make_attempt(name: str, *, age: timedelta) -> None:
    AccessAttempt.objects.create(username=name, failures_since_start=1)
    AccessAttempt.objects.filter(username=name).update(attempt_time=timezone.now() - age)


@pytest.mark.django_db
def test_sessions_that_are_over_go() -> None:
    make_session("over", left=-timedelta(seconds=1))
    make_session("good", left=timedelta(minutes=1))

    clean_up()

    assert [one.get_decoded()["name"] for one in Session.objects.all()] == ["good"]


@pytest.mark.django_db
def test_wrong_passwords_go_that_count_no_more() -> None:
    make_attempt("old", age=timedelta(minutes=16))
    make_attempt("new", age=timedelta(minutes=14))

    clean_up()

    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["new"]


@pytest.mark.django_db
def test_tokens_stay_for_a_while_after_their_end() -> None:
    alice, now = make_person("alice"), timezone.now()
    ends = {
        "in use": None,
        "ended": now - timedelta(days=89),
        "long ended": now - timedelta(days=91),
    }
    for name, end in ends.items():
        for field in ("expiry", "revoked_at"):
            token, _ = create_token(alice, name=f"{name} by {field}", can_write=True)
            ApiToken.objects.filter(pk=token.pk).update(**{field: end})

    clean_up()

    assert set(ApiToken.objects.values_list("name", flat=True)) == {
        f"{name} by {field}" for name in ("in use", "ended") for field in ("expiry", "revoked_at")
    }


class Stopped(BaseException):
    pass


@pytest.mark.django_db(transaction=True)
def test_cleaning_keeps_no_connection_from_one_day_to_the_next(monkeypatch) -> None:
    def wait(_seconds: float) -> None:
        open_ones.append(connection.connection)
        raise Stopped

    open_ones: list[object] = []
    monkeypatch.setattr("tracking.domain.cleaning.writer.write", lambda work: work())
    connection.ensure_connection()

    with pytest.raises(Stopped):
        clean_daily(wait)
    assert open_ones == [None]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "trouble",
    [OperationalError("busy"), InterfaceError("closed"), Overloaded("busy"), ValueError()],
)
def test_cleaning_is_done_at_once_and_each_day_and_again_after_trouble(
    monkeypatch, trouble
) -> None:
    outcomes = [None, trouble, None]
    waits: list[float] = []

    def write(work: object) -> None:
        assert work is clean_up
        if outcome := outcomes.pop(0):
            raise outcome

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise Stopped

    monkeypatch.setattr("tracking.domain.cleaning.writer.write", write)
    monkeypatch.setattr("tracking.domain.cleaning.sweep", lambda: None)

    with pytest.raises(Stopped):
        clean_daily(wait)
    assert waits == [86_400, 3600, 86_400]
