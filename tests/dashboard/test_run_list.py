from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import log_points, make_run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs"


def test_run_list_shows_the_metrics_most_runs_have(client: Client) -> None:
    log_points(make_run("a"), {"loss": [3.0, 0.5], "rare": [1.0]})
    log_points(make_run("b"), {"loss": [0.25], "acc": [0.9], "system/gpu": [1.0]})
    log_points(make_run("c"), {"acc": [0.8], "f1": [1.0], "system/gpu": [2.0]})

    table = client.get(PATH).context["table"]

    assert table.metric_names == ["acc", "loss", "system/gpu", "f1"]
    assert [
        (row.run.key, [metric and metric.last for metric in row.metrics]) for row in table.rows
    ] == [
        ("c", [0.8, None, 2.0, 1.0]),
        ("b", [0.9, 0.25, 1.0, None]),
        ("a", [None, 0.5, None, None]),
    ]


def test_run_list_is_filtered_by_name_and_tag(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    make_run("alpha", tags=["keep"])
    make_run("beta")

    table = fragment(PATH, "run-table", q="KEEP alp")

    assert [row.run.key for row in table.context["table"].rows] == ["alpha"]
    assert table.content.decode().strip().startswith('<section id="run-table"')
    assert "No run matches “zeta”" in client.get(PATH, {"q": "zeta"}).content.decode()


def test_run_list_takes_as_many_queries_for_three_runs_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    log_points(make_run("a"), {"loss": [1.0]})
    queries = count_queries(PATH)
    for key in ("b", "c"):
        log_points(make_run(key), {"loss": [1.0], "acc": [1.0]})

    assert count_queries(PATH) == queries
