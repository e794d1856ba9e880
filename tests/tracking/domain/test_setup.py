"""The link that makes the first administrator: good once, for a day, and for nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.utils import timezone

from tests.people import make_person
from tracking.domain.access import local_user
from tracking.domain.setup import SETUP_LINK_S, check_setup_secret, make_setup_secret, set_up
from tracking.errors import InvalidInput, NameTaken, NotFound
from tracking.models import User

pytestmark = pytest.mark.django_db
GOOD = "correct horse 9"


@pytest.fixture(autouse=True)
def _login_mode(settings: Any) -> None:
    settings.ACCESS = "login"


def secret() -> str:
    made = make_setup_secret()
    assert made
    return made


def make_first(name: str = "ada", password: str = GOOD, link: str | None = None) -> User:
    return set_up(link or secret(), username=name, email="", password=password)


def test_set_up_makes_an_administrator_and_ends_its_link() -> None:
    link = secret()

    first = make_first(link=link)

    assert (first.username, first.is_staff, first.is_superuser) == ("ada", True, True)
    assert first.check_password(GOOD)
    assert make_setup_secret() is None
    with pytest.raises(NotFound):
        make_first("eve", link=link)


def test_open_mode_needs_no_administrator(settings: Any) -> None:
    settings.ACCESS = "open"

    assert make_setup_secret() is None


@pytest.mark.parametrize(
    "fields",
    [
        {"is_superuser": False},
        {"is_superuser": True, "password": "!"},  # as `createsuperuser --noinput` leaves it
        {"is_superuser": True, "password": ""},
        {"is_superuser": True, "is_active": False},
        {"is_superuser": True, "is_service": True},
    ],
)
def test_link_is_made_while_nobody_could_sign_in_as_administrator(fields: dict[str, Any]) -> None:
    User.objects.create(**({"username": "x", "password": "pbkdf2$…"} | fields))
    local_user()

    assert make_setup_secret() is not None


def test_administrator_of_createsuperuser_ends_the_link() -> None:
    link = secret()
    User.objects.create_superuser("root", password=GOOD)

    with pytest.raises(NotFound):
        check_setup_secret(link)
    assert make_setup_secret() is None


def test_link_is_good_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    link = secret()
    later = (timezone.now() + timedelta(seconds=SETUP_LINK_S + 5)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)

    with pytest.raises(NotFound):
        make_first(link=link)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "link",
    ["", "x", "e30:x:y", signing.dumps({}), "e30:1:\0"],
    ids=["empty", "a letter", "unsigned", "of another salt", "with a NUL"],
)
def test_other_texts_are_no_link(link: str) -> None:
    with pytest.raises(NotFound):
        set_up(link, username="eve", email="", password=GOOD)
    assert not User.objects.exists()


def test_link_of_another_server_is_none_here(settings: Any) -> None:
    link = secret()
    settings.SECRET_KEY = "another"

    with pytest.raises(NotFound):
        make_first(link=link)


def test_refused_forms_leave_the_link_alive() -> None:
    make_person("taken")
    link = secret()

    with pytest.raises(InvalidInput):
        make_first(password="12345", link=link)
    with pytest.raises(NameTaken):
        make_first("TAKEN", link=link)

    assert make_first(link=link).is_superuser


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_becomes_administrator() -> None:
    link = secret()

    def attempt(number: int) -> bool:
        try:
            make_first(f"eve-{number}", link=link)
        except NotFound:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(8)))

    assert sum(won) == 1
    assert User.objects.filter(is_superuser=True).count() == 1
