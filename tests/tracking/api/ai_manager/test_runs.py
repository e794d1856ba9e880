import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import log_points
from tracking.domain.runs import RunStart, start_run
from tracking.models import MetricPoint, Run

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTED = {
    "name": "Training Run 1",
    "config": {"learning_rate": 0.001, "batch_size": 32},
    "tags": ["demo", "test"],
}
LISTED = ["id", "name", "status", "started_at", "ended_at", "tags"]
FORBIDDEN = (403, {"detail": "Not enough permissions"})


def naive(moment):
    return moment.replace(tzinfo=None).isoformat()


@pytest.fixture
def runs(project):
    return f"/runs/?project_id={project.pk}"


def test_documented_run_is_created_and_read(call, project, runs):
    status, made = call("post", runs, DOCUMENTED)

    stored = Run.objects.get()
    expected = {
        "id": stored.pk,
        "name": "Training Run 1",
        "project_id": project.pk,
        "status": "running",
        "config": {"learning_rate": 0.001, "batch_size": 32},
        "tags": ["demo", "test"],
        "started_at": naive(stored.started_at),
        "ended_at": None,
        "created_at": naive(stored.created_at),
        "updated_at": naive(stored.updated_at),
    }
    assert (status, made, [*made]) == (200, expected, [*expected])
    assert (stored.key, stored.source, stored.created_by.username) == (
        "training-run-1",
        "ai_manager",
        "alice",
    )
    assert call("get", f"/runs/{stored.pk}") == call("get", f"/runs/{stored.pk}/") == (200, made)
    for path in (runs, "/runs/", "/runs"):
        assert call("get", path) == (200, [{key: expected[key] for key in LISTED}])


def test_names_may_repeat(call, runs):
    names = ["ResNet", "ResNet", "metrics", "训练"]

    assert [call("post", runs, {"name": name})[1]["name"] for name in names] == names
    keys = Run.objects.order_by("pk").values_list("key", flat=True)
    assert list(keys) == ["ResNet", "ResNet-2", "run", "run-2"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "a", "config": []},
        {"name": "a", "config": {"a\0": 1}},
        {"name": "a", "tags": [5]},
        {"name": "a", "notes": 5},
        '{"name": "a", "config": {"n": 99999999999999999999}}',
    ],
)
def test_nonsense_is_no_run(call, runs, body):
    status, answer = call("post", runs, body)

    assert (status, [*answer]) == (400, ["detail"])
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("query", "status"), [("", 400), ("?project_id=x", 400), ("?project_id=99", 404)]
)
def test_run_needs_a_project(call, query, status):
    assert call("post", f"/runs/{query}", DOCUMENTED)[0] == status


def test_documented_update_ends_the_run(call, run):
    body = {"status": "completed", "ended_at": "2023-01-01T01:00:00"}

    status, changed = call("put", f"/runs/{run.pk}", body)

    assert (status, changed["status"]) == (200, "completed")
    assert changed["ended_at"] == "2023-01-01T01:00:00"
    assert Run.objects.get().duration.total_seconds() == 0


def test_end_is_now_where_none_is_said_and_stays(call, run):
    before = timezone.now()

    ended = call("put", f"/runs/{run.pk}", {"status": "failed"})[1]["ended_at"]

    assert naive(before) <= ended <= naive(timezone.now())
    assert call("put", f"/runs/{run.pk}", {"status": "failed"})[1]["ended_at"] == ended
    assert call("put", f"/runs/{run.pk}", {"status": "stopped"})[1]["ended_at"] == ended


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (1767272400.5, "2026-01-01T13:00:00.500000"),
        ("2026-01-01T13:00:00Z", "2026-01-01T13:00:00"),
        ("2026-01-01T14:00:00+01:00", "2026-01-01T13:00:00"),
    ],
)
def test_end_is_read_in_every_form(call, run, said, expected):
    body = {"status": "completed", "ended_at": said}

    assert call("put", f"/runs/{run.pk}", body)[1]["ended_at"] == expected


