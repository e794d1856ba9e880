from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_run
from tests.people import make_person
from tracking.domain.identity import identify
from tracking.domain.tokens import (
    MAX_TOKENS,
    create_token,
    find_token,
    refuse_token,
    revoke_token,
    token_allows,
    usable_tokens,
)
from tracking.errors import InvalidCredentials, InvalidInput, LimitExceeded, NotPermitted
from tracking.models import ApiToken, Project

pytestmark = pytest.mark.django_db


def test_secret_is_not_stored() -> None:
    token, secret = create_token(make_person("alice"), name=" laptop ", can_write=False)

    stored = ApiToken.objects.values().get()
    assert secret.startswith("ry_")
    assert len(secret) == 3 + 64
    assert stored["token_key"] == secret[:15]
    assert secret not in str(stored)
    assert (stored["name"], stored["can_write"], stored["project_id"]) == ("laptop", False, None)
    assert str(token) == f"laptop ({secret[:15]}…)"


def test_token_is_found_by_its_secret() -> None:
    alice = make_person("alice")
    token, secret = create_token(alice, name="laptop", can_write=True)

    found = find_token(secret)

    assert found == token
    assert found.user == alice
    assert found.user.token == found
    assert alice.token is None


@pytest.mark.parametrize("header", ["Bearer {}", "bearer  {} ", "Token {}", "TOKEN {}"])
def test_header_names_a_user(header: str) -> None:
    alice = make_person("alice")
    _, secret = create_token(alice, name="laptop", can_write=True)

    assert identify(header.format(secret)) == alice


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer  ", "Basic YTpi", "Negotiate x", "Bearerry_x", "ry_x"]
)
def test_header_without_a_token_names_nobody(header: str) -> None:
    assert identify(header) is None


@pytest.mark.parametrize(
    "text", ["x", "ry_", "ry_ü", "ry_\0", "ry_a b", "ry_" + "0" * 64, "ry_" + "0" * 9000]
)
def test_wrong_token_is_refused(text: str) -> None:
    create_token(make_person("alice"), name="laptop", can_write=True)

    with pytest.raises(InvalidCredentials, match=r"^(There is no such (API )?token)"):
        identify(f"Bearer {text}")


def test_token_with_the_right_beginning_only_is_refused() -> None:
    _, secret = create_token(make_person("alice"), name="laptop", can_write=True)
    forged = secret[:-1] + ("0" if secret[-1] != "0" else "1")

    for text in (forged, secret[:15], secret + "0", secret.upper()):
        with pytest.raises(InvalidCredentials):
            find_token(text)


def test_digest_is_no_secret() -> None:
    token, _ = create_token(make_person("alice"), name="laptop", can_write=True)

    with pytest.raises(InvalidCredentials):
        find_token(token.digest)
    with pytest.raises(InvalidCredentials):
        find_token(f"ry_{token.digest}")


def test_revoked_token_is_refused_at_once() -> None:
    token, secret = create_token(make_person("alice"), name="laptop", can_write=True)
    find_token(secret)

    revoke_token(token)

    with pytest.raises(InvalidCredentials, match=r"The API token “laptop” was revoked\."):
        find_token(secret)


def test_revoking_again_keeps_the_first_time() -> None:
    token, _ = create_token(make_person("alice"), name="laptop", can_write=True)
    revoke_token(token)
    first = token.revoked_at

    revoke_token(token)

    token.refresh_from_db()
    assert token.revoked_at == first


def test_expired_token_is_refused_and_kept() -> None:
    token, secret = create_token(
        make_person("alice"),
        name="laptop",
        can_write=True,
        expires_at=timezone.now() + timedelta(hours=1),
    )
    find_token(secret)
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))

    with pytest.raises(InvalidCredentials, match=r"The API token “laptop” has expired\."):
        find_token(secret)
    assert ApiToken.objects.get() == token


def test_token_of_a_disabled_account_is_refused() -> None:
    alice = make_person("alice")
    _, secret = create_token(alice, name="laptop", can_write=True)
    alice.is_active = False
    alice.save()

    with pytest.raises(InvalidCredentials, match=r"The account of this API token is disabled\."):
        find_token(secret)


def test_use_is_noted_once_a_minute() -> None:
    _, secret = create_token(make_person("alice"), name="laptop", can_write=True)

    with CaptureQueriesContext(connection) as first:
        used_at = find_token(secret).last_used_at
    with CaptureQueriesContext(connection) as second:
        find_token(secret)

    assert used_at is not None
    assert ApiToken.objects.get().last_used_at == used_at
    assert (len(first), len(second)) == (2, 1)

    ApiToken.objects.update(last_used_at=used_at - timedelta(seconds=61))
    assert find_token(secret).last_used_at > used_at


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 251, "\0"])
def test_unfit_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        create_token(make_person("alice"), name=name, can_write=False)

    assert not ApiToken.objects.exists()


def test_end_in_the_past_is_refused() -> None:
    with pytest.raises(InvalidInput, match="in the future"):
        create_token(make_person("alice"), name="x", can_write=False, expires_at=timezone.now())


def test_token_makes_no_token() -> None:
    alice = make_person("alice")
    _, secret = create_token(alice, name="laptop", can_write=True)
    by_token = find_token(secret).user

    with pytest.raises(NotPermitted, match="sign in"):
        create_token(by_token, name="more", can_write=True)
    with pytest.raises(NotPermitted, match="sign in"):
        create_token(make_person("bob"), name="more", can_write=True, creator=by_token)
    with pytest.raises(NotPermitted, match="sign in"):
        refuse_token(by_token)
    refuse_token(alice)


def test_a_user_has_so_many_tokens_at_most() -> None:
    alice = make_person("alice")
    tokens = [create_token(alice, name=f"job {n}", can_write=False)[0] for n in range(MAX_TOKENS)]
    with pytest.raises(LimitExceeded, match="revoke some"):
        create_token(alice, name="one more", can_write=False)

    revoke_token(tokens[0])
    ApiToken.objects.filter(pk=tokens[1].pk).update(expiry=timezone.now())

    assert usable_tokens(alice).count() == MAX_TOKENS - 2
    create_token(alice, name="one more", can_write=False)


@pytest.mark.parametrize("can_write", [False, True])
def test_scope(can_write: bool) -> None:
    here, there = make_run().project, make_run(project="other").project
    alice = make_person("alice")
    everywhere, _ = create_token(alice, name="all", can_write=can_write)
    for_one, _ = create_token(alice, name="one", can_write=can_write, project=here)

    def may(token: ApiToken | None, project: Project | None) -> list[bool]:
        return [token_allows(token, project, write=write) for write in (False, True)]

    assert may(None, here) == may(None, None) == [True, True]
    assert may(everywhere, here) == may(everywhere, there) == [True, can_write]
    assert may(everywhere, None) == [True, can_write]
    assert may(for_one, here) == [True, can_write]
    assert may(for_one, there) == may(for_one, None) == [False, False]


def test_token_goes_with_its_project_and_its_user() -> None:
    alice, project = make_person("alice"), make_run().project
    _, of_project = create_token(alice, name="one", can_write=True, project=project)
    _, of_user = create_token(alice, name="all", can_write=True)

    project.delete()
    with pytest.raises(InvalidCredentials):
        find_token(of_project)
    find_token(of_user)

    alice.delete()
    with pytest.raises(InvalidCredentials):
        find_token(of_user)
