from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import keep_file, log_points, make_batch, make_run, start_event, take_in
from tests.people import make_person, share
from tracking.domain import audit, writer
from tracking.domain.artifacts import delete_artifacts, describe_artifact
from tracking.domain.deletion import delete_projects, delete_runs
from tracking.domain.edits import edit_project, edit_run, fingerprint
from tracking.domain.ingest import record_batch
from tracking.domain.projects import update_project
from tracking.domain.runs import (
    archive_runs,
    close_run,
    finish_run,
    merge_config,
    tag_runs,
    update_run,
)
from tracking.domain.tokens import create_token, find_token, revoke_token
from tracking.domain.views import delete_view, save_view
from tracking.enums import Role, RunStatus
from tracking.models import Artifact, Membership, Project, Run, User

pytestmark = pytest.mark.django_db
Entry = tuple[str, str, str, Any]


@pytest.fixture
def run() -> Run:
    run = make_run()
    LogEntry.objects.all().delete()
    return run


def noted() -> list[Entry]:
    """What was changed, how, and from what to what; the oldest first."""
    return [
        (entry.content_type.model, entry.get_action_display(), entry.object_repr, entry.changes)
        for entry in LogEntry.objects.order_by("pk")
    ]


def test_edit_of_a_run_is_noted_with_before_and_after(run):
    edit_run(run, "notes", "better", seen=fingerprint(""))
    edit_run(run, "tags", ["a"], seen=fingerprint([]))
    update_run(run, name="first", readme="# Hi", is_alive=False)

    assert noted() == [
        ("run", "update", "proj / run-1", {"notes": ["", "better"]}),
        ("run", "update", "proj / run-1", {"tags": ["[]", '["a"]']}),
        ("run", "update", "proj / run-1", {"name": ["run-1", "first"], "readme": ["", "# Hi"]}),
    ]


def test_what_changes_nothing_is_not_noted(run):
    update_run(run, notes="", is_alive=False)
    archive_runs(Run.objects.all(), archived=False)
    tag_runs(Run.objects.all(), remove=["none"])
    update_project(run.project, notes="")
    close_run(run, status=RunStatus.COMPLETED, username="alice")
    close_run(run, status=RunStatus.COMPLETED, username="alice")

    assert noted() == [("run", "update", "proj / run-1", {"status": ["running", "completed"]})]


def test_actions_on_many_runs_are_noted_for_each(run):
    make_run("run-2")
    runs = Run.objects.order_by("pk")

    tag_runs(runs, add=["good"])
    archive_runs(runs)
    delete_runs(runs)

    by_hand = [entry for entry in noted() if entry[0] == "run"]
    changes = [{"tags": ["[]", '["good"]']}, {"archived": ["False", "True"]}, {}]
    actions = ["update", "update", "delete"]
    assert by_hand == [
        ("run", action, f"proj / {key}", change)
        for action, change in zip(actions, changes, strict=True)
        for key in ("run-1", "run-2")
    ]


def test_what_trainings_log_is_not_noted(run):
    log_points(run, {"loss": [1.0]})
    update_run(run, tags=["by training"])
    merge_config(run, {"lr": 1})
    finish_run(run, status=RunStatus.COMPLETED)

    assert noted() == []


def test_batch_door_asks_no_query_for_the_log(run):
    take_in(make_batch(1, 1, events=start_event()))
    LogEntry.objects.all().delete()

    with CaptureQueriesContext(connection) as queries:
        log_points(run, {"loss": [1.0]})
        take_in(make_batch(2, 2))

    assert not [query for query in queries if "auditlog" in query["sql"]]
    assert noted() == []


def test_project_that_a_job_makes_has_its_user_for_an_actor(run):
    alice = make_person("alice")
    with transaction.atomic():
        record_batch(make_batch(1, 1, project="new", events=start_event()), user=alice)

    assert noted()[-1][:3] == ("project", "create", "new")
    assert LogEntry.objects.latest("pk").actor == alice


def test_project_and_its_people_are_noted(run):
    alice = make_person("alice")
    LogEntry.objects.all().delete()

    edit_project(run.project, "description", "digits", seen=fingerprint(""))
    share(run.project, alice, Role.VIEWER)
    membership = Membership.objects.get()
    membership.role = Role.EDITOR
    membership.save()
    membership.delete()
    delete_projects(Project.objects.all())

    assert [entry[:3] for entry in noted()] == [
        ("project", "update", "proj"),
        ("membership", "create", "alice is viewer of proj"),
        ("membership", "update", "alice is editor of proj"),
        ("membership", "delete", "alice is editor of proj"),
        ("run", "delete", "proj / run-1"),
        ("project", "delete", "proj"),
    ]
    assert noted()[0][3] == {"description": ["", "digits"]}
    assert noted()[2][3] == {"role": ["viewer", "editor"]}


