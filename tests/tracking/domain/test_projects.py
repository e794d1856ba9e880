import pytest

from tests.people import make_person, share
from tracking.domain.access import role_in
from tracking.domain.projects import create_project, open_named_project, update_project
from tracking.enums import Role
from tracking.errors import AlreadyExists
from tracking.models import Project, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_person("alice")


@pytest.fixture
def bob() -> User:
    return make_person("bob")


def test_project_of_a_name_is_created_once_with_a_key_of_its_own(alice):
    first = open_named_project("My Project", user=alice)
    second = open_named_project("My Project", user=alice, tags=["vision"])

    assert first == second
    assert Project.objects.values_list("key", "name", "owner__username", "tags").get() == (
        *("my-project", "My Project", "alice", ["vision"]),
    )


def test_somebody_elses_public_project_is_not_meant(alice, bob):
    hers = open_named_project("digits", user=alice)
    Project.objects.update(is_public=True)

    his = open_named_project("digits", user=bob)

    assert (hers.key, his.key, his.owner) == ("digits", "digits-2", bob)


def test_project_of_a_team_is_meant_by_its_editors_and_not_by_its_viewers(alice, bob):
    hers = open_named_project("digits", user=alice)
    share(hers, bob, Role.EDITOR)
    share(hers, charlie := make_person("charlie"), Role.VIEWER)

    assert open_named_project("digits", user=bob) == hers
    assert open_named_project("digits", user=charlie) != hers


def test_own_project_comes_before_that_of_a_team(alice, bob):
    share(open_named_project("digits", user=alice), bob, Role.OWNER)
    his = Project.objects.create(key="b", name="digits", owner=bob)

    assert open_named_project("digits", user=bob) == his


@pytest.mark.parametrize("name", ["default", "Default!"])
def test_own_project_never_gets_the_key_that_opens_it_to_everybody(settings, alice, bob, name):
    settings.ACCESS = "login"

    hers = open_named_project(name, user=alice)

    assert (hers.key, hers.owner) == ("project-default", alice)
    assert role_in(bob, hers) is None
    assert open_named_project(name, user=alice) == hers


def test_new_name_is_refused_where_the_owner_has_it_as_far_as_one_may_see(alice, bob):
    """Otherwise an editor could ask for the names of private projects, one after the other."""
    create_project("secret", user=alice)
    team = create_project("team", user=alice)
    shared = create_project("shared", user=alice)
    for project in (team, shared):
        share(project, bob, Role.EDITOR)

    with pytest.raises(AlreadyExists, match="Project with this name already exists"):
        update_project(team, user=alice, name="secret")
    with pytest.raises(AlreadyExists, match="Project with this name already exists"):
        update_project(team, user=bob, name="shared")
    update_project(team, user=bob, name="secret")

    team.refresh_from_db()
    assert (team.key, team.name) == ("team", "secret")


@pytest.mark.parametrize("name", ["secret", "Se crét!", "default"])
@pytest.mark.parametrize("is_taken", [False, True])
def test_project_that_got_its_name_later_takes_nobodys_records(alice, bob, name, is_taken):
    """Whoever may rename a project of a team could else have another's private runs logged to it."""
    team = create_project("team", user=alice)
    share(team, bob, Role.EDITOR)
    if is_taken:
        create_project(name, user=bob)
    private = create_project(name, user=alice)
    update_project(team, user=bob, name=name)

    assert open_named_project(name, user=alice) == private
    assert private.key.endswith("-2") == is_taken


def test_project_is_found_by_a_name_it_got_later(alice):
    project = create_project("old", user=alice)
    update_project(project, user=alice, name="new")

    assert open_named_project("new", user=alice) == project
