"""Signed tokens: whose they are, and what is no token of ours."""

import base64
import json
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from tests.people import make_person
from tracking.domain.jwt import find_jwt_user, make_jwt

pytestmark = pytest.mark.django_db
KEY = settings.SIMPLE_JWT["SIGNING_KEY"]


@pytest.fixture
def alice():
    person = make_person("alice")
    person.set_password("long enough 1")
    person.save()
    return person


def claims_of(text):
    return jwt.decode(text, KEY, algorithms=["HS256"])


def forge(claims, key=KEY, algorithm="HS256"):
    return jwt.encode(claims, key, algorithm=algorithm)


def part(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def test_token_names_its_user_and_ends_after_a_day(alice):
    text = make_jwt(alice)

    claims = claims_of(text)
    assert find_jwt_user(text) == alice
    assert sorted(claims) == ["exp", "iat", "jti", "stamp", "sub", "token_type", "user_id"]
    assert (claims["sub"], claims["user_id"]) == ("alice", str(alice.pk))
    assert claims["exp"] - claims["iat"] == 24 * 60 * 60
    assert jwt.get_unverified_header(text)["alg"] == "HS256"


def test_secret_key_itself_signs_no_token(alice):
    assert find_jwt_user(forge(claims_of(make_jwt(alice)), settings.SECRET_KEY)) is None


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_are_refused(alice, algorithm):
    assert find_jwt_user(forge(claims_of(make_jwt(alice)), KEY * 2, algorithm)) is None


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", ""])
def test_unsigned_token_is_refused(alice, algorithm):
    _, body, signature = make_jwt(alice).split(".")
    header = part(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())

    assert find_jwt_user(f"{header}.{body}.") is None
    assert find_jwt_user(f"{header}.{body}.{signature}") is None


def test_foreign_key_and_changed_claims_are_refused(alice):
    bob, text = make_person("bob"), make_jwt(alice)
    header, _, signature = text.split(".")
    changed = part(json.dumps(claims_of(text) | {"user_id": str(bob.pk)}).encode())

    assert find_jwt_user(forge(claims_of(text), "another key" * 4)) is None
    assert find_jwt_user(f"{header}.{changed}.{signature}") is None


def test_expired_token_is_refused(alice):
    token = AccessToken(make_jwt(alice))
    token.set_exp(lifetime=-timedelta(seconds=1))

    assert find_jwt_user(str(token)) is None


@pytest.mark.parametrize("claim", ["exp", "jti", "token_type", "user_id", "stamp"])
def test_token_without_one_of_its_claims_is_refused(alice, claim):
    claims = claims_of(make_jwt(alice))
    del claims[claim]

    assert find_jwt_user(forge(claims)) is None


@pytest.mark.parametrize(
    "user_id", [None, True, 1.5, "", "x", "-1", "²", "1" * 30, [1], {"pk__gt": 0}]
)
def test_nonsense_for_a_user_is_nobody(alice, user_id):
    assert find_jwt_user(forge(claims_of(make_jwt(alice)) | {"user_id": user_id})) is None


def test_token_of_another_kind_is_refused(alice):
    assert find_jwt_user(str(RefreshToken.for_user(alice))) is None


def test_new_password_ends_the_token(alice):
    text = make_jwt(alice)

    alice.set_password("long enough 2")
    alice.save()

    assert find_jwt_user(text) is None
    assert find_jwt_user(make_jwt(alice)) == alice


def test_disabled_or_deleted_user_has_no_token(alice):
    text = make_jwt(alice)

    alice.is_active = False
    alice.save()
    assert find_jwt_user(text) is None

    alice.delete()
    assert find_jwt_user(text) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b.c", "x" * 5_000, "é.é.é", "\x00", f"{part(b'[' * 100_000)}.e30.x"],
)
def test_what_is_no_token_is_refused(alice, text):
    assert find_jwt_user(text) is None


def test_token_of_a_login_ends_when_its_user_becomes_a_service_account(alice):
    text = make_jwt(alice)

    alice.is_service = True
    alice.save()

    assert find_jwt_user(text) is None
