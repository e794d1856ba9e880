import csv
import io
import json
import math
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from django.http import HttpResponse
from django.test import Client

from dashboard.column_choice import take_step
from dashboard.columns import Columns
from tests.factories import log_points, make_run
from tracking.domain.access import local_user
from tracking.domain.fields import find_field
from tracking.domain.projects import open_project
from tracking.domain.runs import archive_runs, merge_summary
from tracking.models import Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs"
COLUMNS = "/projects/proj/columns"


def columns_of(response: HttpResponse) -> list[str]:
    return response.context["table"].columns.names


def keys_of(response: HttpResponse) -> list[str]:
    return [row.run.key for row in response.context["table"].rows]


def test_unasked_it_shows_common_metrics_and_differing_config(client: Client) -> None:
    one = make_run("a", config={"lr": 0.1, "seed": 1, "same": 5, "layers": [1]})
    two = make_run("b", config={"lr": 0.2, "seed": 1, "same": 5, "layers": [2], "m": {"d": 1}})
    three = make_run("c", config={"lr": 0.2, "same": 5, "m": {"d": 2}})
    log_points(one, {"loss": [3.0, 0.5], "rare": [1.0]})
    log_points(two, {"loss": [0.25], "acc": [0.9], "system/gpu": [1.0]})
    log_points(three, {"acc": [0.8], "f1": [1.0], "system/gpu": [2.0]})

    response = client.get(PATH)

    attributes, metrics = ["status", "started", "duration", "tags"], ["acc", "loss", "system/gpu"]
    assert columns_of(response) == [*attributes, *metrics, "f1", "config.lr", "config.m.d"]
    assert keys_of(response) == ["c", "b", "a"]


def test_columns_of_the_url_stand_in_its_order(client: Client) -> None:
    run = make_run("a", config={"lr": 0.01}, tags=["keep", "x,y"])
    merge_summary(run, {"best": {"acc": 0.123456789}})
    log_points(run, {"train/loss": [3.0, 1.0, 2.0]})
    columns = ["train/loss.min", "config.lr", "summary.best.acc", "tags", "train/loss.mean", "gone"]

    page = client.get(PATH, {"col": columns}).content.decode()

    row = page[page.index("<tbody>") : page.index("</tbody>")]
    places = [row.index(text) for text in (">1<", ">0.01<", ">0.1235<", ">keep<", ">2<", ">–<")]
    assert places == sorted(places)
    assert 'title="0.123456789"' in row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "<td>true</td>"),
        ([1, "a"], "<td>[1, &quot;a&quot;]</td>"),
        ("<b>", "<td>&lt;b&gt;</td>"),
        (None, '<td class="none">–</td>'),
        (1234567.8, '<td class="number" title="1234567.8">1.235M</td>'),
        ("NaN", "<td>NaN</td>"),
        ("y" * 100, f'<td title="{"y" * 100}">{"y" * 80}</td>'),
    ],
)
def test_cells_show_any_json_value(client: Client, value: object, shown: str) -> None:
    make_run(config={"x": value})

    assert shown in client.get(PATH, {"col": "config.x"}).content.decode()


def test_last_value_that_is_nan_or_infinite_is_shown_as_that(client: Client) -> None:
    log_points(make_run(), {"a": [1.0, math.nan], "b": [math.inf], "c": [-math.inf]})

    page = client.get(PATH, {"col": ["a", "b", "c", "d"]}).content.decode()

    assert '<td class="number">NaN</td>' in page
    assert '<td class="number" title="Infinity">∞</td>' in page
    assert '<td class="number" title="-Infinity">-∞</td>' in page
    assert '<td class="number none">–</td>' in page


def test_it_is_sorted_both_ways_and_no_more(client: Client) -> None:
    for key, losses in (("a", [2.0]), ("b", []), ("c", [1.0])):
        log_points(make_run(key), {"loss": losses} if losses else {"other": [1.0]})

    up, down = (client.get(PATH, {"col": "loss", "sort": sort}) for sort in ("loss", "-loss"))

    assert [keys_of(up), keys_of(down)] == [["c", "a", "b"], ["a", "c", "b"]]
    heads = [
        response.context["table"].heads[0]
        for response in (client.get(PATH, {"col": "loss"}), up, down)
    ]
    assert [(head.order, parse_qs(head.sort_query[1:])) for head in heads] == [
        ("none", {"col": ["loss"], "sort": ["loss"]}),
        ("ascending", {"col": ["loss"], "sort": ["-loss"]}),
        ("descending", {"col": ["loss"]}),
    ]
    assert 'aria-sort="ascending"' in up.content.decode()


