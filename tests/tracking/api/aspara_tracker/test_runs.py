"""Creating, describing and ending runs."""

import pytest

from tests.factories import make_run
from tests.tracking.api.aspara_tracker.conftest import RUN, RUNS, counted_queries
from tracking.api.aspara_tracker import views
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENTED = {
    "name": "experiment_001",
    "tags": ["baseline", "v1"],
    "notes": "Initial experiment",
    "config": {"learning_rate": 0.001, "batch_size": 32},
    "project_tags": ["production"],
}


def test_documented_run_is_created(post):
    status, answer = post("/tracker/api/v1/projects/my_project/runs", DOCUMENTED)

    run = Run.objects.get()
    assert (status, answer) == (
        200,
        {"project": "my_project", "name": "experiment_001", "run_id": "experiment_001"},
    )
    assert (run.project.key, run.project.tags) == ("my_project", ["production"])
    assert (run.key, run.status, run.source) == ("experiment_001", "running", "aspara")
    assert (run.tags, run.notes) == (["baseline", "v1"], "Initial experiment")
    assert run.config == {"learning_rate": 0.001, "batch_size": 32}
    assert run.created_by.username == run.project.owner.username == "local"


@pytest.mark.parametrize("prefix", ["/tracker/api/v1", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_prefixes_and_both_spellings_answer(post, prefix, slash):
    status, answer = post(f"{prefix}/projects/proj/runs{slash}", {"name": "a"})

    assert (status, answer) == (200, {"project": "proj", "name": "a", "run_id": "a"})


def test_name_alone_is_enough_and_nulls_are_not_given(post):
    nulls = dict.fromkeys(["tags", "notes", "config", "project_tags"])

    assert post(RUNS, {"name": "a"})[0] == 200
    assert post(RUNS, {"name": "b", **nulls})[0] == 200
    assert list(Run.objects.values_list("tags", "notes", "config")) == [([], "", {})] * 2


def test_header_of_the_original_client_is_accepted(post):
    header = {"X-Requested-With": "XMLHttpRequest"}

    assert post(RUNS, {"name": "a"}, **header)[0] == 200


def test_taken_name_is_refused(post):
    post(RUNS, {"name": "a", "tags": ["mine"]})

    answer = post(RUNS, {"name": "a", "tags": ["theirs"], "project_tags": ["x"]})

    assert answer == (409, {"detail": "Run already exists"})
    assert Run.objects.get().tags == ["mine"]
    assert Project.objects.get().tags == []


def test_resume_goes_on_with_the_run(post):
    run = make_run(config={"lr": 0.1, "seed": 1}, tags=["kept"], notes="kept")
    post(f"{RUN}/finish", {"exit_code": 3})

    answer = post(RUNS, {"name": "run-1", "resume": True, "config": {"lr": 0.2}, "tags": []})

    run.refresh_from_db()
    assert answer == (200, {"project": "proj", "name": "run-1", "run_id": "run-1"})
    assert (run.status, run.exit_code, run.ended_at) == ("running", None, None)
    assert (run.config, run.tags, run.notes) == ({"lr": 0.2, "seed": 1}, ["kept"], "kept")


def test_resume_of_nothing_creates_the_run(post):
    assert post(RUNS, {"name": "a", "resume": True})[0] == 200
    assert Run.objects.get().key == "a"


def test_project_tags_are_added(post):
    post(RUNS, {"name": "a", "project_tags": ["x", "y"]})
    post(RUNS, {"name": "b", "project_tags": ["y", "z"]})

    assert Project.objects.get().tags == ["x", "y", "z"]


def test_config_and_summary_are_merged_key_by_key(post):
    run = make_run(config={"a": 1, "deep": {"x": 1}})

    assert post(f"{RUN}/config", {"config": {"deep": {"y": 2}}}) == (200, {"status": "ok"})
    assert post(f"{RUN}/summary", {"summary": {"best": 1}}) == (200, {"status": "ok"})
    assert post(f"{RUN}/summary", '{"summary": {"loss": NaN}}') == (200, {"status": "ok"})

    run.refresh_from_db()
    assert run.config == {"a": 1, "deep": {"y": 2}}
    assert run.summary == {"best": 1, "loss": "NaN"}


def test_tags_are_replaced(post):
    run = make_run(tags=["old"])

    assert post(f"{RUN}/tags", {"tags": ["new"]}) == (200, {"status": "ok"})

    run.refresh_from_db()
    assert run.tags == ["new"]


@pytest.mark.parametrize(
    ("body", "status", "exit_code"),
    [
        ({}, "completed", 0),
        ({"exit_code": 0}, "completed", 0),
        ({"exit_code": 1}, "failed", 1),
        ({"exit_code": -9}, "failed", -9),
    ],
)
def test_finish_sets_the_status_by_the_exit_code(post, body, status, exit_code):
    run = make_run()

    assert post(f"{RUN}/finish", body) == (200, {"status": "ok"})

    run.refresh_from_db()
    assert (run.status, run.exit_code) == (status, exit_code)
    assert run.ended_at >= run.started_at


def test_run_may_be_finished_again(post):
    run = make_run()
    post(f"{RUN}/finish", {"exit_code": 1})

    assert post(f"{RUN}/finish", {"exit_code": 0}) == (200, {"status": "ok"})

    run.refresh_from_db()
    assert (run.status, run.exit_code) == ("completed", 0)


@pytest.mark.parametrize("call", ["runs", "runs/r/metrics", "runs/r/artifacts"])
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post_changes_anything(client, call, method):
    path = f"/tracker/api/v1/projects/proj/{call}"

    assert getattr(client, method)(path).status_code == 405
    assert not Project.objects.exists()


def test_browser_may_try_the_call(client):
    answer = client.get(RUNS, headers={"Accept": "text/html"})

    page = answer.content.decode()
    assert answer.status_code == 405
    assert "<form" in page
    assert "&quot;project_tags&quot;" in page


def test_page_of_another_site_may_not_create(post):
    status, answer = post(RUNS, {"name": "a"}, Origin="https://elsewhere.example")

    assert status == 403
    assert answer == {"detail": "Requests from another site's pages are refused."}
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("metrics", {"metrics": {"a": 1}}),
        ("config", {"config": {"a": 1}}),
        ("summary", {"summary": {"a": 1}}),
        ("tags", {"tags": ["a"]}),
        ("finish", {}),
    ],
)
def test_run_that_is_deleted_meanwhile_is_not_found(post, monkeypatch, call, body):
    run = make_run()
    Run.objects.all().delete()
    monkeypatch.setattr(views, "find_run", lambda *args, **kwargs: run)

    assert post(f"{RUN}/{call}", body) == (404, {"detail": "The run was deleted."})
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("call", "body", "count"),
    [
        ("config", {"config": {"a": 1}}, 5),
        ("summary", {"summary": {"a": 1}}, 5),
        ("tags", {"tags": ["a"]}, 4),
        ("finish", {"exit_code": 0}, 4),
    ],
)
def test_query_count_of_changes_is_constant(post, call, body, count):
    for key in ("run-1", "run-2", "run-3"):
        make_run(key)
        with counted_queries() as statements:
            post(f"{RUN}/{call}", body)

        assert len(statements) == count, statements


def test_query_count_of_creating_is_constant(post):
    make_run("run-0")
    for key in ("a", "b", "c"):
        with counted_queries() as statements:
            post(RUNS, {"name": key})

        assert len(statements) == 6, statements
