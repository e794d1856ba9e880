import base64
import json

import pytest
from django.core.cache import cache

from tests.people import make_person
from tracking.domain.jwt import make_jwt
from tracking.domain.projects import create_project
from tracking.domain.tokens import create_token
from tracking.models import User

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTED = {"email": "user@example.com", "username": "username", "password": "password"}
KEYS = ["id", "email", "username", "is_active", "is_superuser", "created_at", "updated_at"]
NOBODY = (401, {"detail": "Could not validate credentials"})


def log_in(client, body, content_type="application/x-www-form-urlencoded"):
    answer = client.post("/auth/login", body, content_type=content_type)
    return answer.status_code, answer.json()


def me(client, authorization):
    answer = client.get("/auth/me", headers={"Authorization": authorization})
    if answer.status_code == 401:
        assert answer["WWW-Authenticate"] == "Bearer"
    return answer.status_code, answer.json()


def test_documented_user_registers_logs_in_and_is_known(client, call):
    status, user = call("post", "/auth/register", DOCUMENTED, who="")
    assert (status, [*user]) == (200, KEYS)
    assert (user["email"], user["username"]) == ("user@example.com", "username")
    assert (user["is_active"], user["is_superuser"]) == (True, False)
    assert (
        user["created_at"]
        == User.objects.get(pk=user["id"]).date_joined.replace(tzinfo=None).isoformat()
    )

    status, token = log_in(client, "username=username&password=password")
    assert (status, [*token], token["token_type"]) == (
        200,
        ["access_token", "token_type"],
        "bearer",
    )
    assert me(client, f"Bearer {token['access_token']}") == (200, user)
    assert me(client, f"bearer {token['access_token']}") == (200, user)


def test_scope_of_the_token_is_told_beside_the_answer(client):
    alice = make_person("alice")
    own = create_project("own", user=alice)

    def scope_of(secret):
        answer = client.get("/auth/me", headers={"Authorization": f"Bearer {secret}"})
        return answer["Runyard-Token-Scope"]

    def token(**scope):
        return create_token(alice, name="t", **scope)[1]

    assert scope_of(make_jwt(alice)) == "write"
    assert scope_of(token(can_write=True)) == "write"
    assert scope_of(token(can_write=False)) == "read"
    assert scope_of(token(can_write=True, project=own)) == "write; project=own"
    assert scope_of(token(can_write=False, project=own)) == "read; project=own"


def test_login_takes_json_too(client, call):
    call("post", "/auth/register", DOCUMENTED, who="")

    assert log_in(client, json.dumps(DOCUMENTED), "application/json")[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        "username=username&password=wrong",
        "username=nobody&password=password",
    ],
)
def test_wrong_password_is_told(client, call, body):
    call("post", "/auth/register", DOCUMENTED, who="")

    assert log_in(client, body) == (401, {"detail": "Incorrect username or password"})


def test_disabled_user_does_not_log_in(client, call):
    call("post", "/auth/register", DOCUMENTED, who="")
    User.objects.update(is_active=False)

    assert log_in(client, "username=username&password=password")[0] == 401


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("", "username: This field is required."),
        ("username=a", "password: This field is required."),
        ("username=a&password=", "password: This field may not be blank."),
    ],
)
def test_incomplete_login_is_a_400(client, body, detail):
    assert log_in(client, body) == (400, {"detail": detail})


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "new@example.com"},
        {"username": "new"},
        {"username": "USERNAME", "email": "n@x.org"},
    ],
)
def test_taken_names_and_addresses_are_refused(call, changes):
    call("post", "/auth/register", DOCUMENTED, who="")

    assert call("post", "/auth/register", DOCUMENTED | changes, who="") == (
        400,
        {"detail": "User with this email or username already exists"},
    )
    assert User.objects.filter(username__iexact="username").count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody"},
        {"email": ""},
        {"email": None},
        {"username": "<script>alert(1)</script>"},
        {"username": ""},
        {"username": "a\0b"},
        {"username": ["a"]},
        {"username": "x" * 200},
        {"password": ""},
        {"password": 5},
        {"password": "x" * 2_000},
    ],
)
def test_nonsense_is_no_user(call, changes):
    status, answer = call("post", "/auth/register", DOCUMENTED | changes, who="")

    assert (status, [*answer]) == (400, ["detail"])
    assert not User.objects.filter(email="user@example.com").exists()
    assert not User.objects.filter(username="username").exists()


