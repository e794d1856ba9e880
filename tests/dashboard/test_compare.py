from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import log_points, make_run
from tracking.domain.runs import merge_summary
from tracking.models import Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/compare"


@pytest.fixture
def runs() -> list[Run]:
    made = [
        make_run(key, config={"lr": lr, "seed": 7, "opt": {"name": name}})
        for key, lr, name in [("a", 0.1, "adam"), ("b", 0.2, "=1+1"), ("c", 0.1, "adam")]
    ]
    for number, run in enumerate(made):
        log_points(run, {"loss": [3.0, 1.0 + number]})
    merge_summary(made[2], {"acc": 0.5})
    return made


def shown_rows(response: HttpResponse) -> list[tuple[str, list[str]]]:
    table = response.context["diffs"]()
    return [(row.key, [cell.text for cell in row.cells]) for row in table.page]


def test_compare_shows_what_differs_and_the_charts(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=b&run=c")

    assert shown_rows(response) == [
        ("lr", ["0.1", "0.2", "0.1"]),
        ("opt.name", ["adam", "=1+1", "adam"]),
        ("acc", ["–", "–", "0.5"]),
        ("loss.last", ["1", "2", "3"]),
    ]
    page = response.content.decode()
    assert "5 of 7 rows differ" in page
    assert "Show all 5 rows" in page
    assert 'data-metric="loss"' in page
    assert '<span class="delta">+100 %</span>' in page


def test_compare_puts_the_baseline_first(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=b&run=c&baseline=b&view=diff")

    assert [run.key for run in response.context["comparison"].runs] == ["b", "a", "c"]
    assert shown_rows(response)[0] == ("lr", ["0.2", "0.1", "0.1"])
    assert "<metric-chart" not in response.content.decode()


def test_compare_shows_everything_when_asked(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=c&all=1&find=e&view=diff")

    assert [key for key, _ in shown_rows(response)] == ["opt.name", "seed"]


def test_compare_filters_keys_in_a_fragment(
    fragment: Callable[..., HttpResponse], runs: list[Run]
) -> None:
    response = fragment(PATH, "compare-diffs", run=["a", "b"], find="LOSS last")

    assert response.content.decode().strip().startswith('<section id="compare-diffs"')
    assert [key for key, _ in shown_rows(response)] == ["loss.last"]


def test_compare_names_runs_that_do_not_exist(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=no-such&run=a&run=&baseline=gone")

    assert [run.key for run in response.context["comparison"].runs] == ["a"]
    assert response.context["comparison"].unknown == ["no-such", "gone"]
    page = response.content.decode()
    assert "There are no runs" in page
    assert "“no-such”" in page
    assert "One run has nothing to be compared with" in page


def test_compare_does_not_show_the_runs_of_another_project(client: Client, runs: list[Run]) -> None:
    make_run("foreign", "other")

    response = client.get(f"{PATH}?run=a&run=foreign")

    assert response.context["comparison"].unknown == ["foreign"]


def test_compare_without_runs_teaches_how_to_choose(client: Client, runs: list[Run]) -> None:
    page = client.get(PATH).content.decode()

    assert "Choose runs to compare" in page
    assert 'href="/projects/proj/runs' in page


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("&".join(f"run=r{n}" for n in range(101)), "At most 100 runs are compared at a time; 101"),
        ("run=a&run=b&format=xml", "format is csv or json."),
    ],
)
def test_compare_refuses_what_it_cannot_do(
    client: Client, runs: list[Run], query: str, reason: str
) -> None:
    response = client.get(f"{PATH}?{query}")

    assert response.status_code == 400
    assert reason in response.content.decode()


def test_compare_leaves_a_run_out_by_a_clean_address(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=b&run=&run=c&baseline=b&view=diff&find=&without=b")

    assert (response.status_code, response.headers["Location"]) == (
        302,
        f"{PATH}?run=a&run=c&view=diff",
    )


def test_compare_twin_csv_has_every_row_and_no_formula(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=b&find=o&format=csv")

    assert response.headers["Content-Disposition"] == 'attachment; filename="proj-comparison.csv"'
    assert response.content.decode().split("\r\n") == [
        "section,key,a,b",
        "config,opt.name,adam,'=1+1",
        "metrics,loss.last,1.0,2.0",
        "metrics,loss.min,1.0,2.0",
        "",
    ]


def test_compare_twin_json_has_whole_values(client: Client, runs: list[Run]) -> None:
    response = client.get(f"{PATH}?run=a&run=c&run=x&find=acc&format=json")

    assert response.json() == {
        "project": "proj",
        "baseline": "a",
        "runs": [{"key": "a", "name": "a"}, {"key": "c", "name": "c"}],
        "unknown": ["x"],
        "rows": [{"section": "summary", "key": "acc", "values": {"c": 0.5}}],
    }


def test_compare_cuts_long_tables_into_pages(client: Client) -> None:
    for number in range(20):
        make_run(f"run-{number}", config={f"key-{n}": number for n in range(500)})
    keys = "&".join(f"run=run-{number}" for number in range(20))

    response = client.get(f"{PATH}?{keys}&view=diff&page=2")

    assert len(shown_rows(response)) == 25
    assert "26–50 of 500" in response.content.decode()
    assert len(response.content) < 150_000


def test_compare_of_a_hundred_runs_stays_below_150_kb(client: Client) -> None:
    for number in range(100):
        run = make_run(f"a-run-with-a-name-{number}", config={f"k{n}": number for n in range(50)})
        log_points(run, {"loss": [1.0]})
    keys = "&".join(f"run=a-run-with-a-name-{number}" for number in range(100))

    response = client.get(f"{PATH}?{keys}")

    assert len(response.context["comparison"].runs) == 100
    assert len(response.content) < 150_000


def test_compare_takes_as_many_queries_for_three_runs_as_for_two(
    count_queries: Callable[[str], int], runs: list[Run]
) -> None:
    make_run("d")
    queries = count_queries(f"{PATH}?run=a&run=b")

    assert count_queries(f"{PATH}?run=a&run=b&run=c") == queries
