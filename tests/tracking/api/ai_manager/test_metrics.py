from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points
from tracking.domain import point_list
from tracking.models import Metric, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def metrics(run):
    return f"/metrics/{run.pk}"


def test_documented_point_is_logged_and_read(call, run, metrics):
    status, point = call("post", metrics, {"name": "loss", "value": 0.5, "step": 1})

    metric = Metric.objects.get()
    assert (status, [*point]) == (200, ["id", "run_id", "name", "value", "step", "timestamp"])
    assert point | {"timestamp": ""} == {
        "id": metric.pk * 10**9,
        "run_id": run.pk,
        "name": "loss",
        "value": 0.5,
        "step": 1,
        "timestamp": "",
    }
    for path in (metrics, f"{metrics}/", f"{metrics}/?metric_name=loss"):
        assert call("get", path) == (200, [point])


def test_documented_batch_is_logged(call, metrics):
    body = {"metrics": {"loss": 0.5, "accuracy": 0.85, "learning_rate": 0.001}, "step": 1}

    assert call("post", f"{metrics}/batch", body) == (
        200,
        {"message": "Logged 3 metrics successfully"},
    )
    rows = [(one["name"], one["value"], one["step"]) for one in call("get", metrics)[1]]
    assert sorted(rows) == [("accuracy", 0.85, 1), ("learning_rate", 0.001, 1), ("loss", 0.5, 1)]


def test_row_without_numbers_is_taken_as_the_original_sends_it(call, metrics):
    assert call("post", f"{metrics}/batch", {"metrics": {}}) == (
        200,
        {"message": "Logged 0 metrics successfully"},
    )
    assert call("get", metrics) == (200, [])


def test_ids_and_steps_go_on(call, metrics):
    points = [call("post", metrics, {"name": "loss", "value": n})[1] for n in range(3)]

    assert [point["step"] for point in points] == [0, 1, 2]
    assert [point["id"] % 10**9 for point in points] == [0, 1, 2]


def test_numbers_that_json_has_no_word_for_are_data(call, metrics):
    body = '{"metrics": {"a": NaN, "b": "Infinity", "c": -Infinity, "d": true}, "step": 0}'

    assert call("post", f"{metrics}/batch", body)[0] == 200
    values = {one["name"]: one["value"] for one in call("get", metrics)[1]}
    assert values == {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 1.0}
    assert call("get", f"{metrics}/history/a")[1]["values"] == ["NaN"]
    assert [one["current_value"] for one in call("get", f"{metrics}/summary")[1]] == [
        "NaN", "Infinity", "-Infinity", 1.0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "loss"},
        {"name": "", "value": 1},
        {"name": "a\nb", "value": 1},
        {"name": "x" * 251, "value": 1},
        {"name": "loss", "value": "high"},
        {"name": "loss", "value": None},
        {"name": "loss", "value": [1]},
        {"name": "loss", "value": 1, "step": 0.5},
        {"name": "loss", "value": 1, "step": 2**63},
        {"name": "loss", "value": 1, "step": True},
        '{"name": "loss", "value": 1' + "0" * 400 + "}",
    ],
)
def test_nonsense_is_no_point(call, metrics, body):
    status, answer = call("post", metrics, body)

    assert (status, [*answer]) == (400, ["detail"])
    assert not Metric.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metrics": []},
        {"metrics": {"a": "b"}},
        {"metrics": {"": 1}},
        {"metrics": {"a": 1, "b": {}}},
    ],
)
def test_nonsense_is_no_batch(call, metrics, body):
    assert call("post", f"{metrics}/batch", body)[0] == 400
    assert not Metric.objects.exists()


def test_points_come_by_time_whatever_came_first(call, run, metrics):
    log_points(run, {"loss": [5.0, 4.0]}, first_step=10)
    log_points(run, {"loss": [1.0], "acc": [0.1]}, first_step=0)
    log_points(run, {"acc": [0.2, 0.3]}, first_step=9)

    listed = call("get", metrics)[1]

    assert [(one["name"], one["step"]) for one in listed] == [
        ("loss", 0), ("acc", 0), ("acc", 9), ("loss", 10), ("acc", 10), ("loss", 11),
    ]  # fmt: skip
    assert [one["timestamp"] for one in listed] == sorted(one["timestamp"] for one in listed)
    assert call("get", f"{metrics}/history/loss")[1] == {
        "name": "loss",
        "values": [1.0, 5.0, 4.0],
        "steps": [0, 10, 11],
        "timestamps": ["2026-01-01T12:00:00", "2026-01-01T12:00:10", "2026-01-01T12:00:11"],
    }


def test_pieces_join_to_the_whole(call, run, metrics, monkeypatch):
    monkeypatch.setattr(point_list, "SLACK", 0)  # late ones are dropped at each chance
    for first in (20, 0, 40, 10):
        log_points(run, {"loss": range(10), "acc": range(7)}, first_step=first)
    whole = call("get", metrics)[1]

    pieces = [call("get", f"{metrics}?skip={skip}&limit=9")[1] for skip in range(0, 70, 9)]

    assert len(whole) == 68
    assert [one for piece in pieces for one in piece] == whole
    loss = [one for one in whole if one["name"] == "loss"]
    assert call("get", f"{metrics}?metric_name=loss&skip=3&limit=4")[1] == loss[3:7]


