"""Deleting in the admin: files go with the rows, the bytes are told, points are not loaded."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points, make_run
from tests.people import make_person
from tests.tracking.admin.conftest import admin_path
from tracking.domain.access import local_user
from tracking.domain.artifacts import store_artifact
from tracking.models import Artifact, MetricPoint, Project, Run, User

pytestmark = pytest.mark.django_db(transaction=True)
SURE = {"post": "yes"}
FILE_BYTES = 5_000
POINT_BYTES = 1 + 3 * 24


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.TRASH_DAYS = 0
    settings.MEDIA_ROOT = tmp_path / "artifacts"
    return settings.MEDIA_ROOT


def files(store: Path) -> int:
    return sum(path.is_file() for path in store.rglob("*"))


def make_full_run(key: str, project: str = "proj") -> Run:
    run = make_run(key, project)
    log_points(run, {"loss": [3.0, 2.0, 1.0]})
    store_artifact(run, ContentFile(bytes(FILE_BYTES)), name="model.pt")
    return run


def messages(page: HttpResponse) -> list[str]:
    return [str(message).replace("\xa0", " ") for message in page.context["messages"]]


def delete_one(client: Client, model: str, pk: int) -> HttpResponse:
    return client.post(admin_path(model, "delete", pk), SURE, follow=True)


def delete_chosen(client: Client, model: str, pks: list[int]) -> HttpResponse:
    chosen = {"action": "delete_selected", "_selected_action": pks}
    return client.post(admin_path(model), chosen | SURE, follow=True)


@pytest.mark.parametrize("model", ["run", "project", "artifact"])
def test_deleted_from_its_page(client, store, model):
    run = make_full_run("run-1")
    make_full_run("kept", "other")
    pk = {"run": run.pk, "project": run.project_id, "artifact": Artifact.objects.first().pk}[model]

    page = delete_one(client, model, pk)

    assert files(store) == 1
    freed = "4.9 KB freed" if model == "artifact" else "1 metrics, 3 points, 1 files, 5.0 KB freed"
    assert messages(page)[0] == freed
    assert "was deleted successfully" in messages(page)[1]
    assert Run.objects.filter(key="run-1").exists() is (model == "artifact")
    assert Project.objects.filter(key="proj").exists() is (model != "project")
    assert Artifact.objects.count() == 1


@pytest.mark.parametrize("model", ["run", "project", "artifact"])
def test_deleted_from_the_list(client, store, model):
    runs = [make_full_run("run-1", "a"), make_full_run("run-2", "b")]
    make_full_run("kept", "other")
    pks = {
        "run": [run.pk for run in runs],
        "project": [run.project_id for run in runs],
        "artifact": list(Artifact.objects.filter(run__in=runs).values_list("pk", flat=True)),
    }[model]

    page = delete_chosen(client, model, pks)

    assert files(store) == 1
    freed = "9.8 KB freed" if model == "artifact" else "2 metrics, 6 points, 2 files, 9.9 KB freed"
    assert messages(page) == [freed, f"Successfully deleted 2 {model}s."]
    assert Artifact.objects.get().run.key == "kept"
    left = {"run": Run, "project": Project, "artifact": Artifact}[model].objects.count()
    assert left == 1


@pytest.mark.parametrize("model", ["run", "project"])
def test_page_that_asks_tells_what_goes(client, model):
    run = make_full_run("run-1")
    pk = run.pk if model == "run" else run.project_id

    page = client.get(admin_path(model, "delete", pk)).content.decode().replace("\xa0", " ")

    for line in ("Metrics: 1", "Points: 3", "Files: 1", "Freed: 5.0 KB", "Runs: 1"):
        assert f"<li>{line}</li>" in page
    assert Run.objects.count() == MetricPoint.objects.count() == 1


def test_page_that_asks_names_only_the_first(client, monkeypatch):
    monkeypatch.setattr("tracking.admin.deleting.SHOWN", 2)
    runs = [make_run(f"run-{place}") for place in range(5)]

    chosen = {"action": "delete_selected", "_selected_action": [run.pk for run in runs]}
    page = client.post(admin_path("run"), chosen).content.decode()

    assert "Runs: 5" in page
    assert "… and 3 more" in page
    assert page.count('class="clip"') == 2
    assert Run.objects.count() == 5


@pytest.mark.parametrize("model", ["run", "project"])
def test_points_are_never_read(client, model):
    run = make_full_run("run-1")
    pk = run.pk if model == "run" else run.project_id

    with CaptureQueriesContext(connection) as queries:
        client.get(admin_path(model, "delete", pk))
        delete_one(client, model, pk)

    column = '"tracking_metricpoint"."data"'
    statements = [query["sql"].replace(f"LENGTH({column})", "") for query in queries]
    assert [sql for sql in statements if column in sql] == []
    assert MetricPoint.objects.count() == 0


def test_user_is_deleted_and_what_they_made_stays(client):
    alice = make_person("alice")
    run = make_full_run("run-1")
    Run.objects.update(created_by=alice)
    Project.objects.update(owner=alice)

    delete_one(client, "user", alice.pk)

    assert not User.objects.filter(username="alice").exists()
    run.refresh_from_db()
    assert (run.created_by, run.project.owner) == (None, None)


def test_account_that_everybody_acts_as_cannot_be_deleted(client):
    local = local_user()
    make_person("alice")

    page = client.post(admin_path("user", "delete", local.pk), SURE)
    delete_chosen(client, "user", [local.pk, User.objects.get(username="alice").pk])

    assert page.status_code == 403
    assert User.objects.count() == 2


@pytest.mark.parametrize("model", ["run", "project"])
def test_trash_is_shown_restored_and_emptied(client, store, settings, model):
    settings.TRASH_DAYS = 30
    run = make_full_run("run-1")
    pk = {"run": run.pk, "project": run.project_id}[model]
    trash = f"{admin_path(model)}?trash=yes"
    chosen = {"_selected_action": [pk]}

    page = delete_chosen(client, model, [pk])
    assert "5.0 KB in the trash" in messages(page)[0]
    assert [one.pk for one in client.get(trash).context["cl"].result_list] == [pk]
    assert list(client.get(admin_path(model)).context["cl"].result_list) == []
    for query in ("", "?trash=yes"):
        assert client.get(admin_path(model, "change", pk) + query).status_code == 302

    page = client.post(trash, chosen | {"action": "take_out"}, follow=True)
    assert messages(page)[-1:] == [f"1 restored: {'run-1' if model == 'run' else 'proj'}"]
    assert Run.objects.get().key == "run-1"

    delete_chosen(client, model, [pk])
    page = client.post(trash, chosen | SURE | {"action": "delete_selected"}, follow=True)
    assert "5.0 KB freed" in messages(page)[0]
    assert (files(store), Run.everything.count()) == (0, 0)


@pytest.mark.parametrize("model", ["metric", "metricpoint", "artifact", "producer"])
def test_nothing_of_the_trash_stands_in_the_lists(client, model):
    run = make_full_run("run-1")
    Run.objects.filter(pk=run.pk).update(deleted_at=run.started_at)

    assert list(client.get(admin_path(model)).context["cl"].result_list) == []
