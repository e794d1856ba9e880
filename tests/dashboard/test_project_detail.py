from collections.abc import Callable
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from dashboard.panels import GRID_STEP
from tests.factories import log_points, make_run
from tracking.domain.runs import archive_runs, finish_run
from tracking.enums import RunStatus
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
    assert [row.run.key for row in selection.elsewhere] == ["alpha"]
    assert "Also drawn" in response.content.decode()


@pytest.mark.parametrize(
    ("query", "listed", "expected"),
    [
        ("", ["c", "b", "a"], ["c", "b", "a"]),
        ("sort=loss", ["b", "c", "a"], ["b", "c", "a"]),
        ("sort=-loss&top=1", ["c", "b", "a"], ["c"]),
        ("sort=-config.lr&top=2", ["a", "c", "b"], ["a", "c"]),
        ("sort=started", ["a", "b", "c"], ["a", "b", "c"]),
        ("sort=-started", ["c", "b", "a"], ["c", "b", "a"]),
        ("q=loss<1", ["b"], ["b"]),
        ("q=loss+>+0+and+not+c&top=1", ["b"], ["b"]),
        ("sort=loss&run=c&run=b", ["b", "c", "a"], ["b", "c"]),
        ("top=0", ["c", "b", "a"], ["c"]),
        ("top=x", ["c", "b", "a"], ["c", "b", "a"]),
        ("top=\u0663", ["c", "b", "a"], ["c", "b", "a"]),
    ],
)
def test_project_page_draws_the_first_runs_of_the_sorted_and_filtered_list(
    client: Client, query: str, listed: list[str], expected: list[str]
) -> None:
    make_run("a", config={"lr": 2})
    log_points(make_run("b"), {"loss": [0.5]})
    log_points(make_run("c", config={"lr": 1}), {"loss": [1.5]})

    response = client.get(f"{PATH}?{query}")

    assert [run.key for run in response.context["selection"].page] == listed
    assert chosen(response) == expected


def test_automatic_choice_stays_the_first_of_all_pages(client: Client) -> None:
    project = make_run("first").project
    Run.objects.bulk_create(Run(project=project, key=f"r{n:03}", name="x") for n in range(120))

    response = client.get(PATH, {"page": 2, "sort": "key", "top": 2})

    assert chosen(response) == ["first", "r000"]
    assert [row.run.key for row in response.context["selection"].elsewhere] == ["first", "r000"]


def test_project_page_leaves_archived_runs_out_unless_they_are_named(client: Client) -> None:
    make_run("new")
    make_run("old")
    archive_runs(Run.objects.filter(key="old"))

    assert chosen(client.get(PATH)) == ["new"]
    assert chosen(client.get(PATH, {"q": "archived"})) == ["old"]
    assert chosen(client.get(PATH, {"run": "old"})) == ["old"]


@pytest.mark.parametrize(
    ("sort", "shown", "full"),
    [
        ("loss", "0.3333", "loss = 0.3333333333333333"),
        ("-loss.min", "0.25", "loss.min = 0.25"),
        ("config.lr", "0.001", "config.lr = 0.001"),
        ("config.name", "&lt;b&gt;", "config.name = &lt;b&gt;"),
        ("duration", "1 m 30 s", "duration = 90 s"),
        ("ended", "", ""),
        ("tags", "x, y", "tags = x, y"),
        ("unknown", "–", "unknown = "),
    ],
)
def test_each_run_shows_what_it_is_sorted_by(
    client: Client, sort: str, shown: str, full: str
) -> None:
    started = timezone.now() - timedelta(hours=2)
    run = make_run(config={"lr": 0.001, "name": "<b>"}, tags=["x", "y"], started_at=started)
    log_points(run, {"loss": [0.25, 1 / 3]})
    finish_run(run, status=RunStatus.COMPLETED, ended_at=started + timedelta(seconds=90))

    page = client.get(PATH, {"sort": sort}).content.decode()

    if sort == "ended":
        assert 'class="run-value mono" title="ended = 20' in page
        assert ">1 h ago</span>" in page
    else:
        assert f'<span class="run-value mono" title="{full}">{shown}</span>' in page


