"""Who may make an account, and under which name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db import connection
from django.utils import timezone

from tests.people import make_person, share
from tracking.domain import audit
from tracking.domain.accounts import search_accounts, update_account
from tracking.domain.registration import (
    INVITATION_S,
    list_invitations,
    make_invitation,
    may_invite,
    read_invitation,
    register_user,
    withdraw_invitation,
)
from tracking.enums import Role
from tracking.errors import InvalidInput, NameTaken, NotFound, NotPermitted
from tracking.models import Invitation, Membership, Project, User

pytestmark = pytest.mark.django_db
GOOD = "correct horse 9"


@pytest.fixture
def alice() -> User:
    return make_person("alice")


@pytest.fixture
def project(alice: User) -> Project:
    return Project.objects.create(key="vision", name="vision", owner=alice)


@pytest.fixture
def login_mode(settings: Any) -> Any:
    settings.ACCESS, settings.REGISTRATION = "login", "invited"
    return settings


def test_register_user_makes_a_person_without_rights() -> None:
    user = register_user(" bob ", "Bob@Example.ORG", "password")

    assert (user.username, user.email) == ("bob", "Bob@example.org")
    assert (user.is_staff, user.is_superuser, user.is_active, user.is_service) == (
        False,
        False,
        True,
        False,
    )
    assert user.check_password("password")


@pytest.mark.parametrize("name", ["alice", "ALICE", "local", "Local", "ÉMILE", "ａｌｉｃｅ"])
def test_names_are_told_apart_without_capitals(alice: User, name: str) -> None:
    make_person("émile")

    with pytest.raises(NameTaken):
        register_user(name, "", "password")


def test_email_addresses_are_told_apart_without_capitals() -> None:
    register_user("one", "Me@example.org", "password")
    register_user("two", "", "password")
    register_user("three", "", "password")  # no address is no address twice

    with pytest.raises(NameTaken):
        register_user("four", "mE@EXAMPLE.org", "password")


@pytest.mark.parametrize(
    ("name", "email", "password", "field"),
    [
        ("", "", "password", "username"),
        ("<b>bob</b>", "", "password", "username"),
        ("a b", "", "password", "username"),
        ("bob\0", "", "password", "username"),
        ("x" * 151, "", "password", "username"),
        ("bob", "nonsense", "password", "email"),
        ("bob", "a\0@example.org", "password", "email"),
        ("bob", f"{'x' * 250}@example.org", "password", "email"),
        ("bob", "", "", "password"),
        ("bob", "", "x" * 1001, "password"),
    ],
)
def test_register_user_names_what_is_wrong(
    name: str, email: str, password: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        register_user(name, email, password)

    assert refused.value.field == field
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["password", "short 1", "19283746501", "bobby-tables"])
def test_rules_for_passwords_hold_where_people_sign_in(login_mode: Any, password: str) -> None:
    login_mode.REGISTRATION = "open"

    with pytest.raises(InvalidInput) as refused:
        register_user("bobby-tables", "", password)

    assert refused.value.field == "password"


@pytest.mark.parametrize("rule", ["invited", "closed"])
def test_without_an_invitation_nobody_comes_in(login_mode: Any, rule: str) -> None:
    login_mode.REGISTRATION = rule

    with pytest.raises(NotPermitted):
        register_user("eve", "", GOOD)


def test_invitation_makes_a_member(login_mode: Any, alice: User, project: Project) -> None:
    invitation = read_invitation(make_invitation(alice, project=project, role=Role.EDITOR))

    user = register_user("bob", "", GOOD, invitation=invitation)

    assert list(Membership.objects.values_list("project", "user", "role")) == [
        (project.pk, user.pk, "editor")
    ]


def test_who_joins_is_named_in_the_audit_log_and_who_invited(
    login_mode: Any, alice: User, project: Project
) -> None:
    LogEntry.objects.all().delete()
    with audit.acting(lambda: alice):
        secret = make_invitation(alice, project=project, role=Role.EDITOR)
    bob = register_user("bob", "", GOOD, invitation=read_invitation(secret))
    login_mode.REGISTRATION = "open"
    eve = register_user("eve", "", GOOD)

    invited = {"invited by": "alice"}
    assert [
        (entry.content_type.model, entry.actor, entry.additional_data)
        for entry in LogEntry.objects.order_by("pk")
    ] == [
        ("invitation", alice, None),
        ("user", bob, invited),
        ("membership", bob, invited),
        ("user", eve, None),
    ]
    made = LogEntry.objects.earliest("pk")
    assert made.object_repr == "editor for whoever has the link"
    assert made.changes["project"] == ["None", "vision"]
    assert secret not in str(LogEntry.objects.values())


def test_invitation_to_an_address_is_for_it_and_for_once(
    login_mode: Any, alice: User, project: Project
) -> None:
    secret = make_invitation(alice, project=project, email="bob@example.org")

    with pytest.raises(InvalidInput):
        register_user("eve", "eve@example.org", GOOD, invitation=read_invitation(secret))
    register_user("bob", "BOB@example.org", GOOD, invitation=read_invitation(secret))
    with pytest.raises(NotFound):
        read_invitation(secret)


def test_invitation_ends_after_its_time(
    login_mode: Any, alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make_invitation(alice, project=project)
    later = (timezone.now() + timedelta(seconds=INVITATION_S + 5)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)

    with pytest.raises(NotFound):
        read_invitation(secret)


@pytest.mark.parametrize("change", ["disabled", "not owner", "project gone", "closed", "tampered"])
def test_invitation_ends_with_the_rights_of_who_made_it(
    login_mode: Any, alice: User, project: Project, change: str
) -> None:
    secret = make_invitation(alice, project=project)
    if change == "disabled":
        User.objects.update(is_active=False)
    elif change == "not owner":
        Project.objects.update(owner=make_person("new"))
    elif change == "project gone":
        project.delete()
    elif change == "closed":
        login_mode.REGISTRATION = "closed"
    else:
        secret = secret[:5] + ("a" if secret[5] != "a" else "b") + secret[6:]

    with pytest.raises(NotFound):
        read_invitation(secret)


def test_withdrawn_invitation_opens_nothing(login_mode: Any, alice: User, project: Project) -> None:
    secret, kept = (make_invitation(alice, project=project) for _ in range(2))
    newest, oldest = list_invitations(project)

    withdraw_invitation(project, oldest.pk)

    with pytest.raises(NotFound):
        read_invitation(secret)
    assert read_invitation(kept) == newest
    assert list_invitations(project) == [newest]
    with pytest.raises(NotFound):
        withdraw_invitation(project, oldest.pk)


def test_invitations_to_the_server_are_in_the_audit_log_to_their_end(login_mode: Any) -> None:
    root = User.objects.create_superuser("root")
    LogEntry.objects.all().delete()
    with audit.acting(lambda: root):
        for email in ("bob@example.org", "eve@example.org"):
            make_invitation(root, email=email)
        eves, bobs = list_invitations(None)
        withdraw_invitation(None, bobs.pk)
        Invitation.objects.filter(pk=eves.pk).delete()

    assert [
        (entry.get_action_display(), entry.object_repr, entry.actor)
        for entry in LogEntry.objects.order_by("pk")
    ] == [
        ("create", "viewer for bob@example.org", root),
        ("create", "viewer for eve@example.org", root),
        ("update", "viewer for bob@example.org", root),
        ("delete", "viewer for eve@example.org", root),
    ]
    assert list(LogEntry.objects.get(action=LogEntry.Action.UPDATE).changes) == ["withdrawn_at"]


def test_invitations_to_a_project_are_not_the_servers(
    login_mode: Any, alice: User, project: Project
) -> None:
    make_invitation(alice, project=project)
    [invitation] = list_invitations(project)

    assert list_invitations(None) == []
    with pytest.raises(NotFound):
        withdraw_invitation(None, invitation.pk)


def test_invitations_that_were_used_or_ran_out_are_not_listed(
    login_mode: Any, alice: User, project: Project
) -> None:
    for email in ("BOB@example.org", "eve@example.org"):
        make_invitation(alice, project=project, email=email)
    User.objects.create_user("bob", "bob@example.org")

    assert [one.email for one in list_invitations(project)] == ["eve@example.org"]
    Invitation.objects.update(created_at=timezone.now() - timedelta(seconds=INVITATION_S))
    assert list_invitations(project) == []


def test_who_may_invite(login_mode: Any, alice: User, project: Project) -> None:
    bob, root = make_person("bob"), User.objects.create_superuser("root")
    share(project, bob, Role.EDITOR)

    assert [may_invite(user, project) for user in (alice, bob, root)] == [True, False, True]
    assert [may_invite(user) for user in (alice, bob, root)] == [False, False, True]
    login_mode.REGISTRATION = "closed"
    assert [may_invite(user, project) for user in (alice, bob, root)] == [False, False, True]
    with pytest.raises(NotPermitted):
        make_invitation(alice, project=project)


@pytest.mark.parametrize("role", ["owner", "", "root"])
def test_invitation_makes_no_owner(
    login_mode: Any, alice: User, project: Project, role: str
) -> None:
    with pytest.raises(InvalidInput):
        make_invitation(alice, project=project, role=role)


@pytest.mark.django_db(transaction=True)
def test_of_many_with_the_same_name_one_gets_it() -> None:
    def attempt(name: str) -> bool:
        try:
            register_user(name, "", "password")
        except NameTaken:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(attempt, ["bob", "Bob", "BOB", "boB", "bOb", "BoB"]))

    assert sum(won) == 1


def test_update_account_changes_names_and_address(alice: User) -> None:
    update_account(alice, first_name="<b>A</b> ", last_name="", email="A@Example.org")

    alice.refresh_from_db()
    assert (alice.first_name, alice.last_name, alice.email) == ("<b>A</b>", "", "A@example.org")


def test_update_account_takes_nobody_elses_address(alice: User) -> None:
    register_user("bob", "bob@example.org", "password")

    with pytest.raises(NameTaken):
        update_account(alice, first_name="", last_name="", email="BOB@example.org")
    with pytest.raises(InvalidInput):
        update_account(alice, first_name="two\nlines", last_name="", email="")


def test_search_accounts_finds_twenty_active_people_at_most() -> None:
    User.objects.bulk_create(User(username=f"person-{n:02}") for n in range(25))
    User.objects.create(username="person-gone", is_active=False)
    User.objects.create(username="x", last_name="Personne")

    assert [user.username for user in search_accounts("PERSON-")] == [
        f"person-{n:02}" for n in range(20)
    ]
    assert [user.username for user in search_accounts("sonne")] == ["x"]
    assert search_accounts(" ") == []