def test_nobody_makes_himself_an_administrator(call):
    wishes = {"is_superuser": True, "is_staff": True, "is_active": False, "id": 77}

    status, user = call("post", "/auth/register", DOCUMENTED | wishes, who="")

    stored = User.objects.get(username="username")
    assert (status, user["is_superuser"], user["id"]) == (200, False, stored.pk)
    assert (stored.is_superuser, stored.is_staff, stored.is_active) == (False, False, True)


def test_closed_registration_says_so(call, settings):
    settings.REGISTRATION = "closed"

    status, answer = call("post", "/auth/register", DOCUMENTED, who="")

    assert (status, "administrators" in answer["detail"]) == (403, True)


@pytest.mark.parametrize("mode", ["open", "login"])
@pytest.mark.parametrize(
    "authorization", ["", "Bearer ", "Bearer x.y.z", "Bearer ry_x", "Basic YTpi", "Token x", "\xff"]
)
def test_without_a_good_token_nobody_is_known(client, settings, mode, authorization):
    settings.ACCESS = mode

    assert me(client, authorization) == NOBODY


@pytest.mark.parametrize("mode", ["open", "login"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/auth/me"),
        ("get", "/projects/"),
        ("post", "/projects/"),
        ("delete", "/projects/1"),
        ("get", "/runs/"),
        ("put", "/runs/1"),
        ("post", "/metrics/1"),
        ("get", "/metrics/1/history/a/b"),
        ("get", "/artifacts/artifacts/1"),
        ("post", "/runs/1/artifacts"),
    ],
)
def test_every_route_asks_for_a_token_in_both_modes(client, settings, mode, method, path):
    settings.ACCESS = mode
    client.force_login(make_person("alice"))  # a session is none

    answer = getattr(client, method)(path)

    assert (answer.status_code, answer.json()) == NOBODY
    assert answer["WWW-Authenticate"] == "Bearer"


def test_unsigned_token_is_nobody(client):
    header, body, _ = make_jwt(make_person("alice")).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()

    assert me(client, f"Bearer {none}.{body}.") == NOBODY
    assert me(client, f"Bearer {header}.{body}.") == NOBODY


def test_api_token_is_as_good_as_a_login(client):
    alice = make_person("alice")
    _, secret = create_token(alice, name="job", can_write=False)

    assert me(client, f"Bearer {secret}")[1]["username"] == "alice"
    answer = client.post(
        "/projects/",
        {"name": "a"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert (answer.status_code, answer.json()) == (403, {"detail": "Not enough permissions"})


def test_hundred_requests_a_minute(call, settings):
    cache.clear()
    settings.REQUESTS_PER_MINUTE = 5

    statuses = [call("get", "/auth/me")[0] for _ in range(6)]

    assert statuses == [200] * 5 + [429]
    assert call("get", "/auth/me", who="bob")[0] == 200


def test_requests_by_the_hour_and_when_to_come_again(client, people, settings):
    settings.REQUESTS_PER_HOUR = 2
    headers = {"Authorization": f"Bearer {make_jwt(people['alice'])}"}

    answers = [client.get("/auth/me", headers=headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 3_500 < int(answers[-1]["Retry-After"]) <= 3_600


def test_limits_are_those_of_the_document_and_can_be_switched_off(call, settings):
    assert (settings.REQUESTS_PER_MINUTE, settings.REQUESTS_PER_HOUR) == (100, 1_000)
    settings.REQUESTS_PER_MINUTE = settings.REQUESTS_PER_HOUR = 0

    assert {call("get", "/auth/me")[0] for _ in range(120)} == {200}