def test_filter_speaks_the_query_language(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    make_run("alpha", tags=["keep"], config={"lr": 0.1})
    make_run("beta", config={"lr": 0.01})

    table = fragment(PATH, "run-table", q='config.lr > 0.05 and tag = "keep"')

    assert keys_of(table) == ["alpha"]
    assert table.content.decode().strip().startswith('<section id="run-table"')
    assert "No run matches “zeta”" in client.get(PATH, {"q": "zeta"}).content.decode()


def test_wrong_filter_points_at_the_word(client: Client) -> None:
    make_run("alpha")

    response = client.get(PATH, {"q": "config.lr << <b>"})

    page = response.content.decode()
    assert response.status_code == 200
    assert "<code>config.lr <mark>&lt;&lt;</mark> &lt;b&gt;</code>" in page
    assert "<b>" not in page
    assert "This filter cannot be read" in page
    assert keys_of(response) == []


def test_wrong_filter_leaves_the_rows_of_before_alone(
    fragment: Callable[..., HttpResponse],
) -> None:
    make_run("alpha")

    response = fragment(PATH, "run-table", q="config.lr <")

    assert response.headers["HX-Retarget"] == "#query-problem"
    assert response.headers["HX-Push-Url"] == "false"
    assert response.content.decode().strip().startswith('<div id="query-problem">')


def test_archived_runs_are_left_out_until_they_are_asked_for(client: Client) -> None:
    make_run("old")
    make_run("new")
    archive_runs(Run.objects.filter(key="old"))

    assert keys_of(client.get(PATH)) == ["new"]
    assert keys_of(client.get(PATH, {"q": "archived = true"})) == ["old"]
    both = {"q": "archived = true or archived = false"}
    responses = [client.get(PATH, params) for params in ({}, {"q": "archived = true"}, both)]
    assert [response.context["table"].archived for response in responses] == ["none", "all", "some"]


def test_empty_project_teaches_how_to_log_its_first_run(client: Client) -> None:
    open_project("proj", user=local_user())

    page = client.get(PATH, headers={"host": "127.0.0.1:3141"}).content.decode()

    assert "http://127.0.0.1:3141" in page
    assert "aspara.init" in page


def test_ticks_come_from_the_url(client: Client) -> None:
    for key in ("a", "b", "c"):
        make_run(key)

    response = client.get(PATH, {"q": "name != a", "run": ["a", "b", "unknown"]})

    table = response.context["table"]
    assert [(row.run.key, row.is_ticked) for row in table.rows] == [("c", False), ("b", True)]
    assert table.ticked_elsewhere == ["a"]
    assert response.content.decode().count(" checked>") == 1


def test_pages_have_fifty_rows(client: Client) -> None:
    for number in range(52):
        make_run(f"run-{number:02}")

    assert len(keys_of(client.get(PATH))) == 50
    assert keys_of(client.get(PATH, {"page": "2", "sort": "name"})) == ["run-50", "run-51"]


@pytest.mark.parametrize("running", [True, False])
def test_it_renews_itself_sooner_while_something_runs(client: Client, running: bool) -> None:
    make_run()
    if not running:
        Run.objects.update(status="completed")

    page = client.get(PATH).content.decode()

    assert (f'hx-trigger="every {10 if running else 60}s, refresh"') in page


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"col": "config."}, "No key of a config can be called"),
        ({"col": [f"m{n}" for n in range(60)]}, "at most 40 columns"),
        ({"col": "x" * 300}, "No metric can be called"),
        ({"sort": "config"}, "needs a key"),
    ],
)
def test_columns_that_cannot_be_are_refused(
    client: Client, params: dict[str, object], reason: str
) -> None:
    make_run()

    response = client.get(PATH, params)

    assert response.status_code == 400
    assert reason in response.content.decode()


def test_csv_has_all_runs_in_full_and_no_formulas(client: Client) -> None:
    runs = [make_run(f"run-{n}", config={"x": "=1+1", "n": -3, "ok": True}) for n in range(60)]
    log_points(runs[0], {"loss": [0.1234567890123, math.nan]})
    columns = ["config.x", "config.n", "config.ok", "loss", "loss.min"]

    response = client.get(PATH, {"col": columns, "format": "csv", "q": "not name = run-1"})

    rows = list(csv.reader(io.StringIO(response.content.decode())))
    assert response.headers["Content-Disposition"] == 'attachment; filename="proj-runs.csv"'
    assert rows[0] == ["run", *columns]
    assert len(rows) == 60
    assert rows[-1] == ["run-0", "'=1+1", "-3", "true", "NaN", "0.1234567890123"]
    assert rows[1] == ["run-59", "'=1+1", "-3", "true", "", ""]


def test_json_has_all_runs(client: Client) -> None:
    run = make_run("a", tags=["x"], config={"lr": [1, 2]})
    log_points(run, {"loss": [math.inf]})

    response = client.get(PATH, {"col": ["config.lr", "tags", "loss", "started"], "format": "json"})

    strict = json.loads(response.content, parse_constant=pytest.fail)
    assert strict == {
        "project": "proj",
        "columns": ["run", "config.lr", "tags", "loss", "started"],
        "runs": [
            {
                "run": "a",
                "config.lr": [1, 2],
                "tags": ["x"],
                "loss": "Infinity",
                "started": run.started_at.isoformat(),
            }
        ],
    }


