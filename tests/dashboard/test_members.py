"""Who belongs to a project: everybody who sees it may look, owners may change it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.people import make_person, share
from tracking.domain.registration import list_invitations, make_invitation
from tracking.enums import Role
from tracking.models import Project, User

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
EVIL = "<script>alert(1)</script>"
MEMBERS = "/projects/vision/members"
CHANGES = [
    (MEMBERS, {"username": "charlie", "role": "editor"}),
    (f"{MEMBERS}/1", {"role": "viewer"}),
    (f"{MEMBERS}/1/removal", {}),
    ("/projects/vision/visibility", {"public": "1"}),
    ("/projects/vision/ownership", {"user": "1"}),
    ("/projects/vision/invitations", {"role": "viewer"}),
]


@pytest.fixture(autouse=True)
def _login_mode(settings: Any) -> None:
    settings.ACCESS, settings.REGISTRATION = "login", "invited"


@pytest.fixture
def people() -> dict[str, User]:
    """Alice owns, Bob edits, Vera views, Charlie is a stranger."""
    return {name: make_person(name) for name in ("alice", "bob", "vera", "charlie")}


@pytest.fixture
def project(people: dict[str, User]) -> Project:
    project = Project.objects.create(key="vision", name="vision", owner=people["alice"])
    share(project, people["bob"], Role.EDITOR)
    share(project, people["vera"], Role.VIEWER)
    return project


@pytest.fixture
def browser(people: dict[str, User], project: Project) -> Callable[[str], Client]:
    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(people[name], BACKEND)
        return client

    return signed_in


def roles(project: Project) -> dict[str, str]:
    return dict(project.memberships.values_list("user__username", "role"))


def page(response: Any) -> str:
    text: str = response.content.decode()
    return text


@pytest.mark.parametrize(("name", "may_manage"), [("alice", True), ("bob", False), ("vera", False)])
def test_members_see_one_another(browser: Any, name: str, may_manage: bool) -> None:
    response = browser(name).get(MEMBERS)

    listed = [(person.username, role) for person, role in response.context["members"]]
    assert listed == [("alice", "owner"), ("bob", "editor"), ("vera", "viewer")]
    assert ("Add a member" in page(response)) is may_manage
    assert ('title="Remove"' in page(response)) is may_manage


@pytest.mark.parametrize(("name", "status"), [("bob", 403), ("vera", 403), ("charlie", 404)])
@pytest.mark.parametrize("change", CHANGES)
def test_others_change_nothing(
    browser: Any, people: Any, name: str, status: int, change: Any
) -> None:
    path, form = change
    path = path.replace("/1", f"/{people['vera'].pk}")

    assert browser(name).post(path, form).status_code == status

    project = Project.objects.get()
    assert roles(project) == {"bob": "editor", "vera": "viewer"}
    assert (project.is_public, project.owner) == (False, people["alice"])


def test_strangers_see_no_members(browser: Any, client: Client, project: Project) -> None:
    for path in (MEMBERS, "/projects/vision/departure", f"{MEMBERS}/suggestions?username=a"):
        assert browser("charlie").get(path).status_code == 404
        assert client.get(path).status_code == 302
    assert browser("bob").get(f"{MEMBERS}/suggestions?username=a").status_code == 403


def test_owner_adds_a_member_by_name(browser: Any, project: Project) -> None:
    response = browser("alice").post(MEMBERS, {"username": " Charlie ", "role": "editor"})

    assert response.headers["Location"] == MEMBERS
    assert roles(project)["charlie"] == "editor"
    assert browser("charlie").get(MEMBERS).status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"username": "nobody", "role": "viewer"}, "Nobody has the user name “nobody” here."),
        ({"username": EVIL, "role": "viewer"}, "Nobody has the user name"),
        ({"username": "bob", "role": "owner"}, "bob is a member already."),
        ({"username": "alice", "role": "editor"}, "alice is a member already."),
        ({"username": "local", "role": "editor"}, "Nobody has the user name “local” here."),
        ({"username": "charlie", "role": "root"}, "Select a valid choice"),
        ({"username": "", "role": "viewer"}, "This field is required"),
        ({"username": "a\0", "role": "viewer"}, "Null characters"),
    ],
)
def test_members_are_added_only_as_they_can_be(
    browser: Any, project: Project, form: Any, said: str
) -> None:
    response = browser("alice").post(MEMBERS, form)

    assert response.status_code == 400
    assert said in page(response)
    assert EVIL not in page(response)
    assert roles(project) == {"bob": "editor", "vera": "viewer"}


def test_owner_gives_roles(browser: Any, project: Project, people: Any) -> None:
    browser("alice").post(f"{MEMBERS}/{people['bob'].pk}", {"role": "viewer"})

    assert roles(project) == {"bob": "viewer", "vera": "viewer"}


def test_removing_a_member_is_asked_about_first(
    browser: Any, project: Project, people: Any
) -> None:
    alice, path = browser("alice"), f"{MEMBERS}/{people['vera'].pk}/removal"

    asked = page(alice.get(path))
    assert "Remove vera from vision?" in asked
    assert "They will not see the project any more." in asked
    assert roles(project) == {"bob": "editor", "vera": "viewer"}

    said = page(alice.post(path, follow=True))

    assert roles(project) == {"bob": "editor"}
    assert "vera is no member any more" in said
    assert browser("vera").get(MEMBERS).status_code == 404


def test_removing_oneself_is_leaving(browser: Any, project: Project, people: Any) -> None:
    path = f"{MEMBERS}/{people['alice'].pk}/removal"

    for response in (browser("alice").get(path), browser("alice").post(path)):
        assert response.headers["Location"] == "/projects/vision/departure"
    assert Project.objects.get().owner == people["alice"]


@pytest.mark.parametrize("who", ["charlie", "999999999999999999"])
def test_nobody_is_removed_who_is_no_member(browser: Any, people: Any, who: str) -> None:
    path = f"{MEMBERS}/{people[who].pk if who in people else who}/removal"

    for response in (browser("alice").get(path), browser("alice").post(path)):
        assert response.status_code == 404
        assert who not in page(response)


def test_owners_alone_see_addresses_and_when_members_signed_in(
    browser: Any, project: Project, people: Any
) -> None:
    User.objects.filter(pk=people["vera"].pk).update(email="vera@example.org")

    def shown(name: str) -> tuple[bool, bool]:
        text = page(browser(name).get(MEMBERS))
        return "vera@example.org" in text, "Last signed in" in text

    assert [shown(name) for name in ("alice", "bob", "vera")] == [
        (True, True),
        (False, False),
        (False, False),
    ]


def test_role_changes_in_place(browser: Any, project: Project, people: Any) -> None:
    headers = {"HX-Request": "true", "HX-Target": "member-table"}

    response = browser("alice").post(
        f"{MEMBERS}/{people['bob'].pk}", {"role": "viewer"}, headers=headers
    )

    assert page(response).strip().startswith('<section id="member-table"')
    assert roles(project)["bob"] == "viewer"


def test_own_role_changes_the_whole_page(browser: Any, project: Project, people: Any) -> None:
    share(project, people["charlie"], Role.OWNER)
    path = f"{MEMBERS}/{people['charlie'].pk}"

    response = browser("charlie").post(path, {"role": "viewer"}, headers={"HX-Request": "true"})

    assert response.headers["HX-Redirect"] == MEMBERS
    assert roles(project)["charlie"] == "viewer"


@pytest.mark.parametrize(
    ("who", "form", "status"),
    [
        ("alice", {"role": "viewer"}, 400),  # the last owner
        ("bob", {"role": "root"}, 400),
        ("bob", {}, 400),
        ("charlie", {"role": "viewer"}, 404),
        ("999999999999999999", {"role": "viewer"}, 404),
    ],
)
def test_roles_that_cannot_be_changed(
    browser: Any, people: Any, who: str, form: Any, status: int
) -> None:
    pk = people[who].pk if who in people else who

    assert browser("alice").post(f"{MEMBERS}/{pk}", form).status_code == status

    assert roles(Project.objects.get()) == {"bob": "editor", "vera": "viewer"}


def test_leaving_is_asked_about_first(browser: Any, project: Project) -> None:
    bob = browser("bob")
    assert "You will not see the project any more" in page(bob.get("/projects/vision/departure"))
    assert roles(project) == {"bob": "editor", "vera": "viewer"}

    response = bob.post("/projects/vision/departure")

    assert response.headers["Location"] == "/"
    assert roles(project) == {"vera": "viewer"}


def test_leaving_is_offered_to_who_may(browser: Any, project: Project, people: Any) -> None:
    def offered() -> list[bool]:
        return [
            path in page(browser(name).get(MEMBERS))
            for name in ("alice", "bob")
            for path in ("Leave the project", "You are its only owner")
        ]

    assert offered() == [False, True, True, False]
    asked = page(browser("alice").get("/projects/vision/departure"))
    assert "You are its only owner" in asked
    assert 'class="button button-danger"' not in asked

    share(project, people["charlie"], Role.OWNER)
    assert offered() == [True, False, True, False]
    User.objects.filter(pk=people["charlie"].pk).update(is_active=False)
    assert offered() == [False, True, True, False]


def test_last_owner_stays(browser: Any, project: Project) -> None:
    response = browser("alice").post("/projects/vision/departure")

    assert response.status_code == 400
    assert "A project needs an owner" in page(response)


def test_project_is_given_to_another_member(browser: Any, project: Project, people: Any) -> None:
    alice = browser("alice")
    assert (
        alice.post("/projects/vision/ownership", {"user": people["charlie"].pk}).status_code == 400
    )

    response = alice.post("/projects/vision/ownership", {"user": people["bob"].pk})

    project.refresh_from_db()
    assert response.headers["Location"] == MEMBERS
    assert project.owner == people["bob"]
    assert roles(project) == {"vera": "viewer", "alice": "editor"}


def test_public_project_is_read_by_everybody(browser: Any, project: Project) -> None:
    browser("alice").post("/projects/vision/visibility", {"public": "1"})
    assert browser("charlie").get(MEMBERS).status_code == 200
    assert browser("charlie").post(MEMBERS, {"username": "charlie"}).status_code == 403

    browser("alice").post("/projects/vision/visibility", {"public": "0"})
    assert browser("charlie").get(MEMBERS).status_code == 404


def test_invitation_is_a_link_shown_once(browser: Any, project: Project) -> None:
    response = browser("alice").post(
        "/projects/vision/invitations", {"email": "", "role": "editor"}
    )

    link = page(response).partition('<code id="link">http://testserver')[2].partition("<")[0]
    assert "as an editor" in page(Client().get(link))


@pytest.mark.parametrize("path", ["", "/members", "/about", "/departure"])
def test_pages_of_a_project_name_its_namespace(browser: Any, project: Project, path: str) -> None:
    Project.objects.update(namespace="la<b>")

    text = page(browser("alice").get(f"/projects/vision{path}"))

    assert 'title="Projects of la&lt;b&gt;"' in text
    assert ('<h1><span class="muted">la&lt;b&gt; /</span> ' in text) == (path != "/departure")


def test_owner_withdraws_an_invitation(browser: Any, project: Project) -> None:
    make_invitation(project.owner, project=project, email="eve@example.org")  # type: ignore[arg-type]
    [invitation] = list_invitations(project)
    path = f"/projects/vision/invitations/{invitation.pk}/withdrawal"
    shown = page(browser("alice").get(MEMBERS))
    assert path in shown
    assert "data-ago>just now</time>" in shown.partition('id="invitations"')[2]

    assert browser("bob").post(path).status_code == 403
    response = browser("alice").post(path, follow=True)

    assert "is withdrawn" in page(response)
    assert "eve@example.org" not in page(response)
    assert browser("alice").post(path).status_code == 404


@pytest.mark.parametrize("form", [{"role": "owner"}, {"role": "viewer", "email": "x"}, {}])
def test_invitations_that_cannot_be_made(browser: Any, project: Project, form: Any) -> None:
    response = browser("alice").post("/projects/vision/invitations", form, follow=True)

    assert response.redirect_chain == [(MEMBERS, 302)]
    assert "message-error" in page(response)


def test_suggestions_are_twenty_at_most(browser: Any, project: Project) -> None:
    User.objects.bulk_create(User(username=f"p-{n:02}") for n in range(30))
    User.objects.create(username="q-1", first_name=EVIL)

    shown = page(browser("alice").get(f"{MEMBERS}/suggestions", {"username": "P-"}))
    evil = page(browser("alice").get(f"{MEMBERS}/suggestions", {"username": "script"}))

    assert shown.count("<option") == 20
    assert (evil.count("<option"), EVIL in evil) == (1, False)


def test_names_with_markup_stay_text(browser: Any, project: Project) -> None:
    share(project, User.objects.create(username=EVIL, last_name=EVIL))

    shown = page(browser("alice").get(MEMBERS))

    assert EVIL not in shown
    assert (
        shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 4
    )  # name, twice in labels, last name


def test_members_take_as_many_queries_for_many_as_for_few(browser: Any, project: Project) -> None:
    alice = browser("alice")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert alice.get(MEMBERS).status_code == 200
        return len(queries)

    before = count()
    for number in range(3):
        share(project, make_person(f"more-{number}"))

    assert count() == before


def test_members_are_cut_into_pages(browser: Any, project: Project) -> None:
    people = User.objects.bulk_create(User(username=f"p-{n:03}") for n in range(100))
    for person in people:
        share(project, person, Role.VIEWER)

    response = browser("alice").get(MEMBERS, {"page": 2})

    assert [person.username for person, _ in response.context["members"]] == [
        "p-098",
        "p-099",
        "vera",
    ]
    assert "101–103 of 103" in page(response)


def test_open_mode_has_members_but_no_invitations(
    client: Client, project: Project, settings: Any
) -> None:
    settings.ACCESS = "open"

    shown = page(client.get(MEMBERS))

    assert "Add a member" in shown
    assert "Nobody signs in on this server" in shown
    assert "Everybody who signs in" not in shown
    assert "Invite somebody new" not in shown
