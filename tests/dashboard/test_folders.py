"""Folders of runs: the tree, and that every view of a project is about the folder of its URL."""

import json
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.folders import Node, folder_param, folder_tree, grow_tree
from tests.factories import log_points, make_run
from tracking.models import Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj"
FOLDER = {"folder": "sweeps"}


@pytest.fixture
def runs() -> None:
    make_run("plain")
    log_points(make_run("rate", name="exp", folder="sweeps/lr"), {"loss": [0.5]})
    log_points(make_run("size", name="exp", folder="sweeps/size"), {"loss": [0.4]})
    make_run("alone", folder="ablations")


def drawn(node: Node) -> list[object]:
    """What is shown in it: [name, count, what is shown in that]."""
    return [[child.name, child.count, drawn(child)] for child in node.shown]


def tree_of(**params: str) -> list[object]:
    query = QueryDict(mutable=True)
    query.update(params)
    return drawn(folder_tree(Run.objects.all()[0].project, query).base)


def listed(page: HttpResponse) -> list[str]:
    return sorted(run.key for run in page.context["selection"].page)


@pytest.mark.parametrize(
    ("text", "path"),
    [("", ""), ("a/b", "a/b"), ("//a//b/", "a/b"), ("a\0/b", "a/b"), ("x" * 2000, "x" * 1000)],
)
def test_folder_of_the_url_is_read_as_runs_have_it(text: str, path: str) -> None:
    query = QueryDict(mutable=True)
    query["folder"] = text

    assert folder_param(query) == path


def test_small_tree_is_shown_whole_in_natural_order() -> None:
    for key, folder in [("a", "b/10"), ("b", "b/9"), ("c", "b/9/deep"), ("d", "a"), ("e", "")]:
        make_run(key, folder=folder)

    assert tree_of() == [["a", 1, []], ["b", 3, [["9", 2, [["deep", 1, []]]], ["10", 1, []]]]]


def test_of_hundreds_of_folders_those_around_the_current_one_are_shown() -> None:
    project = make_run("first").project
    Run.objects.bulk_create(
        Run(project=project, key=f"r{n}", name="x", folder=f"days/{n:03}/deep") for n in range(300)
    )

    tree = folder_tree(project, QueryDict("folder=days/250"))
    whole = folder_tree(project, QueryDict("folders=all&folder=days"))

    (days,) = tree.base.shown
    assert (len(days.shown), days.hidden_count) == (49, 251)
    current = days.shown[-1]
    assert (current.path, current.is_current, current.shown[0].name) == ("days/250", True, "deep")
    assert (len(whole.base.shown[0].shown), whole.is_whole) == (300, True)


def test_tree_of_a_very_deep_path_begins_near_it(client: Client) -> None:
    make_run("deep", folder="/".join("a" * 400))

    at_the_top = client.get(PATH)
    below = client.get(PATH, {"folder": "/".join("a" * 390)})

    assert (at_the_top.status_code, below.status_code) == (200, 200)
    assert below.context["folders"].base.path == "/".join("a" * 383)
    assert listed(below) == ["deep"]


def test_tree_grows_no_deeper_than_it_is_shown() -> None:
    deep = "/".join(str(n) for n in range(400))

    top = grow_tree({f"{n}/{deep}": 1 for n in range(50)}, f"7/{deep}")

    def size(node: Node) -> int:
        return 1 + sum(map(size, node.children.values()))

    assert (top.count, size(top)) == (50, 1 + 49 * 5 + 401)


def test_project_without_folders_has_no_tree(client: Client) -> None:
    make_run()

    for page in (client.get(PATH), client.get(f"{PATH}/runs")):
        assert "data-folders" not in page.content.decode()


def test_pages_with_hundreds_of_folders_stay_small(client: Client) -> None:
    project = make_run("first").project
    Run.objects.bulk_create(
        Run(
            project=project,
            key=f"r{n}",
            name="learning-rate",
            folder=f"sweeps/2026/day-{n:03}/rate",
        )
        for n in range(400)
    )

    for page in ("", "/runs"):
        assert len(client.get(f"{PATH}{page}?folder=sweeps/2026").content) < 150_000


@pytest.mark.usefixtures("runs")
def test_links_of_the_tree_keep_the_view_and_not_the_choice(client: Client) -> None:
    page = client.get(f"{PATH}/runs?q=exp&run=rate&page=2").content.decode()

    links = re.findall(r'<a class="folder-link[^>]* href="([^"]*)"', page)
    assert links == [
        f"{PATH}/runs?q=exp",
        f"{PATH}/runs?q=exp&amp;folder=ablations",
        f"{PATH}/runs?q=exp&amp;folder=sweeps",
        f"{PATH}/runs?q=exp&amp;folder=sweeps%2Flr",
        f"{PATH}/runs?q=exp&amp;folder=sweeps%2Fsize",
    ]


