"""What a curator does to projects, their members, and people."""

import pytest
from django.contrib.admin.models import LogEntry
from django.http import HttpResponse
from django.test import Client

from tests.factories import make_run
from tests.people import make_person, share
from tests.tracking.admin.conftest import admin_path
from tracking.domain.access import local_user
from tracking.enums import Role
from tracking.models import Membership, Project, User

pytestmark = pytest.mark.django_db


def forms(prefix: str, *rows: dict[str, object], initial: int = 0) -> dict[str, object]:
    counts = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    named = {f"{prefix}-{place}-{key}": row[key] for place, row in enumerate(rows) for key in row}
    return counts | named


def add(client: Client, **changes: object) -> HttpResponse:
    words = {"key": "vision", "name": "Vision", "tags": "a\nb", "description": "d", "notes": "n"}
    return client.post(admin_path("project", "add"), words | forms("memberships") | changes)


def test_project_is_added_with_an_owner_and_members(client):
    alice = make_person("alice")
    proposed = client.get(admin_path("project", "add")).context["adminform"].form.initial

    page = add(
        client,
        owner=proposed["owner"],
        **forms("memberships", {"user": alice.pk, "role": "editor"}),
    )

    project = Project.objects.get()
    assert page.status_code == 302
    assert (project.key, project.name, project.tags) == ("vision", "Vision", ["a", "b"])
    assert project.owner == local_user()
    membership = Membership.objects.get()
    assert (membership.user, membership.role) == (alice, "editor")


@pytest.mark.parametrize("key", ["", "no spaces", "a/b", "ü", "x" * 251])
def test_key_that_no_url_can_hold_is_refused(client, key):
    page = add(client, key=key)

    assert page.status_code == 200
    assert page.context["adminform"].errors["key"]
    assert not Project.objects.exists()


def test_page_of_a_project_offers_no_deletion_of_its_owner(client):
    project = make_run().project

    page = client.get(admin_path("project", "change", project.pk)).content.decode()

    assert "change_id_owner" in page
    assert "delete_id_owner" not in page


def test_key_stays(client):
    project = make_run().project

    page = client.post(
        admin_path("project", "change", project.pk),
        {"key": "other", "name": "Better", **forms("memberships"), **forms("memberships-2")},
    )

    stored = Project.objects.get()
    assert page.status_code == 302
    assert (stored.key, stored.name) == ("proj", "Better")


def test_members_change_roles_leave_and_join(client):
    project = make_run().project
    alice, bob, charlie = map(make_person, ("alice", "bob", "charlie"))
    share(project, alice, Role.VIEWER)
    share(project, bob)
    first, second = Membership.objects.order_by("pk")

    page = client.post(
        admin_path("project", "change", project.pk),
        {"name": "proj"}
        | forms(
            "memberships",
            {"id": first.pk, "project": project.pk, "role": "owner", "user": charlie.pk},
            {"id": second.pk, "project": project.pk, "role": "viewer", "DELETE": "on"},
            initial=2,
        )
        | forms("memberships-2", {"user": charlie.pk, "role": "viewer", "project": project.pk}),
    )

    assert page.status_code == 302
    roles = Membership.objects.order_by("user__username").values_list("user__username", "role")
    assert list(roles) == [("alice", "owner"), ("charlie", "viewer")]


@pytest.mark.parametrize(
    ("is_member", "objection"),
    [
        (True, "alice is a member already."),
        (False, "Please correct the duplicate data for user."),
    ],
)
def test_member_cannot_join_twice(client, is_member, objection):
    project = make_run().project
    alice = make_person("alice")
    if is_member:
        share(project, alice)
    joining = {"user": alice.pk, "role": "viewer", "project": project.pk}

    page = client.post(
        admin_path("project", "change", project.pk),
        {"name": "proj"}
        | forms("memberships")
        | forms("memberships-2", *[joining] * (1 if is_member else 2)),
    )

    assert page.status_code == 200
    assert objection in page.content.decode()
    assert Membership.objects.count() == is_member


@pytest.mark.parametrize(("action", "is_public"), [("make_public", True), ("make_private", False)])
def test_projects_are_shown_and_hidden(client, action, is_public):
    chosen = [make_run("r", key).project for key in ("a", "b")]
    other = make_run("r", "c").project
    Project.objects.update(is_public=not is_public)
    Project.objects.filter(key="b").update(is_public=is_public)

    selected = {"action": action, "_selected_action": [project.pk for project in chosen]}
    client.post(admin_path("project"), selected)

    shown = dict(Project.objects.values_list("key", "is_public"))
    assert shown == {"a": is_public, "b": is_public, other.key: not is_public}
    assert LogEntry.objects.count() == 1  # the other one was so already


def test_list_counts_runs(client):
    make_run("run-1")
    make_run("run-2")
    project = Project.objects.get()

    page = client.get(admin_path("project")).content.decode()

    assert f'<a href="{admin_path("run")}?project={project.pk}">2</a>' in page
    assert '<a href="/projects/proj">Open</a>' in page


def test_service_account_is_added(client):
    page = client.post(
        admin_path("user", "add"),
        {"username": "trainer", "usable_password": "false", "is_service": "on"},
    )

    trainer = User.objects.get(username="trainer")
    assert page.status_code == 302
    assert (trainer.is_service, trainer.has_usable_password()) == (True, False)
    assert client.get(admin_path("user"), {"is_service__exact": 1}).context["cl"].result_count == 1


@pytest.mark.parametrize(
    "rules",
    [
        {"keep_full_days": 10**6},
        {"keep_full_days": -1},
        {"keep_thinned_days": 1},
        {"keep_full_days": 1, "keep_thinned_days": 2**31 - 1},
    ],
)
def test_rules_that_make_no_sense_are_refused(client, rules):
    page = add(client, owner=local_user().pk, **rules)

    assert (page.status_code, Project.objects.count()) == (200, 0)
    assert len(page.context["adminform"].form.errors) == 1
