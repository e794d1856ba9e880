"""Guessing passwords: ten for one name from one address, fifty from the address, then a pause."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import check_password as check_hash
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from django.utils import timezone

from tests.engines import IS_SQLITE
from tracking.attempts import guesser_address
from tracking.models import User

pytestmark = pytest.mark.django_db
GOOD = "correct horse 9"
BACKEND = "django.contrib.auth.backends.ModelBackend"


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


def get_jwt(name: str, password: str) -> int:
    form = {"username": name, "password": password}
    return Client().post("/auth/login", form, content_type="application/json").status_code


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "kind"),
    [("/login", "application/x-www-form-urlencoded"), ("/auth/login", "application/json")],
)
async def test_served_as_it_is_the_pause_is_told_in_full(
    path: str, kind: str, async_client: AsyncClient
) -> None:
    """The server is an async one, and django-axes has another way there."""
    form: Any = {"username": "alice", "password": "wrong"}
    body = form if kind.endswith("json") else urlencode(form)

    for _ in range(10):
        locked = await async_client.post(path, body, content_type=kind)

    assert locked.json() == {"detail": "Too many wrong passwords. Try again in 15 minutes."}
    assert locked.status_code == 429
    assert 880 < int(locked.headers["Retry-After"]) <= 900


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
    client.force_login(alice, BACKEND)
    change_password(client, "my secret now", "my secret then")

    kept = "".join(one.post_data + one.get_data + one.path_info for one in attempts())

    assert len(attempts()) == 2
    assert "my secret" not in kept
    assert "/profile/password" in kept


def attempts() -> list[AccessAttempt]:
    return list(AccessAttempt.objects.all())


def change_password(client: Client, old: str, new: str = "better battery 7") -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/profile/password", form, headers={"Accept": "text/html"})


def test_guesses_at_the_password_of_a_session_count_too(
    client: Client, alice: User, checked: list[str]
) -> None:
    client.force_login(alice, BACKEND)
    sign_in(Client(), "guess")

    codes = [change_password(client, f"guess {number}").status_code for number in range(10)]

    assert codes == [400] * 8 + [429] * 2
    assert len(checked) == 10
    assert change_password(client, GOOD).status_code == 429
    assert sign_in(Client()).status_code == 429
    alice.refresh_from_db()
    assert check_hash(GOOD, alice.password)


def test_admins_form_for_passwords_is_the_one_that_counts(client: Client, alice: User) -> None:
    client.force_login(alice, BACKEND)

    answers = [getattr(client, verb)("/admin/password_change/") for verb in ("get", "post")]

    assert [(one.status_code, one.headers["Location"]) for one in answers] == [
        (302, "/profile/password")
    ] * 2


def test_fifty_wrong_guesses_from_an_address_bring_a_short_pause(
    client: Client, alice: User, checked: list[str]
) -> None:
    codes = [sign_in(client, "spring 2026", f"person {n}").status_code for n in range(50)]

    assert codes == [200] * 50
    locked = sign_in(client)
    assert locked.status_code == 429
    assert "from your network. Try again in 5 minutes" in locked.content.decode()
    assert "everybody whose connection comes from the same address" in locked.content.decode()
    assert 280 < int(locked.headers["Retry-After"]) <= 300
    assert checked == []
    assert get_jwt("alice", GOOD) == 429
    assert sign_in(Client(REMOTE_ADDR="10.0.0.9")).status_code == 302


def test_addresss_pause_ends_as_its_guesses_are_forgotten(client: Client, alice: User) -> None:
    for n in range(50):
        sign_in(client, "wrong", f"person {n}")
    early = AccessAttempt.objects.filter(username__in=["person 0", "person 1"])
    early.update(attempt_time=timezone.now() - timedelta(minutes=4))

    assert 40 < int(sign_in(client).headers["Retry-After"]) <= 60

    early.update(attempt_time=timezone.now() - timedelta(minutes=5, seconds=1))
    assert sign_in(client).status_code == 302


def test_right_password_of_one_forgets_nobody_elses_guesses(client: Client, alice: User) -> None:
    """Else who has an account of his own could guess without end."""
    for n in range(49):
        sign_in(client, "wrong", f"person {n}")
    assert sign_in(Client()).status_code == 302
    sign_in(client, "wrong", "one more")

    assert sign_in(client).status_code == 429


def test_limit_of_an_address_can_be_another_one_or_none(
    client: Client, alice: User, settings: Any
) -> None:
    settings.GUESSES_PER_ADDRESS = 2
    for n in range(2):
        sign_in(client, "wrong", f"person {n}")
    assert sign_in(client).status_code == 429

    settings.GUESSES_PER_ADDRESS = 0
    assert sign_in(client).status_code == 302


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "::"),
    ],
)
def test_whole_network_of_ipv6_is_one_address(address: str, counted: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=address)

    assert guesser_address(request) == counted


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


@pytest.mark.django_db(transaction=True)
def test_five_hundred_guesses_at_five_hundred_names_are_fifty(
    alice: User, checked: list[str]
) -> None:
    User.objects.bulk_create(
        User(username=f"person {n}", password=alice.password) for n in range(500)
    )

    def guess(number: int) -> int:
        try:
            return get_jwt(f"person {number}", "spring 2026")
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        codes = list(pool.map(guess, range(500)))

    # With fifty at a time PostgreSQL's connections do not last for all: those are told to come again.
    refused = codes.count(429) + (0 if IS_SQLITE else codes.count(503))
    assert (codes.count(401), refused, len(checked)) == (50, 450, 50)
    assert sign_in(Client()).status_code == 429


def test_names_longer_than_any_are_nobodys(client: Client) -> None:
    for name in ("x" * 1000, "nul\0"):
        assert sign_in(client, name=name).context["form"].errors
    assert AccessAttempt.objects.count() == 0