@pytest.mark.parametrize("twin", ["csv", "json"])
def test_twin_of_a_wrong_filter_is_refused(client: Client, twin: str) -> None:
    make_run()

    assert client.get(PATH, {"q": "lr <", "format": twin}).status_code == 400


def test_it_takes_as_many_queries_for_three_runs_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    log_points(make_run("a", config={"lr": 1}), {"loss": [1.0]})
    path = f"{PATH}?run=a&q=status%3Drunning&sort=-loss.min"
    queries = count_queries(path)
    for key in ("b", "c"):
        log_points(make_run(key, config={"lr": key}), {"loss": [1.0], "acc": [1.0]})

    assert count_queries(path) == queries


# ── Choosing columns ─────────────────────────────────────────────────────────


def columns(*names: str, pinned: int = 0) -> Columns:
    return Columns([find_field(name) for name in names], pinned, are_chosen=True)


@pytest.mark.parametrize(
    ("step", "name", "after", "pinned"),
    [
        ("add", "d", ["a", "b", "c", "d"], 1),
        ("add", "a", ["a", "b", "c"], 1),
        ("remove", "a", ["b", "c"], 0),
        ("remove", "c", ["a", "b"], 1),
        ("remove", "unknown", ["a", "b", "c"], 1),
        ("left", "c", ["a", "c", "b"], 1),
        ("left", "a", ["a", "b", "c"], 1),
        ("right", "a", ["b", "a", "c"], 1),
        ("right", "c", ["a", "b", "c"], 1),
        ("toggle", "c", ["a", "c", "b"], 2),
        ("toggle", "a", ["a", "b", "c"], 0),
    ],
)
def test_each_step_changes_one_thing(step: str, name: str, after: list[str], pinned: int) -> None:
    changed = take_step(columns("a", "b", "c", pinned=1), step, find_field(name))

    assert (changed.names, changed.pinned) == (after, pinned)


def test_no_more_than_three_columns_are_pinned() -> None:
    changed = take_step(columns("a", "b", "c", "d", pinned=3), "toggle", find_field("d"))

    assert (changed.names, changed.pinned) == (["a", "b", "c", "d"], 3)


@pytest.mark.parametrize(
    ("find", "added"),
    [
        ("val/loss.min", ["val/loss.min"]),
        ("val/loss.mea", ["val/loss.mean"]),
        ("loss", []),
        ("nothing", []),
        ("", []),
    ],
)
def test_enter_adds_the_only_field_the_text_can_mean(
    client: Client, find: str, added: list[str]
) -> None:
    log_points(make_run(), {"val/loss": [1.0], "val/loss.min_of_all": [2.0]})

    query = {"col": "status", "find": find, "pick": "1"}
    choice = client.get(COLUMNS, query).context["choice"]

    assert choice.columns.names == ["status", *added]
    assert choice.find == ("" if added else find)
    assert "pick" not in choice.query


def test_column_list_steps_on_from_the_url_and_keeps_the_view(client: Client) -> None:
    make_run()
    params = {"q": "name ~ run", "sort": "-lr", "col": ["status", "loss"], "right": "status"}

    choice = client.get(COLUMNS, params).context["choice"]

    assert choice.columns.names == ["loss", "status"]
    assert parse_qs(choice.query[1:]) == {
        "q": ["name ~ run"],
        "sort": ["-lr"],
        "col": ["loss", "status"],
        "pin": ["0"],
    }
    assert parse_qs(choice.default_query[1:]) == {"q": ["name ~ run"], "sort": ["-lr"]}


def test_column_list_suggests_at_most_fifty_of_many(
    client: Client, fragment: Callable[..., HttpResponse]
) -> None:
    log_points(make_run(config={"layers": 3}), {f"layer{n}/norm": [1.0] for n in range(200)})

    page = client.get(COLUMNS)
    found = fragment(COLUMNS, "column-suggestions", find="layer7/norm", col="status")

    assert len(page.context["choice"].suggestions) == 50
    assert [field.name for field in found.context["choice"].suggestions][:3] == [
        "layer7/norm",
        "layer7/norm.min",
        "layer7/norm.max",
    ]
    assert found.content.decode().strip().startswith('<ul class="column-rows" id="column-suggest')


def test_column_list_takes_as_many_queries_for_three_runs_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    log_points(make_run("a", config={"lr": 1}), {"loss": [1.0]})
    queries = count_queries(COLUMNS)
    for key in ("b", "c"):
        log_points(make_run(key, config={"lr": key}), {"loss": [1.0], "acc": [1.0]})

    assert count_queries(COLUMNS) == queries
