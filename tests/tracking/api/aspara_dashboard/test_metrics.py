import math

import msgpack
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOON_US, log_points, make_run
from tracking.models import Project

pytestmark = pytest.mark.django_db
URL = "/api/projects/proj/runs/metrics"
NOON_MS = NOON_US // 1000


@pytest.fixture
def runs():
    runs = [make_run(key) for key in ("run1", "run2")]
    for run in runs:
        log_points(run, {"loss": [1.0, 0.5], "acc": [math.nan, 0.25]})
    return runs


def test_metrics_come_metric_first_then_run(client, runs):
    answer = client.get(URL, {"runs": "run1, run2,run1"})

    series = {"steps": [0, 1], "timestamps": [NOON_MS, NOON_MS + 1000]}
    assert answer.status_code == 200
    assert answer.json() == {
        "project": "proj",
        "metrics": {
            "acc": {key: series | {"values": [None, 0.25]} for key in ("run1", "run2")},
            "loss": {key: series | {"values": [1.0, 0.5]} for key in ("run1", "run2")},
        },
    }


@pytest.mark.parametrize(
    ("query", "headers"),
    [({"format": "msgpack"}, {}), ({}, {"Accept": "application/x-msgpack"})],
)
def test_msgpack_keeps_nan(client, runs, query, headers):
    answer = client.get(URL, {"runs": "run1"} | query, headers=headers)

    assert answer["Content-Type"] == "application/x-msgpack"
    unpacked = msgpack.unpackb(answer.content)
    assert unpacked["metrics"]["loss"]["run1"] == {
        "steps": [0, 1],
        "values": [1.0, 0.5],
        "timestamps": [NOON_MS, NOON_MS + 1000],
    }
    assert math.isnan(unpacked["metrics"]["acc"]["run1"]["values"][0])


def test_unknown_runs_are_left_out(client, runs):
    assert client.get(URL, {"runs": "nope"}).json() == {"project": "proj", "metrics": {}}


def test_window_metrics_and_raw_are_obeyed(client, runs):
    log_points(runs[0], {"loss": [7.0]}, steps=[0])

    cut = client.get(URL, {"runs": "run1", "metrics": "loss", "x_min": 0, "x_max": 0}).json()
    raw = client.get(URL, {"runs": "run1", "metrics": "loss", "raw": "1"}).json()
    late = client.get(URL, {"runs": "run2", "since": NOON_MS + 1000}).json()

    assert cut["metrics"] == {
        "loss": {"run1": {"steps": [0], "values": [7.0], "timestamps": [NOON_MS]}}
    }
    assert raw["metrics"]["loss"]["run1"]["values"] == [1.0, 0.5, 7.0]
    assert late["metrics"]["loss"]["run2"]["steps"] == [1]


def test_metric_with_a_comma_in_its_name_can_be_asked_for(client, runs):
    log_points(runs[0], {"a, b": [1.0], " c": [2.0]})

    answer = client.get(URL, {"runs": "run1", "metric": ["a, b", " c"]}).json()

    assert sorted(answer["metrics"]) == [" c", "a, b"]


def test_unchanged_chart_is_304_and_a_new_point_changes_it(client, runs):
    tag = client.get(URL, {"runs": "run1"})["ETag"]

    unchanged = client.get(URL, {"runs": "run1"}, headers={"If-None-Match": tag})
    log_points(runs[0], {"loss": [0.1]}, first_step=2)
    changed = client.get(URL, {"runs": "run1"}, headers={"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({}, "runs: No runs specified"),
        ({"runs": ""}, "runs: No runs specified"),
        ({"runs": "a\0b"}, "runs: Null characters are not allowed."),
        ({"runs": ","}, "runs: No valid runs specified"),
        ({"runs": ",".join(map(str, range(10_000)))}, "runs: Too many runs: 10000 (max: 1000)"),
        ({"runs": "a", "format": "xml"}, "Invalid format: xml. Must be 'json' or 'msgpack'"),
        ({"runs": "a", "since": "soon"}, "since: A valid integer is required."),
        ({"runs": "a", "since": 10**30}, "since: Ensure this value is less than or equal to 1125899906842624."),
        ({"runs": "a", "max_points": 1}, "max_points: Ensure this value is greater than or equal to 10."),
        ({"runs": "a", "x_min": 2**63}, "x_min: A step must fit into 64 bits."),
        ({"runs": "a", "raw": "perhaps"}, "raw: Must be a valid boolean."),
    ],
)  # fmt: skip
def test_bad_query_is_400_with_the_field_named(client, runs, query, detail):
    answer = client.get(URL, query)

    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_unknown_project_is_404_and_is_not_created(client):
    answer = client.get("/api/projects/nope/runs/metrics", {"runs": "a"})

    assert (answer.status_code, answer.json()) == (404, {"detail": "Project 'nope' not found"})
    assert not Project.objects.exists()


def test_both_spellings_and_head_answer(client, runs):
    assert client.get(f"{URL}/", {"runs": "run1"}).status_code == 200
    assert client.head(URL, {"runs": "run1"}).status_code == 200


def test_number_of_queries_is_constant(client, runs):
    client.get(URL, {"runs": "run1"})
    counts = []
    for names in ("run1", "run1,run2"):
        with CaptureQueriesContext(connection) as queries:
            client.get(URL, {"runs": names})
        counts.append(len(queries))

    assert counts[0] == counts[1]
