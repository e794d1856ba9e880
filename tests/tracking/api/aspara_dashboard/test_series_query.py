"""What can be asked of charts' points beyond the plain columns."""

import math
from datetime import UTC, datetime

import msgpack
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOON_US, log_points, make_run
from tracking.models import Run

pytestmark = pytest.mark.django_db
URL = "/api/projects/proj/runs/metrics"
NOON_MS = NOON_US // 1000


@pytest.fixture
def run():
    return make_run("r")


def ask(client, **query):
    """The answer's columns of the run `r`, by metric."""
    answer = client.get(URL, {"runs": "r"} | query)
    assert answer.status_code == 200, answer.content
    return {name: found["r"] for name, found in answer.json()["metrics"].items()}


def test_smoothed_column_stands_beside_the_values(client, run):
    log_points(run, {"loss": [4.0, math.nan, 0.0]})

    columns = ask(client, smooth=0.5)["loss"]

    assert columns == {
        "steps": [0, 1, 2],
        "values": [4.0, None, 0.0],
        "timestamps": [NOON_MS, NOON_MS + 1000, NOON_MS + 2000],
        "smoothed": [4.0, None, 1 / 0.75],
    }


def test_points_stand_over_time_or_the_run_or_another_metric(client, run):
    log_points(run, {"loss": [3.0, 2.0, 1.0], "epoch": [0.5, math.inf, 0.25]})
    Run.objects.update(started_at=datetime.fromtimestamp(NOON_US // 10**6 - 5, UTC))

    time = ask(client, metric="loss", x="time")["loss"]
    relative = ask(client, metric="loss", x="relative", x_min="5.5", x_max=7)["loss"]
    epoch = ask(client, metric="loss", x="metric:epoch", smooth=0.5)

    assert time["x"] == [NOON_MS, NOON_MS + 1000, NOON_MS + 2000]
    assert time["values"] == [3, 2, 1]
    assert relative["x"] == [6, 7]
    assert epoch == {
        "loss": {
            "steps": [2, 0],
            "values": [1, 3],
            "timestamps": [NOON_MS + 2000, NOON_MS],
            "x": [0.25, 0.5],
            "smoothed": pytest.approx([1, 1.75 / 0.75]),
        }
    }


def test_restarted_steps_are_segments_where_asked_for(client, run):
    log_points(run, {"loss": [1.0, 2.0, 3.0]})
    log_points(run, {"loss": [4.0, 5.0]}, first_step=1)

    merged = ask(client)["loss"]
    segments = ask(client, segments=1, smooth=0)["loss"]

    assert (merged["steps"], merged["values"]) == ([0, 1, 2], [1, 4, 5])
    assert "starts" not in merged
    assert (segments["steps"], segments["values"]) == ([0, 1, 2, 1, 2], [1, 2, 3, 4, 5])
    assert (segments["starts"], segments["smoothed"]) == ([0, 3], segments["values"])


def test_series_with_one_segment_has_no_starts(client, run):
    log_points(run, {"loss": [1.0, 2.0]})

    assert "starts" not in ask(client, segments=1)["loss"]


def test_totals_tell_what_was_left_out(client, run):
    log_points(run, {"loss": [0.5] * 100})
    log_points(run, {"loss": [0.25] * 10}, first_step=50)

    merged = ask(client, totals=1, max_points=10)["loss"]
    zoomed = ask(client, totals=1, max_points=10, segments=1, x_min=40, x_max=60)["loss"]

    assert (merged["total"], zoomed["total"]) == (100, 31)
    assert len(merged["steps"]) < 100
    assert client.get(f"{URL[:-7]}r/metrics?totals=1").json()["metrics"]["loss"]["total"] == 100


def test_totals_are_told_only_where_asked_for(client, run):
    log_points(run, {"loss": [1.0]})

    grouped = client.get(URL, {"runs": "r", "group": "status", "totals": 1}).json()

    assert "total" not in ask(client)["loss"]
    assert [sorted(group) for group in grouped["metrics"]["loss"].values()] == [
        ["counts", "max", "mean", "min", "runs", "steps"]
    ]


def test_greatest_steps_are_told_apart_in_a_range(client, run):
    log_points(run, {"loss": [1.0, 2.0, 3.0]}, steps=[2**63 - 3, 2**63 - 2, 2**63 - 1])

    columns = ask(client, x_min=2**63 - 2, x_max=2**63 - 2)["loss"]

    assert columns["values"] == [2]


def test_fractions_of_steps_are_a_range_too(client, run):
    log_points(run, {"loss": [1.0, 2.0, 3.0]})

    assert ask(client, x_min="0.5", x_max="1.5")["loss"]["steps"] == [1]


def test_groups_stand_in_place_of_runs(client):
    for key, lr in (("a", 0.5), ("b", 0.5), ("c", 0.25)):
        log_points(make_run(key, config={"lr": lr}), {"loss": [1.0, math.nan, 3.0]})

    answer = client.get(URL, {"runs": "a,b,c", "group": "config.lr", "smooth": 0})

    columns = {"steps": [0, 2], "mean": [1, 3], "min": [1, 3], "max": [1, 3], "smoothed": [1, 3]}
    assert answer.json()["metrics"] == {
        "loss": {
            "0.25": columns | {"counts": [1, 1], "runs": 1},
            "0.5": columns | {"counts": [2, 2], "runs": 2},
        }
    }


def test_groups_on_another_axis_have_x_for_steps(client, run):
    log_points(run, {"loss": [1.0]})

    answer = client.get(URL, {"runs": "r", "group": "status", "x": "time", "format": "msgpack"})

    one = {"x": [NOON_MS], "mean": [1], "min": [1], "max": [1], "counts": [1], "runs": 1}
    assert msgpack.unpackb(answer.content)["metrics"] == {"loss": {"running": one}}


def test_groups_are_worked_out_anew_as_time_passes(client, run, monkeypatch):
    def tag(**query) -> str:
        return client.get(URL, {"runs": "r"} | query)["ETag"]

    log_points(run, {"loss": [1.0]})
    monkeypatch.setattr("tracking.api.aspara_dashboard.caching.time.time", lambda: 1_000)
    early = [tag(group="status"), tag(group="status"), tag()]
    monkeypatch.setattr("tracking.api.aspara_dashboard.caching.time.time", lambda: 2_000)
    late = [tag(group="status"), tag()]

    assert early[0] == early[1] != late[0]
    assert early[2] == late[1]


@pytest.mark.parametrize(
    "query", [{}, {"x": "relative"}, {"x": "metric:acc"}, {"group": "config.lr"}]
)
def test_number_of_queries_is_constant_on_every_axis(client, query):
    counts = []
    for keys in (["a"], ["b", "c", "d"]):
        for key in keys:
            log_points(make_run(key), {"loss": [1.0], "acc": [2.0]})
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL, {"runs": ",".join(keys)} | query).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"x": "loss"}, "x: 'loss' is none of step, time, relative and metric:NAME."),
        ({"x": "metric:"}, "x: Metric name cannot be empty and must be text."),
        ({"x": "metric:" + "a" * 251}, f"x: Metric name {'a' * 40!r}… has 251 characters; at most 250 are allowed."),
        ({"x": "time", "raw": 1}, "x: Raw points have no other axis than the step."),
        ({"x_min": "nan"}, "x_min: A valid number is required."),
        ({"x_max": "1e999"}, "x_max: A valid number is required."),
        ({"x_max": -1e19}, "x_max: A step must fit into 64 bits."),
        ({"x_min": 2, "x_max": 1}, "x_min: This is beyond x_max."),
        ({"segments": "maybe"}, "segments: Must be a valid boolean."),
        ({"segments": 1, "raw": 1}, "segments: Raw points have no segments."),
        ({"segments": 1, "x": "metric:a"}, "segments: A metric as the axis has no segments."),
        ({"group": "loss.min"}, "group: 'loss.min' is neither an attribute of runs nor in their config or summary."),
        ({"group": "config"}, "group: 'config' needs a key: 'config.lr', say."),
        ({"group": "tags", "raw": 1}, "group: Groups cannot be had with raw."),
        ({"group": "tags", "segments": 1}, "group: Groups cannot be had with segments."),
        ({"metric": ""}, "metric: Metric name cannot be empty and must be text."),
        ({"metric": "a\0"}, "metric: Null characters are not allowed."),
        ({"metric": "a" * 251}, f"metric: Metric name {'a' * 40!r}… has 251 characters; at most 250 are allowed."),
        ({"smooth": "much"}, "smooth: A valid number is required."),
        ({"smooth": "nan"}, "smooth: A valid number is required."),
        ({"smooth": -0.1}, "smooth: Ensure this value is greater than or equal to 0."),
        ({"smooth": 1}, "smooth: Ensure this value is less than or equal to 0.999999."),
        ({"smooth": 0.5, "raw": 1}, "smooth: Raw points cannot be smoothed."),
    ],
)  # fmt: skip
def test_question_that_makes_no_sense_is_400_with_the_field_named(client, run, query, detail):
    answer = client.get(URL, {"runs": "r"} | query)

    assert (answer.status_code, answer.json()) == (400, {"detail": detail})
