"""Guessing passwords: ten for one name from one address, and then a pause."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.test import Client

from tracking.models import User

pytestmark = pytest.mark.django_db
GOOD = "correct horse 9"


@pytest.fixture(autouse=True)
def _login_mode(settings: Any) -> None:
    settings.ACCESS = "login"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick


@pytest.fixture
def alice() -> User:
    return User.objects.create(username="alice", password=make_password(GOOD))


def sign_in(client: Client, password: str = GOOD, name: str = "alice") -> Any:
    form = {"username": name, "password": password}
    return client.post("/login", form, headers={"Accept": "text/html"})


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared."""
    seen: list[str] = []
    compare = AbstractBaseUser.check_password

    def check(user: AbstractBaseUser, password: str) -> bool:
        seen.append(password)
        return compare(user, password)

    monkeypatch.setattr(AbstractBaseUser, "check_password", check)
    return seen


def test_ten_wrong_guesses_bring_a_pause(client: Client, alice: User, checked: list[str]) -> None:
    answers = [sign_in(client, f"guess {number}") for number in range(10)]

    assert [answer.status_code for answer in answers] == [200] * 9 + [429]
    locked = sign_in(client)
    assert locked.status_code == 429
    assert "Try again in 15 minutes" in locked.content.decode()
    assert 880 < int(locked.headers["Retry-After"]) <= 900
    assert len(checked) == 10
    program = client.post("/login", {"username": "alice", "password": GOOD})
    assert program.json() == {"detail": "Too many wrong passwords. Try again in 15 minutes."}


def test_pause_is_for_one_name_at_one_address(client: Client, alice: User) -> None:
    User.objects.create(username="bob", password=make_password(GOOD))
    for _ in range(10):
        sign_in(client, "wrong")

    assert sign_in(client, name="bob").status_code == 302
    elsewhere = Client(REMOTE_ADDR="10.0.0.9")
    assert sign_in(elsewhere).status_code == 302
    # What anybody may claim is not where they are.
    claimed = {"X-Forwarded-For": "10.0.0.7"}
    assert (
        Client(headers=claimed).post("/login", {"username": "alice", "password": GOOD}).status_code
        == 429
    )


def test_behind_a_proxy_the_address_is_the_one_it_saw(
    client: Client, alice: User, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = 1

    def guess(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        form = {"username": "alice", "password": "wrong"}
        return client.post("/login", form, headers=headers).status_code

    for number in range(10):
        guess(f"10.0.0.{number}, 192.168.1.1")

    assert (guess("10.0.0.99, 192.168.1.1"), guess("192.168.1.2")) == (429, 200)


def test_right_password_forgets_the_wrong_ones(client: Client, alice: User) -> None:
    for _ in range(9):
        sign_in(client, "wrong")
    sign_in(client)

    assert AccessAttempt.objects.count() == 0
    client.post("/logout")
    assert sign_in(client, "wrong").status_code == 200


def test_guesses_are_kept_without_passwords(client: Client, alice: User) -> None:
    sign_in(client, "my secret", "also my secret")

    kept = AccessAttempt.objects.get()

    assert "my secret" not in kept.post_data + kept.get_data + kept.path_info


@pytest.mark.django_db(transaction=True)
def test_five_hundred_guesses_at_once_are_ten(alice: User, checked: list[str]) -> None:
    def guess(number: int) -> int:
        try:
            return sign_in(Client(), f"guess {number}").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(guess, range(500)))

    assert (codes.count(200), codes.count(429), len(checked)) == (9, 491, 10)
    assert sign_in(Client()).status_code == 429


def test_names_longer_than_any_are_nobodys(client: Client) -> None:
    for name in ("x" * 1000, "nul\0"):
        assert sign_in(client, name=name).context["form"].errors
    assert AccessAttempt.objects.count() == 0