@pytest.mark.parametrize(
    ("word", "stored"),
    [
        ("running", "running"),
        ("completed", "completed"),
        ("failed", "failed"),
        ("stopped", "cancelled"),
    ],
)
def test_statuses_have_their_words(call, run, word, stored):
    assert call("put", f"/runs/{run.pk}", {"status": word})[1]["status"] == word
    assert Run.objects.get().status == stored


def test_run_may_go_on_after_its_end(call, run):
    call("put", f"/runs/{run.pk}", {"status": "completed"})

    changed = call("put", f"/runs/{run.pk}", {"status": "running"})[1]

    assert (changed["status"], changed["ended_at"]) == ("running", None)


def test_config_is_merged_and_the_rest_replaced(call, run):
    body = {"name": "Better", "config": {"epochs": 3}, "tags": ["x"], "notes": "good"}

    changed = call("put", f"/runs/{run.pk}", body)[1]

    run.refresh_from_db()
    assert changed["config"] == run.config == {"lr": 0.1, "epochs": 3}
    assert (changed["name"], changed["tags"], run.notes) == ("Better", ["x"], "good")
    assert run.key == "first"


@pytest.mark.parametrize(
    "body",
    [
        {"status": "cancelled"},
        {"status": "COMPLETED"},
        {"status": ["completed"]},
        {"status": 1},
        {"ended_at": "2026-01-01T13:00:00"},
        {"status": "running", "ended_at": 5},
        {"status": "completed", "ended_at": "soon"},
        {"status": "completed", "ended_at": 1e300},
        {"name": ""},
        {"name": "fine", "config": "lr"},
        [],
    ],
)
def test_nonsense_changes_nothing(call, run, body):
    status, answer = call("put", f"/runs/{run.pk}", body)

    stored = Run.objects.get()
    assert (status, [*answer]) == (400, ["detail"])
    assert (stored.name, stored.status, stored.ended_at) == ("First run", "running", None)


def test_what_is_not_for_clients_stays(call, run, people):
    before = Run.objects.values().get()
    wishes = {"id": 9, "project_id": 9, "created_by": 9, "uid": "x", "key": "x", "revision": 0}

    assert call("put", f"/runs/{run.pk}", wishes)[0] == 200
    assert Run.objects.values().get() == before


@pytest.mark.parametrize(
    ("who", "expected"), [("bob", (200, 200)), ("vera", (200, 403)), ("charlie", (404, 404))]
)
def test_who_may_what(call, run, runs, who, expected):
    read, write = expected
    path = f"/runs/{run.pk}"

    assert call("get", path, who=who)[0] == read
    assert len(call("get", runs, who=who)[1]) == (read == 200)
    assert call("post", runs, DOCUMENTED, who=who)[0] == write
    assert call("put", path, {"status": "completed"}, who=who)[0] == write
    assert call("delete", path, who=who)[0] == write


def test_deleted_run_takes_its_points_along(call, run, settings):
    settings.TRASH_DAYS = 0
    log_points(run, {"loss": [1.0]})

    assert call("delete", f"/runs/{run.pk}") == (200, {"message": "Run deleted successfully"})
    assert not MetricPoint.objects.exists()
    assert call("get", f"/runs/{run.pk}") == (404, {"detail": f"Run {run.pk} not found"})


@pytest.mark.parametrize(
    ("path", "status"), [("/runs/0", 404), ("/runs/x", 400), ("/runs/1/x", 404)]
)
def test_paths_to_nothing(call, path, status):
    assert call("get", path)[0] == status


def test_archived_runs_are_not_listed(call, run, runs):
    Run.objects.update(archived_at=timezone.now())

    assert call("get", runs) == (200, [])
    assert call("get", f"/runs/{run.pk}")[0] == 200


def test_list_takes_as_many_queries_for_three_as_for_one(call, run, runs, project, people):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert call("get", runs)[0] == 200
        return len(queries)

    with_one = count()
    for key in "ab":
        start_run(project, RunStart(key=key), user=people["alice"])

    assert count() == with_one
    assert [one["name"] for one in call("get", f"{runs}&skip=1&limit=1")[1]] == ["a"]
