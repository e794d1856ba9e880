import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Permission
from django.test import Client

from tests.people import make_person
from tests.tracking.admin.conftest import admin_path
from tracking.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(settings) -> Client:
    """Looks after accounts, and is no superuser."""
    settings.ACCESS = "login"
    keeper = make_person("keeper")
    keeper.is_staff = True
    keeper.save()
    names = ["view_user", "change_user", "add_user", "delete_user"]
    keeper.user_permissions.add(*Permission.objects.filter(codename__in=names))
    browser = Client()
    browser.force_login(keeper, "django.contrib.auth.backends.ModelBackend")
    return browser


def change(browser: Client, user: User, **fields: str) -> int:
    form = {"username": user.username, "is_active": "on", "email": ""}
    form |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return browser.post(admin_path("user", "change", user.pk), form | fields).status_code


def test_no_password_opens_a_service_account(rf):
    trainer = make_person("trainer")
    trainer.set_password("correct horse battery")
    trainer.save()
    request = rf.post("/login")
    assert authenticate(request, username="trainer", password="correct horse battery") == trainer

    trainer.is_service = True
    trainer.save()

    assert authenticate(request, username="trainer", password="correct horse battery") is None


def test_keeper_of_accounts_gives_no_rights(keeper):
    bob, me = make_person("bob"), User.objects.get(username="keeper")

    for user in (bob, me):
        assert change(keeper, user, is_superuser="on", is_staff="on", first_name="B") == 302
        stored = User.objects.get(pk=user.pk)
        assert (stored.is_superuser, stored.first_name) == (False, "B")
    assert not User.objects.get(pk=bob.pk).is_staff


def test_keeper_of_accounts_does_not_touch_superusers(keeper):
    root = make_person("root")
    root.is_superuser = True
    root.save()
    before = User.objects.values().get(pk=root.pk)

    assert change(keeper, root, email="mine@example.org") == 403
    password = {"password1": "my own password 1", "password2": "my own password 1"}
    assert keeper.post(f"/admin/tracking/user/{root.pk}/password/", password).status_code == 403
    assert keeper.post(admin_path("user", "delete", root.pk), {"post": "yes"}).status_code == 403
    keeper.post(
        admin_path("user"),
        {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"},
    )
    assert User.objects.values().get(pk=root.pk) == before


def test_superuser_gives_rights(client):
    bob = make_person("bob")

    assert change(client, bob, is_superuser="on", is_staff="on") == 302

    assert User.objects.get(pk=bob.pk).is_superuser


def test_list_tells_people_from_service_accounts_and_from_everybody(client):
    make_person("ada")
    User.objects.create(username="bot", is_service=True)

    def listed(**params: str) -> list[tuple[str, str]]:
        response = client.get(admin_path("user"), params)
        kind = response.context["cl"].model_admin.kind
        return [(user.username, kind(user)) for user in response.context["cl"].result_list]

    everybody = ("local", "everybody, in open mode")
    assert listed() == [("ada", "person"), ("bot", "service account"), everybody]
    assert listed(kind="person") == [("ada", "person")]
    assert listed(kind="service") == [("bot", "service account")]


def test_page_of_the_built_in_user_says_who_that_is(client):
    ada, said = make_person("ada"), "This is who everybody is in open mode"
    client.get("/")
    local = User.objects.get(username="local")

    def shown(user: User) -> str:
        return client.get(admin_path("user", "change", user.pk)).content.decode()

    assert (said in shown(local), said in shown(ada)) == (True, False)
    assert "Service account:" in shown(ada).replace("</label>", ":")
