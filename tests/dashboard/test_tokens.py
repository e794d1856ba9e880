from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import make_run
from tests.people import make_person
from tracking.domain.access import local_user
from tracking.domain.tokens import create_token, find_token, revoke_token
from tracking.errors import InvalidCredentials
from tracking.models import ApiToken, Project, User

pytestmark = pytest.mark.django_db
PAGE = "/profile/tokens"
FORM = {"name": "cluster", "scope": "write", "project": "", "days": "90"}


@pytest.fixture
def alice(settings: Any) -> User:
    settings.ACCESS = "login"
    return make_person("alice")


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    return client


def shown_secret(answer: Any) -> str:
    return answer.content.decode().partition('id="token-text"><code>')[2].partition("<")[0]


def test_secret_is_shown_once(browser, alice):
    answer = browser.post(PAGE, FORM)

    secret = shown_secret(answer)
    token = find_token(secret)
    assert (token.user, token.name, token.can_write, token.project) == (
        alice,
        "cluster",
        True,
        None,
    )
    assert timedelta(days=89) < token.expiry - timezone.now() < timedelta(days=90)
    assert f"export RUNYARD_URL=http://testserver\nexport RUNYARD_TOKEN={secret}" in (
        answer.content.decode()
    )
    assert "no-store" in answer["Cache-Control"]
    later = browser.get(PAGE).content.decode()
    assert secret not in later
    assert f"{secret[:15]}…" in later


def test_scope_project_and_end_are_chosen(browser, alice):
    make_run()
    Project.objects.update(owner=alice)

    answer = browser.post(PAGE, {"name": "a", "scope": "read", "project": "proj", "days": "0"})

    token = find_token(shown_secret(answer))
    assert (token.can_write, token.project.key, token.expiry) == (False, "proj", None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"scope": "admin"}, "Select a valid choice."),
        ({"days": "-1"}, "Select a valid choice."),
        ({"days": "9999999999999"}, "Select a valid choice."),
        ({"project": "nowhere"}, "There is no such project, or you may not see it."),
        ({"project": "proj"}, "There is no such project, or you may not see it."),
    ],
)
def test_bad_form_makes_no_token(browser, change, reason):
    make_run()  # somebody else's

    answer = browser.post(PAGE, FORM | change)

    assert answer.status_code == 400
    assert reason in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_name_is_text(browser):
    answer = browser.post(PAGE, FORM | {"name": "<img src=x>"})

    assert "<img src=x>" not in answer.content.decode()
    assert "&lt;img src=x&gt;" in answer.content.decode()


def test_token_is_revoked_after_a_question(browser, alice):
    token, secret = create_token(alice, name="cluster", can_write=True)
    address = f"{PAGE}/{token.pk}/revocation"

    assert "Revoke the token “cluster”?" in browser.get(address).content.decode()
    find_token(secret)
    assert browser.post(address).status_code == 302

    with pytest.raises(InvalidCredentials):
        find_token(secret)
    assert "cluster (" not in browser.get(PAGE).content.decode()
    assert browser.post(address).status_code == 404


def test_others_tokens_are_not_there(browser):
    token, secret = create_token(make_person("bob"), name="theirs", can_write=True)
    address = f"{PAGE}/{token.pk}/revocation"

    assert "theirs" not in browser.get(PAGE).content.decode()
    assert (browser.get(address).status_code, browser.post(address).status_code) == (404, 404)
    assert browser.get(f"{PAGE}/{'9' * 30}/revocation").status_code == 404
    find_token(secret)


@pytest.mark.parametrize("text", ["lab~vision", "lab/vision", "lab / vision"])
def test_project_is_named_by_its_key_or_with_its_namespace(browser, alice, text):
    project = Project.objects.create(key="lab~vision", namespace="lab", name="vision", owner=alice)

    browser.post(PAGE, FORM | {"project": text})

    assert ApiToken.objects.get().project == project


@pytest.mark.parametrize("text", ["vision", "lab/", "/vision", "lab/visions", "lab/vision/x"])
def test_refusal_of_a_project_says_how_to_name_it(browser, alice, text):
    Project.objects.create(key="lab~vision", namespace="lab", name="vision", owner=alice)

    answer = browser.post(PAGE, FORM | {"project": text})

    assert answer.status_code == 400
    assert "or namespace/name." in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_user_cannot_be_named_in_the_form(browser, alice):
    bob = make_person("bob")

    browser.post(PAGE, FORM | {"user": bob.pk, "user_id": bob.pk, "creator": bob.pk})

    assert ApiToken.objects.get().user == alice


def test_token_opens_no_token_page(alice):
    _, secret = create_token(alice, name="cluster", can_write=True)
    headers = {"Authorization": f"Bearer {secret}"}

    assert Client().get(PAGE, headers=headers).status_code == 403
    assert Client().post(PAGE, FORM, headers=headers).status_code == 403
    assert ApiToken.objects.count() == 1


def test_nobody_sees_the_page(alice):
    assert Client().get(PAGE).status_code == 302
    assert Client().post(PAGE, FORM).status_code == 302
    assert not ApiToken.objects.exists()


def test_form_needs_the_csrf_token(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, "django.contrib.auth.backends.ModelBackend")

    assert browser.post(PAGE, FORM).status_code == 403
    assert not ApiToken.objects.exists()


def test_open_mode_has_tokens_for_clients_that_ask_for_one(client, settings):
    assert settings.ACCESS == "open"
    assert "published <code>ml-dash</code> package" in client.get(PAGE).content.decode()

    secret = shown_secret(client.post(PAGE, FORM))

    token = find_token(secret)
    assert token.user == local_user()
    assert f'href="{PAGE}"' in client.get("/").content.decode()
    client.post(f"{PAGE}/{token.pk}/revocation")
    with pytest.raises(InvalidCredentials):
        find_token(secret)


def test_token_of_open_mode_ends_with_it(client, settings):
    """Else whoever came by then would stay an administrator."""
    secret = shown_secret(client.post(PAGE, FORM))

    settings.ACCESS = "login"

    with pytest.raises(InvalidCredentials, match="of open mode"):
        find_token(secret)


def test_list_takes_as_many_queries_for_three_as_for_one(browser, alice, django_assert_num_queries):
    make_run()
    project = Project.objects.get()
    create_token(alice, name="1", can_write=True, project=project)
    with django_assert_num_queries(6):
        browser.get(PAGE)

    for name in "23":
        create_token(alice, name=name, can_write=True, project=project)
    with django_assert_num_queries(6):
        assert browser.get(PAGE).content.decode().count("Revoke ") == 3


def test_expired_token_is_listed_as_such_and_revoked_one_is_not(browser, alice):
    create_token(alice, name="old", can_write=True)
    ApiToken.objects.update(expiry=timezone.now())
    revoke_token(create_token(alice, name="gone", can_write=True)[0])

    page = browser.get(PAGE).content.decode()

    assert '<span class="problem">expired</span>' in page
    assert "gone" not in page
