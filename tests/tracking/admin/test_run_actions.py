"""Moving, tagging and exporting many runs at once."""

import csv
import io

import pytest
from auditlog.models import LogEntry as AuditEntry
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import log_points, make_run
from tests.people import make_person
from tests.tracking.admin.conftest import admin_path
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db


def act(client: Client, action: str, *runs: Run, **fields: object) -> object:
    chosen = {"action": action, "_selected_action": [run.pk for run in runs]}
    return client.post(admin_path("run"), chosen | fields)


def test_runs_are_moved_after_a_question(client):
    run, other = make_run(), make_run("run-1", "there")
    there = other.project

    question = act(client, "move", run)
    assert question.status_code == 200
    assert "proj / run-1" in question.content.decode()
    assert Run.objects.get(pk=run.pk).project.key == "proj"

    done = act(client, "move", run, apply="1", project="there")
    assert done.status_code == 302
    moved = Run.objects.get(pk=run.pk)
    assert (moved.project, moved.key) == (there, "run-1-2")
    assert LogEntry.objects.get().get_change_message() == "Moved to there."
    assert AuditEntry.objects.latest("pk").changes == {
        "project": ["proj", "there"],
        "key": ["run-1", "run-1-2"],
    }


@pytest.mark.parametrize("project", ["", "nowhere", "a\0b"])
def test_unknown_project_is_asked_for_again(client, project):
    run = make_run()

    answer = act(client, "move", run, apply="1", project=project)

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert Run.objects.get().project.key == "proj"


def test_tags_are_added_and_taken_away(client):
    runs = make_run("a", tags=["old", "kept"]), make_run("b")

    assert act(client, "retag", *runs).status_code == 200
    assert act(client, "retag", *runs, apply="1", add="new\ngood", remove="old").status_code == 302

    assert [run.tags for run in Run.objects.order_by("pk")] == [
        ["kept", "new", "good"],
        ["new", "good"],
    ]


def test_unfit_tags_are_refused(client):
    run = make_run()

    answer = act(client, "retag", run, apply="1", add="x" * 300)

    assert "1 to 250 characters" in answer.content.decode()
    assert Run.objects.get().tags == []


def test_all_that_match_are_meant_where_all_were_chosen(client):
    runs = [make_run(f"run-{n}") for n in range(3)]
    there = make_run("other", "there").project
    path = f"{admin_path('run')}?project={runs[0].project_id}"
    fields = {
        "action": "move",
        "_selected_action": [runs[0].pk],
        "select_across": "1",
        "apply": "1",
        "project": "there",
    }

    assert client.post(path, fields).status_code == 302

    assert there.runs.count() == 4


def test_chosen_runs_are_exported(client):
    run = make_run(config={"lr": 0.1})
    Run.objects.update(name="=SUM(A1)")
    log_points(run, {"loss": [2.0, 1.0]})
    make_run("run-2", "other")

    answer = act(client, "export", run)

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="runs.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert {name: row[name] for name in ("project", "run", "name", "config.lr", "loss")} == {
        "project": "proj",
        "run": "run-1",
        "name": "'=SUM(A1)",
        "config.lr": "0.1",
        "loss": "1.0",
    }


def test_who_may_only_look_moves_and_tags_nothing(settings):
    settings.ACCESS = "login"
    run, there = make_run(), make_run("other", "there").project
    viewer = make_person("viewer")
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.add(Permission.objects.get(codename="view_run"))
    browser = Client()
    browser.force_login(viewer, "django.contrib.auth.backends.ModelBackend")

    act(browser, "move", run, apply="1", project=there.key)
    act(browser, "retag", run, apply="1", add="x")

    assert Run.objects.values_list("project__key", "tags").get(pk=run.pk) == ("proj", [])
    assert Project.objects.count() == 2
