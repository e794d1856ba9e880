"""Roles, and what a token leaves of them. Alice owns, Bob is a teammate, Charlie is a stranger."""

import pytest

from tests.factories import make_run
from tests.people import make_person, share
from tracking.domain.access import (
    Rights,
    find_project,
    find_project_by_id,
    find_run_by_id,
    local_user,
    require_write_run,
    rights_in,
    role_in,
    visible_projects,
    visible_runs,
)
from tracking.domain.projects import open_project
from tracking.domain.tokens import create_token
from tracking.enums import Role
from tracking.errors import NameTaken, NotFound, NotPermitted
from tracking.models import Project, User

pytestmark = pytest.mark.django_db
ALL, WRITE, READ = Rights(True, True), Rights(True, False), Rights(False, False)  # noqa: FBT003


@pytest.fixture(autouse=True)
def _login_mode(settings):
    settings.ACCESS = "login"


@pytest.fixture
def alice():
    return make_person("alice")


@pytest.fixture
def project(alice):
    return make_project("proj", alice)


def make_project(key: str, owner: User | None, **fields: object) -> Project:
    return Project.objects.create(key=key, name=key, owner=owner, **fields)


def with_token(user: User, **scope: object) -> User:
    found = User.objects.get(pk=user.pk)
    found.token = create_token(user, name="job", **({"can_write": True} | scope))[0]
    return found


@pytest.mark.parametrize(
    ("role", "rights"), [(Role.VIEWER, READ), (Role.EDITOR, WRITE), (Role.OWNER, ALL)]
)
def test_member_has_his_role(project, role, rights):
    bob = make_person("bob")
    share(project, bob, role)

    assert (role_in(bob, project), rights_in(bob, project)) == (role, rights)
    assert find_project(bob, "proj") == project


def test_owner_and_administrators_may_all(project, alice):
    root = User.objects.create_superuser("root")

    for user in (alice, root):
        assert (role_in(user, project), rights_in(user, project)) == (Role.OWNER, ALL)


def test_stranger_sees_nothing_until_it_is_public(project):
    charlie = make_person("charlie")
    assert role_in(charlie, project) is None
    with pytest.raises(NotFound, match="Project 'proj' not found"):
        find_project(charlie, "proj")

    project.is_public = True
    project.save()

    assert (role_in(charlie, project), rights_in(charlie, project)) == (Role.VIEWER, READ)
    assert find_project(charlie, "proj") == project
    with pytest.raises(NotPermitted, match="You may not change project 'proj'"):
        find_project(charlie, "proj", write=True)


def test_editor_may_not_manage(project):
    bob = make_person("bob")
    share(project, bob)

    assert find_project(bob, "proj", write=True) == project
    with pytest.raises(NotPermitted, match="Only owners may do this to project 'proj'"):
        find_project(bob, "proj", manage=True)


def test_disabled_account_has_no_role(project, alice):
    alice.is_active = False

    assert role_in(alice, project) is None
    assert list(visible_projects(alice)) == []


def test_shared_project_is_all_peoples_to_write_in_login_mode(settings):
    charlie = make_person("charlie")
    shared = open_project("default", user=charlie)

    assert (shared.owner, role_in(charlie, shared)) == (None, Role.EDITOR)
    assert list(visible_projects(make_person("dora"))) == [shared]
    settings.ACCESS = "open"
    assert list(visible_projects(charlie)) == []


def test_what_one_creates_one_owns_and_others_are_told_it_is_taken(project):
    charlie = make_person("charlie")

    assert open_project("mine", user=charlie).owner == charlie
    with pytest.raises(NameTaken, match="The project name 'proj' is taken"):
        open_project("proj", user=charlie)


def test_reading_token_takes_the_right_to_write(project, alice):
    user = with_token(alice, can_write=False)

    assert rights_in(user, project) == READ
    assert find_project(user, "proj") == project
    for scope in ({"write": True}, {"manage": True}):
        with pytest.raises(NotPermitted, match="This API token may only read"):
            find_project(user, "proj", **scope)
    with pytest.raises(NotPermitted, match="This API token may only read"):
        open_project("new", user=user)


def test_token_of_a_project_shows_no_other(project, alice):
    other = make_project("other", alice)
    user = with_token(alice, project=other)

    assert list(visible_projects(user)) == [other]
    assert (rights_in(user, project), rights_in(user, other)) == (READ, ALL)
    for key in ("new", "proj"):
        with pytest.raises(NotPermitted, match="This API token is for project 'other' alone"):
            open_project(key, user=user)


def test_viewers_token_for_a_project_is_not_blamed_for_what_he_may_not(project):
    bob = make_person("bob")
    share(project, bob, Role.VIEWER)

    with pytest.raises(NotPermitted, match="You may not change project 'proj'"):
        find_project(with_token(bob, project=project), "proj", write=True)


def test_administrators_token_is_narrow_too(project):
    root = User.objects.create_superuser("root")
    other = make_project("other", root)
    user = with_token(root, can_write=False, project=other)

    assert list(visible_projects(user)) == [other]
    assert rights_in(user, other) == READ
    with pytest.raises(NotPermitted):
        require_write_run(user, make_run(project="third").pk)


def test_token_gives_no_more_than_its_user_has(project):
    bob = make_person("bob")
    share(project, bob, Role.VIEWER)

    assert rights_in(with_token(bob), project) == READ


def test_runs_and_projects_are_found_by_number_with_the_same_rules(project, alice):
    run = make_run(project="elsewhere")
    Project.objects.filter(key="elsewhere").update(owner=alice)
    charlie = make_person("charlie")

    assert find_project_by_id(alice, project.pk, manage=True) == project
    assert find_run_by_id(alice, run.pk, write=True) == run
    assert list(visible_runs(charlie)) == []
    for find, pk in ((find_project_by_id, project.pk), (find_run_by_id, run.pk)):
        with pytest.raises(NotFound):
            find(charlie, pk)


def test_permission_costs_two_queries_and_nothing_for_administrators(
    project, django_assert_num_queries
):
    bob = make_person("bob")
    for key in ("a", "b", "c"):
        share(make_project(key, None), bob)
    share(project, bob)
    local_user()

    with django_assert_num_queries(2):
        find_project(bob, "proj", write=True)
    with django_assert_num_queries(1):
        find_project(local_user(), "proj", write=True)
    with django_assert_num_queries(1):
        assert len(visible_projects(bob)) == 4
