import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import make_run
from tests.people import make_person
from tests.tracking.admin.conftest import admin_path
from tracking.domain.tokens import create_token, find_token
from tracking.errors import InvalidCredentials
from tracking.models import ApiToken, User

pytestmark = pytest.mark.django_db
FORM = {"user": "trainer", "name": "cluster", "can_write": "on", "project": "", "days": "365"}


@pytest.fixture
def trainer() -> User:
    trainer = make_person("trainer")
    trainer.is_service = True
    trainer.save()
    return trainer


def secret_in(answer: object) -> str:
    return answer.content.decode().partition('id="token-text">')[2].partition("<")[0]


def sign_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return browser


def test_token_is_made_for_a_service_account_and_shown_once(client, trainer):
    make_run()

    answer = client.post(admin_path("apitoken", "add"), FORM | {"project": "proj"})

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    token = find_token(secret_in(answer))
    assert (token.user, token.name, token.can_write) == (trainer, "cluster", True)
    assert token.project.key == "proj"
    for path in (admin_path("apitoken"), admin_path("apitoken", "change", token.pk), "/admin/"):
        assert secret_in(answer) not in client.get(path).content.decode()
    assert not client.cookies.get("messages")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": "nobody"}, "There is no active user of that name."),
        ({"user": ""}, "This field is required."),
        ({"project": "nowhere"}, "There is no such project."),
        ({"name": "a\tb"}, "one line of 1 to 250 characters"),
        ({"days": "x"}, "Select a valid choice."),
    ],
)
def test_bad_form_makes_no_token(client, trainer, change, reason):
    answer = client.post(admin_path("apitoken", "add"), FORM | change)

    assert reason in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_tokens_are_revoked_and_stay_in_the_list(client, trainer):
    token, secret = create_token(trainer, name="cluster", can_write=True)

    client.post(admin_path("apitoken"), {"action": "revoke", "_selected_action": [token.pk]})

    with pytest.raises(InvalidCredentials):
        find_token(secret)
    assert "revoked" in client.get(admin_path("apitoken")).content.decode()


def test_token_stays_what_it_was_made_as(client, trainer):
    token, _ = create_token(trainer, name="cluster", can_write=False)

    answer = client.post(admin_path("apitoken", "change", token.pk), FORM | {"name": "more"})

    assert answer.status_code == 403
    assert ApiToken.objects.values_list("name", "can_write").get() == ("cluster", False)


def test_only_superusers_make_tokens(trainer, settings):
    settings.ACCESS = "login"
    staff = make_person("staff")
    staff.is_staff = True
    staff.save()
    staff.user_permissions.add(*_permissions("add_apitoken", "view_apitoken"))

    assert sign_in(staff).post(admin_path("apitoken", "add"), FORM).status_code == 403
    assert not ApiToken.objects.exists()


def test_token_opens_no_admin(trainer, settings):
    settings.ACCESS = "login"
    trainer.is_staff = trainer.is_superuser = True
    trainer.save()
    headers = {"Authorization": f"Bearer {create_token(trainer, name='a', can_write=True)[1]}"}

    assert Client().get("/admin/", headers=headers).status_code in {302, 403}
    answer = Client().post(admin_path("apitoken", "add"), FORM, headers=headers)
    assert answer.status_code in {302, 403}
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("state", ["usable", "expired", "revoked", "never used", "x"])
def test_list_is_narrowed_by_state(client, trainer, state):
    create_token(trainer, name="cluster", can_write=True)

    page = client.get(admin_path("apitoken"), {"state": state}).content.decode()

    assert ("cluster" in page) == (state in {"usable", "never used", "x"})


def _permissions(*names: str) -> list:
    return list(Permission.objects.filter(codename__in=names))
