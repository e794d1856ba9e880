import math
from collections.abc import Callable

import pytest
from django.http import QueryDict
from django.test import Client

from dashboard.scatter import parallel_fields, plot_runs, scatter_fields
from tests.factories import log_points, make_run
from tracking.domain.fields import find_field
from tracking.domain.runs import merge_summary
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/compare"


@pytest.fixture
def project() -> Project:
    for number, (key, lr) in enumerate([("a", 0.1), ("b", 0.01), ("c", "auto")]):
        run = make_run(key, config={"lr": lr, "seed": 7, "layers": number}, tags=["t", key])
        log_points(run, {"loss": [3.0, 1.0 + number], "system/gpu": [number]})
    merge_summary(run, {"note": "=1+1"})
    make_run("empty")
    return run.project


def values(project: Project, *names: str) -> dict[str, list[object]]:
    plot = plot_runs(project.runs.all(), [find_field(name) for name in names])
    return {row.run.key: row.values for row in plot.rows}


def test_values_of_one_kind_are_numbers_and_mixed_ones_are_texts(project: Project) -> None:
    assert values(project, "config.lr", "loss.min", "tags") == {
        "empty": [None, None, "[]"],
        "c": ["auto", 3.0, '["t", "c"]'],
        "b": ["0.01", 2.0, '["t", "b"]'],
        "a": ["0.1", 1.0, '["t", "a"]'],
    }


def test_times_and_durations_are_numbers_too(project: Project) -> None:
    run = project.runs.get(key="a")

    started, took = values(project, "started", "duration")["a"]

    assert (started, took) == (
        run.started_at.timestamp() * 1000,
        pytest.approx(run.duration.total_seconds(), abs=0.001),
    )


def test_nan_and_infinities_have_no_place(project: Project) -> None:
    Run.objects.filter(key="a").update(config={"lr": "NaN"})
    Run.objects.filter(key="c").update(config={"lr": 3})
    for key, value in [("a", -math.inf), ("b", math.nan), ("c", 4.0)]:
        log_points(project.runs.get(key=key), {"odd": [value]})

    assert values(project, "config.lr", "odd") == {
        "empty": [None, None],
        "c": [3, 4.0],
        "b": [0.01, None],
        "a": [None, None],
    }


def test_axes_that_tell_something_are_chosen(project: Project) -> None:
    runs = project.runs.all()

    assert [field.name for field in scatter_fields(runs, QueryDict())] == ["config.layers", "loss"]
    assert [field.name for field in parallel_fields(runs, QueryDict())] == ["config.layers", "loss"]


def test_a_metric_that_the_config_names_too_is_not_the_first_result(project: Project) -> None:
    for number, run in enumerate(project.runs.all()):
        log_points(run, {"layers": [float(number)]})

    assert [field.name for field in scatter_fields(project.runs.all(), QueryDict())] == [
        "config.layers",
        "loss",
    ]


def test_axes_of_the_url_are_taken(project: Project) -> None:
    asked = QueryDict("h=duration&v=loss.min&color=config.lr&axis=loss&axis=&axis=status&axis=loss")

    across_up_color = scatter_fields(project.runs.all(), asked)
    axes = parallel_fields(project.runs.all(), asked)

    assert [field.name for field in across_up_color] == ["duration", "loss.min", "config.lr"]
    assert [field.name for field in axes] == ["loss", "status"]


def test_plot_twins_have_every_run_that_the_query_finds(client: Client, project: Project) -> None:
    query = "view=scatter&q=loss.min+<+2.5&h=config.lr&v=loss.min"

    plot = client.get(f"{PATH}?{query}&format=json").json()
    table = client.get(f"{PATH}?{query}&format=csv").content.decode()

    colors = dict(project.runs.values_list("key", "color"))
    assert plot == {
        "project": "proj",
        "total": 2,
        "fields": [
            {"name": "config.lr", "label": "lr", "kind": "number"},
            {"name": "loss.min", "label": "loss (min)", "kind": "number"},
        ],
        "runs": [
            {"key": "b", "name": "b", "color": colors["b"], "values": [0.01, 2.0]},
            {"key": "a", "name": "a", "color": colors["a"], "values": [0.1, 1.0]},
        ],
    }
    assert table == "run,name,config.lr,loss.min\r\nb,b,0.01,2.0\r\na,a,0.1,1.0\r\n"


def test_plot_draws_the_chosen_runs_only(client: Client, project: Project) -> None:
    plot = client.get(f"{PATH}?view=parallel&run=a&run=c&q=b&format=json").json()

    assert [run["key"] for run in plot["runs"]] == ["c", "a"]


def test_plot_page_reads_without_javascript(client: Client, project: Project) -> None:
    page = client.get(f"{PATH}?view=scatter&h=loss.min&v=summary.note").content.decode()

    assert "4 runs · 3 without a place, because a value is missing" in page
    assert '<td class="number">=1+1</td>' in page
    assert 'name="h" form="run-form"' in page


def test_plot_says_how_many_it_leaves_out(
    client: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.scatter.MAX_DRAWN", 2)

    page = client.get(f"{PATH}?view=parallel").content.decode()

    assert "2 runs, the newest of 4" in page


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("view=scatter&h=config", "&#x27;config&#x27; needs a key"),
        ("view=scatter&format=csv&q=loss+<<+2", "There is no operator"),
        ("view=parallel&" + "&".join(f"axis=m{n}" for n in range(13)), "At most 12 axes"),
    ],
)
def test_plot_refuses_what_it_cannot_draw(
    client: Client, project: Project, query: str, reason: str
) -> None:
    response = client.get(f"{PATH}?{query}")

    assert response.status_code == 400
    assert reason in response.content.decode()


@pytest.mark.parametrize(
    "view", ["scatter&h=config.lr&v=loss", "parallel&axis=config.lr&axis=loss"]
)
def test_plot_takes_as_many_queries_for_three_runs_as_for_one(
    count_queries: Callable[[str], int], project: Project, view: str
) -> None:
    queries = count_queries(f"{PATH}?view={view}&q=key+%3D+a")

    assert count_queries(f"{PATH}?view={view}&q=key+in+(a,+b,+c)") == queries


@pytest.mark.parametrize("view", ["scatter", "parallel"])
def test_plot_chooses_axes_with_as_many_queries_for_three_runs_as_for_two(
    count_queries: Callable[[str], int], project: Project, view: str
) -> None:
    queries = count_queries(f"{PATH}?view={view}&q=key+in+(a,+b)")

    assert count_queries(f"{PATH}?view={view}&q=key+in+(a,+b,+c)") == queries


def test_plot_points_at_the_wrong_word_of_a_query(client: Client, project: Project) -> None:
    page = client.get(f"{PATH}?view=scatter&q=config.lr+%3C+and+loss").content.decode()

    assert "<code>config.lr <mark>&lt;</mark> and loss</code>" in page
    assert "0 runs" in page
