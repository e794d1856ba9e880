"""Signing in and out, the pages of the first set-up and of invitations, and one's own account."""

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.test import Client

from tests.factories import make_run
from tests.people import share
from tracking.domain.registration import make_invitation
from tracking.domain.setup import make_setup_secret
from tracking.enums import Role
from tracking.models import Project, User

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
GOOD = "correct horse 9"
PEOPLE_PAGES = ["/login", "/register", "/setup/x", "/join/x", "/profile", "/profile/password"]


@pytest.fixture(autouse=True)
def _login_mode(settings: Any) -> None:
    settings.ACCESS, settings.REGISTRATION = "login", "closed"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick


@pytest.fixture
def alice() -> User:
    return User.objects.create(username="alice", password=make_password(GOOD))


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice, BACKEND)
    return client


def sign_in(client: Client, password: str = GOOD, name: str = "alice", **fields: Any) -> Any:
    form = {"username": name, "password": password, **fields}
    return client.post("/login", form, headers={"Accept": "text/html"})


def problems(response: Any) -> list[str]:
    return [str(text) for texts in response.context["form"].errors.values() for text in texts]


def page(response: Any) -> str:
    text: str = response.content.decode()
    return text


def test_sign_in_and_out(client: Client, alice: User) -> None:
    assert client.get("/").headers["Location"] == "/login?next=%2F"

    assert sign_in(client, next="/profile").headers["Location"] == "/profile"
    assert client.get("/profile").status_code == 200
    assert client.get("/login?next=/profile").headers["Location"] == "/profile"

    assert client.get("/logout").status_code == 405
    assert client.post("/logout").headers["Location"] == "/login"
    assert client.get("/profile").headers["Location"] == "/login?next=%2Fprofile"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "http://testserver/profile",
        "profile",
        "javascript:alert(1)",
        "",
    ],
)
def test_after_signing_in_one_stays_on_this_server(
    client: Client, alice: User, target: str
) -> None:
    assert sign_in(client, next=target).headers["Location"] == "/"


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_service": True}, {"password": "!"}])
def test_accounts_that_do_not_sign_in(client: Client, alice: User, fields: Any) -> None:
    User.objects.update(**fields)

    response = sign_in(client)

    assert (response.status_code, len(problems(response))) == (200, 1)
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(("password", "is_told"), [(GOOD, True), ("wrong", False), ("", False)])
def test_who_knows_the_password_is_told_that_the_account_is_disabled(
    client: Client, alice: User, password: str, is_told: bool
) -> None:
    User.objects.update(is_active=False)

    told = problems(sign_in(client, password))

    assert ("This account is disabled. Ask an administrator." in told) is is_told
    assert "_auth_user_id" not in client.session


