"""Notes and tags of runs and projects."""

import pytest
from django.test import Client

from tests.factories import make_run
from tracking.api.aspara_dashboard import views
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = "/api/projects/proj/metadata"
RUN = "/api/projects/proj/runs/run-1/metadata"


@pytest.fixture
def run() -> Run:
    run = make_run(tags=["old"], notes="old")
    Project.objects.update(tags=["old"], notes="old")
    return Run.objects.get(pk=run.pk)


def said(body: dict) -> tuple:
    return body["notes"], body["tags"]


def iso(moment) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_project_metadata_has_the_published_shape(client, run):
    project = Project.objects.get()

    assert client.get(PROJECT).json() == {
        "notes": "old",
        "tags": ["old"],
        "created_at": iso(project.created_at),
        "updated_at": iso(project.updated_at),
    }


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("path", [RUN, PROJECT])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"notes": "new"}, ("new", ["old"])),
        ({"tags": ["a", " b ", "a"]}, ("old", ["a", "b"])),
        ({"notes": "", "tags": []}, ("", [])),
        ({"notes": None, "tags": None}, ("old", ["old"])),
        ({"colour": "red"}, ("old", ["old"])),
        ({}, ("old", ["old"])),
    ],
)
def test_what_is_given_is_replaced(client, put, path, body, expected):
    status, answer = put(path, body)

    assert (status, said(answer)) == (200, expected)
    assert client.get(path).json() == answer


def test_changing_a_run_tells_watchers_and_is_no_sign_of_life(put, run):
    put(RUN, {"notes": "new"})

    changed = Run.objects.get()
    assert changed.revision == run.revision + 1
    assert changed.last_seen_at == run.last_seen_at


def test_changing_a_project_moves_updated_at(put, run):
    before = Project.objects.get()

    put(PROJECT, {"notes": "new"})

    after = Project.objects.get()
    assert after.updated_at > before.updated_at
    assert after.created_at == before.created_at


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("path", [RUN, PROJECT])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"notes": 1}, "notes must be text."),
        ({"notes": "x" * 100_001}, "notes has 100001 characters; at most 100000 are allowed."),
        ({"notes": "a\0"}, "notes has a NUL character in it."),
        ({"tags": "a"}, "tags must be a list of texts."),
        ({"tags": [1]}, "tags must be text."),
        ({"tags": [""]}, "tags: a tag has 1 to 250 characters."),
        ({"tags": ["a" * 251]}, "tags: a tag has 1 to 250 characters."),
        ({"tags": [str(n) for n in range(101)]}, "tags has 101 tags; at most 100 are allowed."),
        ('{"notes": "\\ud800"}', "notes has half a surrogate pair in it."),
        ("[]", "Invalid data. Expected a dictionary, but got list."),
        ("{", "JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[" * 100_000, "JSON parse error - nested too deeply"),
    ],
)  # fmt: skip
def test_bad_body_is_400_and_changes_nothing(client, put, path, body, detail):
    assert put(path, body) == (400, {"detail": detail})
    assert said(client.get(path).json()) == ("old", ["old"])


def test_unknown_run_and_project_are_404_and_not_created(put, run):
    no_run = {"detail": "Run 'nope' not found in project 'proj'"}
    no_project = {"detail": "Project 'nope' not found"}

    assert put("/api/projects/proj/runs/nope/metadata", {"notes": "x"}) == (404, no_run)
    assert put("/api/projects/nope/runs/run-1/metadata", {"notes": "x"}) == (404, no_project)
    assert put("/api/projects/nope/metadata", {"notes": "x"}) == (404, no_project)
    assert (Project.objects.count(), Run.objects.count()) == (1, 1)


def test_other_bodies_are_refused(client, run):
    form = client.put(RUN, "notes=x", content_type="application/x-www-form-urlencoded")
    chunked = client.put(RUN, {}, "application/json", headers={"Transfer-Encoding": "chunked"})

    assert form.status_code == 415
    assert chunked.status_code == 411
    assert Run.objects.get().notes == "old"


@pytest.mark.parametrize("path", [RUN, PROJECT])
def test_another_sites_page_changes_nothing(put, run, path):
    foreign = put(path, {"notes": "new"}, Origin="http://evil.example")

    assert foreign == (403, {"detail": "Requests from another site's pages are refused."})
    assert (Run.objects.get().notes, Project.objects.get().notes) == ("old", "old")


def test_no_token_is_asked_for(run):
    strict = Client(enforce_csrf_checks=True)

    answer = strict.put(RUN, {"notes": "new"}, content_type="application/json")

    assert (answer.status_code, answer.json()["notes"]) == (200, "new")


@pytest.mark.parametrize("path", [RUN, PROJECT])
def test_what_is_deleted_meanwhile_is_404(monkeypatch, put, run, path):
    body = views.RunViewSet.checked_body

    def delete_first(*args):
        Project.objects.all().delete()
        return body(*args)

    monkeypatch.setattr(views.BodyViewSet, "checked_body", delete_first)

    assert put(path, {"notes": "new"})[0] == 404


@pytest.mark.parametrize("path", ["/api/projects/a%00b/metadata", "/api/projects/proj/runs/%00"])
def test_nul_is_in_no_name(client, run, path):
    assert client.get(path).status_code == 404


def test_options_describe_the_body(client, run):
    answer = client.options(RUN)

    assert answer.status_code == 200
    assert set(answer.json()["actions"]["PUT"]) == {"notes", "tags"}