def test_tokens_are_noted_without_their_secrets(run):
    alice = make_person("alice")
    LogEntry.objects.all().delete()

    token, secret = create_token(alice, name="job", can_write=True)
    find_token(secret)
    revoke_token(token)

    kinds = [entry[:2] for entry in noted()]
    assert kinds == [("apitoken", "create"), ("apitoken", "update")]
    assert noted()[0][3]["user"] == ["None", "alice"]
    assert list(noted()[1][3]) == ["revoked_at"]
    everything = str(list(LogEntry.objects.values()))
    assert secret not in everything
    assert token.digest not in everything


def test_password_is_noted_as_changed_and_not_shown(run):
    alice = make_person("alice")
    LogEntry.objects.all().delete()

    alice.set_password("correct horse")
    alice.save()
    alice.is_superuser = True
    alice.save()
    group = Group.objects.create(name="staff")
    alice.groups.add(group)

    assert noted() == [
        ("user", "update", "alice", {"password": ["•••", "•••"]}),
        ("user", "update", "alice", {"is_superuser": ["False", "True"]}),
        ("group", "create", "staff", {"name": ["None", "staff"]}),
        (
            "user",
            "update",
            "alice",
            {"groups": {"type": "m2m", "operation": "add", "objects": ["staff"]}},
        ),
    ]


def test_views_are_noted(run):
    alice = make_person("alice")
    LogEntry.objects.all().delete()

    save_view(run.project, name="best", page="runs", query="q=a", user=alice)
    view = save_view(run.project, name="best", page="runs", query="q=b", user=alice, replace=True)
    delete_view(view)

    assert [entry[:3] for entry in noted()] == [
        ("savedview", action, "best") for action in ("create", "update", "delete")
    ]
    assert noted()[1][3] == {"query": ["q=a", "q=b"]}


def test_files_are_noted_when_people_describe_and_delete_them(run, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    artifact = keep_file(run, "model.pt", b"1")
    LogEntry.objects.all().delete()

    describe_artifact(artifact, category="data")
    delete_artifacts(Artifact.objects.all())

    assert noted() == [
        ("artifact", "update", "proj / run-1 / model.pt", {"category": ["model", "data"]}),
        ("artifact", "delete", "proj / run-1 / model.pt", {}),
    ]


def test_long_texts_are_cut(run):
    update_run(run, notes="x" * 50_000, is_alive=False)

    assert len(noted()[0][3]["notes"][1]) == audit.MAX_TEXT_LENGTH + 1


def test_actor_is_who_asks_in_the_end(run):
    alice, bob = make_person("alice"), make_person("bob")
    asking: dict[str, User] = {"user": alice}

    with audit.acting(lambda: asking["user"]):
        asking["user"] = bob
        update_run(run, notes="1", is_alive=False)
        update_project(run.project, notes="1")
        share(run.project, alice)
    update_run(run, notes="2", is_alive=False)

    about = LogEntry.objects.exclude(content_type__model="user").order_by("pk")
    assert [entry.actor for entry in about] == [bob, bob, bob, None]


def test_token_that_was_used_is_named(run):
    token, secret = create_token(make_person("alice"), name="job", can_write=True)

    with audit.acting(lambda: find_token(secret).user):
        update_run(run, notes="1", is_alive=False)

    entry = LogEntry.objects.latest("pk")
    assert (entry.actor, entry.additional_data) == (token.user, {"token": str(token)})


@pytest.mark.django_db(transaction=True)
def test_writer_works_in_the_name_of_who_hands_it_the_work():
    run, alice = make_run(), make_person("alice")

    with audit.acting(lambda: alice):
        writer.write(lambda: update_run(run, notes="1", is_alive=False))
    writer.write(lambda: update_run(run, notes="2", is_alive=False))

    entries = LogEntry.objects.filter(content_type__model="run").order_by("pk")
    assert [entry.actor for entry in entries] == [alice, None]


def test_entries_of_a_person_who_is_gone_stay(run):
    alice = make_person("alice")
    alice.email = "alice@example.org"
    with audit.acting(lambda: alice):
        update_run(run, notes="1", is_alive=False)
    entry = LogEntry.objects.latest("pk")

    alice.delete()

    entry.refresh_from_db()
    assert (entry.actor, entry.actor_email) == (None, "alice@example.org")