def test_wrong_passwords_take_as_many_hashes_for_whatever_account(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long an answer takes must not tell which accounts there are, or are disabled."""
    hasher, counted = "django.contrib.auth.hashers.MD5PasswordHasher", []
    plain = MD5PasswordHasher.encode
    monkeypatch.setattr(
        f"{hasher}.encode", lambda *args, **more: counted.append(1) or plain(*args, **more)
    )
    User.objects.create(username="zed", password=alice.password, is_active=False)

    def count(name: str) -> int:
        counted.clear()
        assert len(problems(sign_in(client, "wrong", name))) == 1
        return len(counted)

    assert [count(name) for name in ("alice", "zed", "nobody")] == [2, 2, 2]


def test_who_is_locked_out_learns_nothing_about_the_account(
    client: Client, alice: User, settings: Any
) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    User.objects.update(is_active=False)
    for _ in range(2):
        sign_in(client, "wrong")

    response = sign_in(client)

    assert response.status_code == 429
    assert "disabled" not in page(response)


def test_login_page_says_why_one_is_there(client: Client, alice: User) -> None:
    ended, asked = "You are not signed in any more", "Sign in to go on to the page you asked for"

    def shown(path: str) -> tuple[bool, bool]:
        text = page(client.get(path, follow=True))
        return ended in text, asked in text

    User.objects.create_superuser("root", password=GOOD)
    assert [shown(path) for path in ("/login", "/", "/profile")] == [
        (False, False),
        (False, False),
        (False, True),
    ]
    client.force_login(alice, BACKEND)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert shown("/profile") == (True, False)


def test_built_in_user_has_no_password(client: Client) -> None:
    User.objects.create(username="local", is_superuser=True)

    for password in ("", "!", "local"):
        assert problems(sign_in(client, password, "local"))


@pytest.mark.parametrize("path", PEOPLE_PAGES)
def test_open_mode_says_that_nobody_signs_in(client: Client, settings: Any, path: str) -> None:
    settings.ACCESS = "open"

    response = client.get(path, follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert "Nobody has to sign in here" in page(response)
    assert "Sign out" not in page(response)


def test_menu_leads_to_what_one_may(signed_in: Client, alice: User) -> None:
    for right, links in (
        ({}, (True, True, True, False, False)),
        ({"is_staff": True, "is_superuser": True}, (True, True, True, True, True)),
    ):
        User.objects.update(**right)
        text = page(signed_in.get("/"))
        assert links == tuple(
            word in text
            for word in ("Sign out", '"/profile"', "/profile/tokens", "/admin/", "/invitations")
        )


# ── Set-up, registering, invitations ─────────────────────────────────────────


def new_account(**fields: str) -> dict[str, str]:
    return {"username": "ada", "email": "", "password": GOOD, "again": GOOD, **fields}


def test_first_administrator_is_made_by_the_link(client: Client) -> None:
    path = f"/setup/{make_setup_secret()}"
    assert "Nobody can sign in yet" in page(client.get("/login"))
    assert client.get(path).headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")

    response = client.post(path, new_account(), follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert User.objects.get().is_superuser
    assert client.get("/admin/").status_code == 200
    assert client.get(path).status_code == 404
    assert "Nobody can sign in yet" not in page(Client().get("/login"))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"again": "another"}, "again"),
        ({"password": "short", "again": "short"}, "password"),
        ({"username": "<script>"}, "username"),
        ({"username": ""}, "username"),
        ({"email": "nonsense"}, "email"),
    ],
)
def test_set_up_says_what_is_wrong(client: Client, fields: dict[str, str], field: str) -> None:
    response = client.post(f"/setup/{make_setup_secret()}", new_account(**fields))

    assert (response.status_code, list(response.context["form"].errors)) == (400, [field])
    assert "<script>" not in page(response).replace("<script src=", "")
    assert not User.objects.exists()


def test_registering_where_it_is_open(client: Client, settings: Any) -> None:
    assert client.get("/register").status_code == 404
    settings.REGISTRATION = "open"
    assert "/register" in page(client.get("/login"))

    rights = {"is_superuser": "1", "is_staff": "1", "is_service": "1"}
    response = client.post("/register", new_account(**rights))

    assert response.headers["Location"] == "/"
    ada = User.objects.get()
    assert (ada.is_superuser, ada.is_staff, ada.is_service) == (False, False, False)
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_taken_name_comes_back_with_the_form(client: Client, alice: User, settings: Any) -> None:
    settings.REGISTRATION = "open"

    response = client.post("/register", new_account(username="Alice"))

    assert response.status_code == 400
    assert problems(response) == ["The user name “Alice” is taken."]


def test_invitation_lets_one_into_its_project(client: Client, alice: User, settings: Any) -> None:
    settings.REGISTRATION = "invited"
    project = Project.objects.create(key="vision", name="<b>vision", owner=alice)
    path = "/join/" + make_invitation(
        alice, project=project, role=Role.EDITOR, email="ada@example.org"
    )
    shown = page(client.get(path))
    assert "alice invites you to the project &lt;b&gt;vision as an editor" in shown
    assert 'value="ada@example.org"' in shown

    response = client.post(path, new_account(email="eve@example.org"))

    assert response.headers["Location"] == "/projects/vision"
    ada = User.objects.get(username="ada")
    assert (ada.email, project.memberships.get().role) == ("ada@example.org", "editor")
    assert Client().get(path).status_code == 404


def test_invitation_makes_no_second_account(signed_in: Client, alice: User) -> None:
    root = User.objects.create_superuser("root")
    path = f"/join/{make_invitation(root)}"

    assert "You have an account already" in page(signed_in.get(path))
    signed_in.post(path, new_account())

    assert User.objects.count() == 2


@pytest.mark.parametrize("path", ["/setup/x", "/setup/e30:1:x", "/join/x", "/join/%00"])
def test_wrong_links_lead_nowhere(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, new_account()).status_code == 404


# ── One's own account ────────────────────────────────────────────────────────


def test_profile_is_text(signed_in: Client, alice: User) -> None:
    evil = "<img src=x onerror=alert(1)>"
    form = {"first_name": evil, "last_name": "", "email": "a@example.org", "is_superuser": "1"}

    response = signed_in.post("/profile", form, follow=True)

    alice.refresh_from_db()
    assert (alice.first_name, alice.email, alice.is_superuser) == (evil, "a@example.org", False)
    assert evil not in page(response)
    assert "&lt;img src=x" in page(response)


def test_profile_refuses_anothers_address(signed_in: Client) -> None:
    User.objects.create(username="bob", email="bob@example.org")

    response = signed_in.post("/profile", {"email": "BOB@example.org"})

    assert response.status_code == 400
    assert "There is an account" in problems(response)[0]


def test_new_password_ends_other_sessions(signed_in: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice, BACKEND)
    new = "better battery 7"
    form = {"old_password": GOOD, "new_password1": new, "new_password2": new}

    assert signed_in.post("/profile/password", form).headers["Location"] == "/profile"

    alice.refresh_from_db()
    assert alice.check_password(new)
    assert signed_in.get("/profile").status_code == 200
    assert other.get("/profile").status_code == 302


@pytest.mark.parametrize(
    "change",
    [
        {"old_password": "wrong"},
        {"new_password2": "other"},
        dict.fromkeys(("new_password1", "new_password2"), "12345678"),
    ],
)
def test_new_password_is_refused(signed_in: Client, alice: User, change: dict[str, str]) -> None:
    new = "better battery 7"
    form = {"old_password": GOOD, "new_password1": new, "new_password2": new, **change}

    assert signed_in.post("/profile/password", form).status_code == 400

    alice.refresh_from_db()
    assert alice.check_password(GOOD)


# ── What goes wrong in between ───────────────────────────────────────────────


def test_htmx_is_sent_to_the_login_page_with_the_page_one_was_on(client: Client) -> None:
    headers = {
        "HX-Request": "true",
        "HX-Target": "run-table",
        "HX-Current-URL": "http://testserver/projects/p/runs?q=x%20%3E%201",
    }

    response = client.get("/projects/p/runs?fragment=1", headers=headers)

    assert response.headers["HX-Redirect"] == (
        "/login?next=%2Fprojects%2Fp%2Fruns%3Fq%3Dx%2520%253E%25201&ended=1"
    )
    assert response.content == b""


def test_stale_form_says_so(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, BACKEND)

    plain = browser.post("/profile", {"email": ""})
    fragment = browser.post("/profile", {"email": ""}, headers={"HX-Request": "true"})

    assert (plain.status_code, fragment.status_code) == (403, 403)
    assert "This page is out of date" in page(plain)
    assert page(fragment).startswith('<p class="problem" role="alert">')


def test_secret_of_a_link_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    answer = Client(enforce_csrf_checks=True).post("/join/the-secret", {"username": "a"})

    assert answer.status_code == 403
    assert "the-secret" not in caplog.text


def test_pages_that_refuse_work_in_login_mode(signed_in: Client, alice: User) -> None:
    make_run("a", "vision")
    project = Project.objects.get()
    assert signed_in.get("/projects/vision").status_code == 404
    assert "Not found" in page(signed_in.get("/projects/nothing"))

    share(project, alice, Role.VIEWER)

    refused = signed_in.get("/projects/vision/ownership")
    assert refused.status_code == 403
    assert "Only owners may do this to project &#x27;vision&#x27;." in page(refused)
    assert 'href="/projects/vision/members"' in page(refused)
