from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from dashboard.panels import GRID_STEP
from tests.factories import log_points, make_run
from tracking.models import Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj"


def chosen(response: HttpResponse) -> list[str]:
    return [run.key for run in response.context["selection"].chosen]


def test_project_page_draws_the_newest_ten_runs(client: Client) -> None:
    for number in range(12):
        make_run(f"run-{number:02}")

    response = client.get(PATH)

    assert chosen(response) == [f"run-{number:02}" for number in range(11, 1, -1)]
    assert response.content.decode().count(" checked>") == 10


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("run=run-0", ["run-0"]),
        ("run=run-0&run=run-1", ["run-1", "run-0"]),
        ("run=", []),
        ("run=&run=run-1&run=unknown", ["run-1"]),
    ],
)
def test_project_page_draws_the_runs_of_the_url(
    client: Client, query: str, expected: list[str]
) -> None:
    for number in range(3):
        make_run(f"run-{number}")

    assert chosen(client.get(f"{PATH}?{query}")) == expected


def test_project_page_lists_chosen_runs_that_the_filter_hides(client: Client) -> None:
    make_run("alpha")
    make_run("beta", tags=["keep"])

    response = client.get(f"{PATH}?q=keep&run=alpha&run=beta")

    selection = response.context["selection"]
    assert [run.key for run in selection.page] == ["beta"]
    assert [run.key for run in selection.elsewhere] == ["alpha"]
    assert "Also drawn" in response.content.decode()


def test_project_page_groups_panels_by_prefix(client: Client) -> None:
    names = ["layer10", "layer2", "train/loss", "train/acc", "system/gpu", "val/a/b"]
    log_points(make_run(), {name: [1.0, 2.0] for name in names})

    grid = client.get(PATH).context["grid"]()

    assert [(s.title, [panel.title for panel in s.panels]) for s in grid.sections] == [
        ("", ["layer2", "layer10"]),
        ("train", ["acc", "loss"]),
        ("val/a", ["b"]),
        ("system", ["gpu"]),
    ]


def test_project_page_counts_the_points_of_the_chosen_runs(client: Client) -> None:
    for key, count in (("a", 3), ("b", 2), ("c", 7)):
        log_points(make_run(key), {"loss": [0.5] * count})

    page = client.get(f"{PATH}?run=a&run=b").content.decode()

    assert '<div class="chart-cell" data-points="5">' in page


def test_project_page_tells_which_charts_are_thinned(client: Client, settings: object) -> None:
    settings.MAX_CHART_POINTS = 3  # type: ignore[attr-defined]
    log_points(make_run("a"), {"loss": [0.5] * 3, "acc": [0.5] * 4})
    log_points(make_run("b"), {"loss": [0.5] * 3})

    page = client.get(PATH).content.decode()

    assert '<div class="chart-cell" data-points="6">' in page
    assert '<div class="chart-cell" data-points="4" data-thinned>' in page


def test_project_page_filters_metrics(client: Client) -> None:
    log_points(make_run(), {"train/loss": [1.0], "val/loss": [1.0], "val/acc": [1.0]})

    page = client.get(PATH, {"metric": "LOSS"}).content.decode()

    assert page.count("<metric-chart") == 2
    assert "No metric matches “zzz”" in client.get(PATH, {"metric": "zzz"}).content.decode()


def test_project_page_draws_some_of_many_metrics_at_a_time(client: Client) -> None:
    log_points(make_run(), {f"metric-{number}": [1.0] for number in range(GRID_STEP + 5)})

    first = client.get(PATH).content.decode()
    more = client.get(PATH, {"charts": str(2 * GRID_STEP)}).content.decode()

    assert first.count("<metric-chart") == GRID_STEP
    assert "Show more, 5 metrics are left" in first
    assert more.count("<metric-chart") == GRID_STEP + 5


@pytest.mark.parametrize("charts", ["-1", "0", "x", "9" * 30, "٣"])
def test_project_page_survives_any_number_of_charts(client: Client, charts: str) -> None:
    log_points(make_run(), {"loss": [1.0]})

    assert client.get(PATH, {"charts": charts}).content.decode().count("<metric-chart") == 1


@pytest.mark.parametrize("target", ["run-list", "chart-grid"])
def test_project_page_answers_with_the_fragment_that_is_replaced(
    fragment: Callable[..., HttpResponse], target: str
) -> None:
    log_points(make_run(), {"loss": [1.0]})

    page = fragment(PATH, target).content.decode().strip()

    assert page.startswith(f'<section id="{target}"')
    assert page.endswith("</section>")
    assert "<html" not in page


def test_run_list_asked_for_every_few_seconds_leaves_the_metrics_alone(
    fragment: Callable[..., HttpResponse], django_assert_num_queries: Callable[..., object]
) -> None:
    log_points(make_run(), {"loss": [1.0]})
    fragment(PATH, "run-list")

    with django_assert_num_queries(4):  # project, count, page, chosen runs
        fragment(PATH, "run-list")


def test_project_page_takes_as_many_queries_for_three_runs_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    log_points(make_run("a"), {"loss": [1.0]})
    queries = count_queries(PATH)
    for key in ("b", "c"):
        log_points(make_run(key), {"loss": [1.0], f"metric of {key}": [1.0]})

    assert count_queries(PATH) == queries


def test_project_page_lists_a_hundred_runs_at_a_time(client: Client) -> None:
    project = make_run("first").project
    Run.objects.bulk_create(Run(project=project, key=f"r{n}", name=f"r{n}") for n in range(130))

    first, second = client.get(PATH), client.get(PATH, {"page": 2})

    assert first.content.decode().count('class="run-row') == 100
    assert len(second.context["selection"].page) == 31
    assert len(first.content) < 150_000


def test_project_without_runs_teaches(client: Client) -> None:
    make_run().delete()

    assert 'aspara.init(project="proj", tracker_uri="http://testserver")' in (
        client.get(PATH).content.decode()
    )


def test_table_behind_a_chart_has_the_figures_of_the_chosen_runs(client: Client) -> None:
    log_points(make_run("a"), {"train/loss": [3.0, 1.0, float("nan")]})
    log_points(make_run("b"), {"train/loss": [2.0]})
    log_points(make_run("c"), {"other": [2.0]})

    response = client.get(f"{PATH}/metrics?name=train/loss&run=a&run=c")

    [metric] = response.context["metrics"]
    assert (metric.run.key, metric.last, metric.min, metric.mean) == ("a", None, 1.0, 2.0)
    page = response.content.decode()
    assert '<td class="number" title="NaN">NaN</td>' in page
    assert "runs=c%2Ca&amp;metric=train%2Floss" in page


def test_table_behind_a_chart_nobody_has_says_so(client: Client) -> None:
    make_run()

    assert "None of the chosen runs has logged “x”" in (
        client.get(f"{PATH}/metrics?name=x").content.decode()
    )


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("q=zebra", "No run matches “zebra”"),
        ("q=zebra&run=", "No run matches “zebra”"),
        ("q=zebra&metric=acc", "No run matches “zebra”"),
        ("run=", "No run is chosen"),
        ("q=zebra&run=run-1&metric=acc", "No metric matches “acc”"),
    ],
)
def test_project_page_says_why_there_is_no_chart(client: Client, query: str, title: str) -> None:
    log_points(make_run(), {"loss": [1.0]})

    assert f"<h2>{title}</h2>" in client.get(f"{PATH}?{query}").content.decode()