@pytest.mark.parametrize("sort", ["", "name", "-key", "status"])
def test_a_value_that_the_row_shows_anyway_stands_there_once(client: Client, sort: str) -> None:
    make_run()

    assert "run-value" not in client.get(PATH, {"sort": sort}).content.decode()


def test_a_sort_that_nothing_can_be_is_refused(client: Client) -> None:
    make_run()

    assert client.get(PATH, {"sort": 'a"b'}).status_code == 400


def test_a_wrong_filter_points_at_the_word(client: Client) -> None:
    log_points(make_run("a"), {"loss": [1.0]})

    response = client.get(PATH, {"q": "loss => <1>", "run": "a"})

    page = response.content.decode()
    assert "There is no operator &#x27;=&gt;&#x27;: write &#x27;&gt;=&#x27;." in page
    assert "<code>loss <mark>=&gt;</mark> &lt;1&gt;</code>" in page
    assert "The filter is not understood." in page
    assert chosen(response) == ["a"]


def test_a_wrong_filter_leaves_the_list_and_the_url_alone(
    fragment: Callable[..., HttpResponse],
) -> None:
    make_run()

    response = fragment(PATH, "run-list", q="loss <")

    assert response.content.decode().strip().startswith('<div id="query-problem">')
    assert "Expected a value after &#x27;&lt;&#x27;." in response.content.decode()
    assert response["HX-Retarget"] == "#query-problem"
    assert response["HX-Push-Url"] == "false"


@pytest.mark.parametrize("status", [None, RunStatus.COMPLETED])
def test_the_list_renews_itself_sooner_while_something_runs(
    client: Client, status: RunStatus | None
) -> None:
    run = make_run()
    if status:
        finish_run(run, status=status)

    page = client.get(PATH).content.decode()

    assert ('hx-trigger="every 5s, refresh"' in page) is (status is None)
    assert ('hx-trigger="every 30s, refresh"' in page) is (status is not None)


def test_long_names_keep_their_start_and_their_end(client: Client) -> None:
    make_run("a-name-that-is-far-too-long-for-its-column")

    page = client.get(PATH).content.decode()

    assert "<span>a-name-that-is-far-too-long-fo</span><span>r-its-column</span>" in page


def test_fields_to_sort_by_are_suggested(
    client: Client, django_assert_num_queries: Callable[..., object]
) -> None:
    log_points(make_run(config={"lr": 1}), {"loss": [1.0]})

    with django_assert_num_queries(3):  # project, newest runs, their metrics
        page = client.get(f"{PATH}/fields", {"text": "-loss.m"}).content.decode()

    assert [part.split('"')[0] for part in page.split('<option value="')[1:]] == [
        "-loss.min",
        "-loss.max",
        "-loss.mean",
    ]


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

    with django_assert_num_queries(3):  # project, count, page; the chosen runs are on it
        fragment(PATH, "run-list")


def test_project_page_takes_as_many_queries_for_three_runs_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    log_points(make_run("a"), {"loss": [1.0]})
    queries = count_queries(PATH)
    for key in ("b", "c"):
        log_points(make_run(key), {"loss": [1.0], f"metric of {key}": [1.0]})

    assert count_queries(PATH) == queries


def test_project_page_lists_fifty_runs_at_a_time(client: Client) -> None:
    project = make_run("first").project
    Run.objects.bulk_create(Run(project=project, key=f"r{n}", name=f"r{n}") for n in range(130))

    first, last = client.get(PATH), client.get(PATH, {"page": 3, "top": 100})

    assert first.content.decode().count('class="run-row') == 50
    assert len(last.context["selection"].page) == 31
    assert len(chosen(last)) == 100
    assert len(chosen(client.get(PATH, {"top": 60}))) == 60
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
