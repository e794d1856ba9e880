"""Alice owns, Bob is a teammate, Charlie is a stranger."""

import pytest

from tests.people import make_person, share
from tracking.domain.people import (
    Member,
    add_member,
    change_role,
    list_members,
    remove_member,
    set_public,
    transfer_project,
)
from tracking.enums import Role
from tracking.errors import AlreadyExists, InvalidInput, NotFound
from tracking.models import Project

pytestmark = pytest.mark.django_db
LAST = "A project needs an owner: make somebody else one first."


@pytest.fixture
def alice():
    return make_person("alice")


@pytest.fixture
def bob():
    return make_person("bob")


@pytest.fixture
def project(alice):
    return Project.objects.create(key="proj", name="proj", owner=alice)


def people(project):
    stored = Project.objects.get(pk=project.pk)
    return {member.user.username: member.role for member in list_members(stored)}


def test_members_are_listed_with_the_owner_first(project, alice, bob):
    zoe = make_person("zoe")
    share(project, zoe, Role.VIEWER)
    share(project, bob, Role.EDITOR)

    assert list_members(project) == [
        Member(alice, Role.OWNER),
        Member(bob, Role.EDITOR),
        Member(zoe, Role.VIEWER),
    ]


def test_members_take_the_same_queries_however_many(project, bob, django_assert_num_queries):
    for name in ("x", "y", "z"):
        share(project, make_person(name))

    with django_assert_num_queries(1):
        assert len(list_members(project)) == 4


def test_member_is_added_once(project, alice, bob):
    add_member(project, bob, role="viewer")

    for user in (bob, alice):
        with pytest.raises(AlreadyExists, match=f"{user.username} is a member already"):
            add_member(project, user, role="editor")
    assert people(project) == {"alice": "owner", "bob": "viewer"}


def test_disabled_account_is_not_added(project, bob):
    bob.is_active = False

    for work in (
        lambda: add_member(project, bob, role="viewer"),
        lambda: transfer_project(project, bob),
    ):
        with pytest.raises(InvalidInput, match="The account of bob is disabled"):
            work()
    assert people(project) == {"alice": "owner"}


def test_unknown_role_is_refused(project, bob):
    share(project, bob, Role.VIEWER)

    with pytest.raises(InvalidInput, match="one of viewer, editor, owner"):
        change_role(project, bob, role="god")
    assert people(project) == {"alice": "owner", "bob": "viewer"}


def test_role_is_changed(project, bob):
    share(project, bob, Role.VIEWER)

    change_role(project, bob, role="editor")

    assert people(project) == {"alice": "owner", "bob": "editor"}


@pytest.mark.parametrize("work", [remove_member, lambda *who: change_role(*who, role="editor")])
def test_stranger_can_be_neither_changed_nor_removed(project, bob, work):
    with pytest.raises(NotFound, match="bob is no member of project 'proj'"):
        work(project, bob)


@pytest.mark.parametrize("work", [remove_member, lambda *who: change_role(*who, role="editor")])
def test_last_owner_stays(project, alice, bob, work):
    share(project, bob, Role.EDITOR)

    with pytest.raises(InvalidInput, match=LAST):
        work(project, alice)
    assert people(project) == {"alice": "owner", "bob": "editor"}


def test_disabled_owner_is_no_other_owner(project, alice, bob):
    share(project, bob, Role.OWNER)
    bob.is_active = False
    bob.save()

    with pytest.raises(InvalidInput, match=LAST):
        remove_member(project, alice)


def test_first_owner_who_leaves_hands_over_to_the_next(project, alice, bob):
    share(project, bob, Role.OWNER)

    remove_member(project, alice)

    assert people(project) == {"bob": "owner"}
    assert Project.objects.get().owner == bob
    assert not project.memberships.exists()


def test_first_owner_who_becomes_editor_hands_over_to_the_next(project, alice, bob):
    share(project, bob, Role.OWNER)

    change_role(project, alice, role="editor")

    assert people(project) == {"bob": "owner", "alice": "editor"}


def test_two_owners_cannot_both_go(project, alice, bob):
    share(project, bob, Role.OWNER)
    remove_member(Project.objects.get(), alice)

    with pytest.raises(InvalidInput, match=LAST):
        remove_member(project, bob)  # with what was read before the other went


def test_member_of_a_project_without_an_owner_may_leave_unless_the_last_owner(project, bob):
    Project.objects.update(owner=None)
    share(project, bob, Role.OWNER)

    with pytest.raises(InvalidInput, match=LAST):
        change_role(project, bob, role="viewer")
    assert people(project) == {"bob": "owner"}


def test_transferred_project_keeps_its_former_owner_as_editor(project, alice, bob):
    share(project, bob, Role.VIEWER)

    transfer_project(project, bob)

    assert people(project) == {"bob": "owner", "alice": "editor"}
    assert project.owner == bob
    transfer_project(project, bob)
    assert people(project) == {"bob": "owner", "alice": "editor"}


def test_project_is_made_public_and_private_again(project):
    set_public(project, is_public=True)
    assert Project.objects.get().is_public is True

    set_public(project, is_public=False)
    assert Project.objects.get().is_public is False


def test_deleted_project_has_no_members_to_change(project, bob):
    Project.objects.all().delete()

    with pytest.raises(NotFound, match="Project 'proj' was deleted"):
        add_member(project, bob, role="viewer")
