import pytest
from django.test import Client

from tests.people import make_person
from tracking.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _login_mode(settings):
    settings.ACCESS = "login"


def ask(path: str, user: User | None = None) -> tuple[int, str]:
    client = Client()
    if user:
        client.force_login(user)
    answer = client.get(path)
    return answer.status_code, answer.headers.get("Location", "")


def test_nobody_is_led_to_the_one_login():
    assert ask("/admin/tracking/run/") == (302, "/login?next=%2Fadmin%2Ftracking%2Frun%2F")
    assert ask("/admin/login/?next=/admin/tracking/run/") == (
        302,
        "/login?next=/admin/tracking/run/",
    )
    assert ask("/admin/login/") == (302, "/login?next=/admin/")


def test_who_is_signed_in_and_no_administrator_is_refused_without_a_circle():
    alice = make_person("alice")

    assert ask("/admin/", alice) == (302, "/admin/login/?next=/admin/")
    assert ask("/admin/login/?next=/admin/", alice) == (403, "")


def test_who_is_no_administrator_is_told_so():
    client = Client()
    client.force_login(make_person("<b>vera"))

    text = client.get("/admin/", follow=True).content.decode()

    assert "for administrators; you are signed in as &lt;b&gt;vera." in text
    assert "your role" not in text


def test_administrator_goes_in():
    root = User.objects.create_superuser("root")

    assert ask("/admin/", root) == (200, "")
    assert ask("/admin/login/", root) == (302, "/admin/")


def test_passwords_are_taken_at_the_one_login_only():
    assert Client().post("/admin/login/", {"username": "a", "password": "b"}).status_code == 405