@pytest.mark.usefixtures("runs")
def test_charts_draw_and_list_the_runs_of_the_folder(client: Client) -> None:
    page = client.get(PATH, FOLDER)

    assert listed(page) == ["rate", "size"]
    assert [run.key for run in page.context["selection"].chosen] == ["size", "rate"]
    assert listed(client.get(PATH, {"folder": "sweeps/lr"})) == ["rate"]
    assert listed(client.get(PATH, {**FOLDER, "q": "loss < 0.45"})) == ["size"]
    assert 'name="folder" value="sweeps"' in page.content.decode()
    assert 'data-name="sweeps/lr/exp"' in page.content.decode()


@pytest.mark.usefixtures("runs")
def test_table_and_its_files_have_the_runs_of_the_folder(client: Client) -> None:
    page = client.get(f"{PATH}/runs", FOLDER)
    twin = client.get(f"{PATH}/runs", {**FOLDER, "format": "json"})

    assert [row.run.key for row in page.context["table"].rows] == ["size", "rate"]
    assert [run["run"] for run in json.loads(twin.content)["runs"]] == ["size", "rate"]
    assert [run["folder"] for run in json.loads(twin.content)["runs"]] == [
        "sweeps/size",
        "sweeps/lr",
    ]


@pytest.mark.usefixtures("runs")
def test_scatter_and_suggestions_are_about_the_folder(client: Client) -> None:
    params = {**FOLDER, "view": "scatter"}
    page = client.get(f"{PATH}/compare", params)
    twin = client.get(f"{PATH}/compare", {**params, "format": "json"})

    assert sorted(run.key for run in page.context["other_runs"]) == ["rate", "size"]
    assert [run["name"] for run in json.loads(twin.content)["runs"]] == [
        "sweeps/size/exp",
        "sweeps/lr/exp",
    ]
    assert '<input type="hidden" name="folder" value="sweeps">' in page.content.decode()


@pytest.mark.usefixtures("runs")
def test_all_that_match_are_those_of_the_folder(client: Client) -> None:
    form = {"action": "archive", "matching": "1", "q": "", **FOLDER}

    client.post(f"{PATH}/runs/actions", form)

    archived = Run.objects.exclude(archived_at=None).values_list("key", flat=True)
    assert sorted(archived) == ["rate", "size"]
    assert '<input type="hidden" name="folder" value="sweeps">' in (
        client.get(f"{PATH}/runs", FOLDER).content.decode()
    )


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("page", ["", "/runs"])
def test_folder_without_runs_says_so_and_leads_back(client: Client, page: str) -> None:
    html = client.get(f"{PATH}{page}", {"folder": "<b>no</b>"}).content.decode()

    assert "No run lies in “&lt;b&gt;no&lt;/b&gt;”" in html
    assert "<b>no" not in html
    assert re.search(rf'href="{PATH}{page}\??">Show all runs', html)


def test_runs_are_filtered_and_sorted_by_folder(client: Client) -> None:
    make_run("a", folder="x/y")
    make_run("b", folder="w")

    page = client.get(f"{PATH}/runs", {"sort": "folder"})
    found = client.get(f"{PATH}/runs", {"q": 'folder = "x/y"'})

    assert [row.run.key for row in page.context["table"].rows] == ["b", "a"]
    assert [row.run.key for row in found.context["table"].rows] == ["a"]


def test_breadcrumb_leads_over_namespace_and_folders(client: Client) -> None:
    run = make_run("a~exp", name="exp", folder="sweeps/<i>")
    run.project.namespace = "alice"
    run.project.save()

    page = client.get(f"{PATH}/runs/a~exp").content.decode()

    crumbs = re.search(r'aria-label="Breadcrumb">(.*?)</nav>', page, re.DOTALL)[1]  # type: ignore[index]
    assert re.findall(r'class="crumb[^>]*?(?: href="([^"]*)"[^>]*)?>([^<]*)<', crumbs) == [
        ("/?q=alice", "alice"),
        (PATH, "proj"),
        (f"{PATH}?folder=sweeps", "sweeps"),
        (f"{PATH}?folder=sweeps%2F%3Ci%3E", "&lt;i&gt;"),
        ("", "exp"),
    ]


@pytest.mark.parametrize("page", ["", "/runs", "/compare?view=scatter"])
def test_queries_do_not_grow_with_folders(
    client: Client, page: str, django_assert_num_queries: Callable[[int], object]
) -> None:
    log_points(make_run("one", folder="a"), {"loss": [1.0]})
    with CaptureQueriesContext(connection) as with_one:
        client.get(f"{PATH}{page}")
    for number in range(3):
        log_points(make_run(f"more-{number}", folder=f"b/{number}"), {"loss": [1.0]})

    with django_assert_num_queries(len(with_one)):
        client.get(f"{PATH}{page}")