def test_thousand_points_are_a_page(call, run, metrics):
    log_points(run, {"loss": range(1_500)})

    assert len(call("get", metrics)[1]) == 1_000
    assert len(call("get", f"{metrics}?skip=1000")[1]) == 500
    assert len(call("get", f"{metrics}?limit=10000")[1]) == 1_500


@pytest.mark.parametrize(
    "query", ["skip=-1", "limit=10001", "limit=x", "skip=99999999999999999999"]
)
def test_pieces_have_bounds(call, metrics, query):
    assert call("get", f"{metrics}?{query}")[0] == 400


def test_nothing_reaches_further_than_memory_allows(call, run, metrics, monkeypatch):
    monkeypatch.setattr(point_list, "MAX_REACH", 5)
    log_points(run, {"loss": range(10)})

    assert len(call("get", f"{metrics}?limit=5")[1]) == 5
    for path in (f"{metrics}?skip=1&limit=5", f"{metrics}/history/loss"):
        status, answer = call("get", path)
        assert (status, "dashboard API" in answer["detail"]) == (400, True)


@pytest.mark.parametrize(
    "name", ["train/loss", "a/b/c", "loss/", "/", "ünï", "a b", "100%", "a?b", "a#b"]
)
def test_names_may_have_anything_in_them(call, run, metrics, name):
    call("post", metrics, {"name": name, "value": 0.5, "step": 3})

    for path in (quote(name), quote(name, safe="")):
        history = call("get", f"{metrics}/history/{path}")[1]
        assert (history["name"], history["steps"]) == (name, [3])
    assert len(call("get", f"{metrics}?metric_name={quote(name)}")[1]) == 1


def test_slash_at_the_end_is_the_names_before_it_is_the_addresss(call, metrics):
    call("post", metrics, {"name": "loss", "value": 1})
    assert call("get", f"{metrics}/history/loss/")[1]["name"] == "loss"

    call("post", metrics, {"name": "loss/", "value": 2})
    assert call("get", f"{metrics}/history/loss/")[1]["name"] == "loss/"
    assert call("get", f"{metrics}/history/loss")[1]["name"] == "loss"


def test_unknown_metric_is_told(call, metrics):
    assert call("get", f"{metrics}/history/none") == (404, {"detail": "Metric not found"})
    assert call("get", f"{metrics}/history/a%00b") == (404, {"detail": "Metric not found"})
    assert call("get", f"{metrics}?metric_name=none") == (200, [])


def test_summary_has_the_printed_figures(call, run, metrics):
    log_points(run, {"loss": [0.8, 0.1, 0.3]})

    assert call("get", f"{metrics}/summary") == (
        200,
        [
            {
                "name": "loss",
                "current_value": 0.3,
                "min_value": 0.1,
                "max_value": 0.8,
                "mean_value": pytest.approx(0.4),
                "total_points": 3,
            }
        ],
    )


@pytest.mark.parametrize(
    ("who", "expected"), [("bob", (200, 200)), ("vera", (200, 403)), ("charlie", (404, 404))]
)
def test_who_may_what(call, run, metrics, who, expected):
    read, write = expected
    log_points(run, {"loss": [1.0]})

    for path in ("", "/history/loss", "/summary"):
        assert call("get", f"{metrics}{path}", who=who)[0] == read
    assert call("post", metrics, {"name": "a", "value": 1}, who=who)[0] == write
    assert call("post", f"{metrics}/batch", {"metrics": {"a": 1}}, who=who)[0] == write


def test_logging_counts_points_and_no_requests(call, metrics, settings):
    cache.clear()
    settings.REQUESTS_PER_MINUTE, settings.POINTS_PER_SECOND = 2, 1

    statuses = [call("post", metrics, {"name": "a", "value": n})[0] for n in range(12)]

    assert statuses[:10] == [200] * 10
    assert statuses[-1] == 429
    assert call("get", metrics)[0] == 200
    assert call("get", metrics, who="bob")[0] == 200


def test_large_row_is_let_in_and_then_there_is_a_wait(client, call, metrics, settings):
    cache.clear()
    settings.POINTS_PER_SECOND = 10
    row = {"metrics": {f"m{n}": n for n in range(500)}, "step": 0}

    assert call("post", f"{metrics}/batch", row)[0] == 200
    status, answer = call("post", f"{metrics}/batch", row)

    assert (status, "Expected available in" in answer["detail"]) == (429, True)
    assert Metric.objects.count() == 500
    settings.POINTS_PER_SECOND = 0
    assert call("post", f"{metrics}/batch", row)[0] == 200


def test_reading_takes_as_many_queries_for_three_metrics_as_for_one(call, run, metrics):
    def count():
        with CaptureQueriesContext(connection) as queries:
            for path in ("", "/summary", "/history/a"):
                assert call("get", f"{metrics}{path}")[0] == 200
        return len(queries)

    log_points(run, {"a": [1.0]})
    with_one = count()
    log_points(run, {"a": [2.0], "b": [1.0], "c": [1.0]}, first_step=1)

    assert count() == with_one
    assert Run.objects.get().metrics.count() == 3
