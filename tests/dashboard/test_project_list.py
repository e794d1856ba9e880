from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import make_run
from tests.people import make_person
from tracking.domain.runs import archive_runs, finish_run
from tracking.enums import RunStatus
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db


def keys(response: HttpResponse) -> list[str]:
    return [project.key for project in response.context["projects"]]


def test_project_list_counts_runs_and_those_that_are_alive(client: Client) -> None:
    make_run("a", "vision")
    finish_run(make_run("b", "vision"), status=RunStatus.COMPLETED)
    make_run("c", "vision")
    Project.objects.get().runs.filter(key="c").update(last_seen_at="2020-01-01T00:00Z")

    [project] = client.get("/").context["projects"]

    assert (project.run_count, project.running_count) == (3, 1)


def test_project_list_shows_the_latest_activity_first(client: Client) -> None:
    for key in ("old", "new"):
        make_run("a", key)
    Project.objects.get(key="old").runs.update(last_seen_at="2020-01-01T00:00Z")

    assert keys(client.get("/")) == ["new", "old"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["a", "b"]),
        ("runs", ["b", "a"]),
        ("created", ["b", "a"]),
        ("nonsense", ["b", "a"]),  # as by activity
    ],
)
def test_project_list_sorts(client: Client, sort: str, expected: list[str]) -> None:
    make_run("x", "a")
    make_run("x", "b")
    make_run("y", "b")

    assert keys(client.get("/", {"sort": sort})) == expected


@pytest.mark.parametrize("query", ["vis", "VISION", "Café", "caf", "vision café"])
def test_project_list_is_searched_by_name_and_tag(client: Client, query: str) -> None:
    make_run("a", "vision")
    make_run("a", "speech")
    Project.objects.filter(key="vision").update(tags=["café"])

    assert keys(client.get("/", {"q": query})) == ["vision"]


def test_project_list_without_a_match_says_so(client: Client) -> None:
    make_run("a", "vision")

    response = client.get("/", {"q": "vision nothing"})

    assert keys(response) == []
    assert "No project matches “vision nothing”" in response.content.decode()


def test_empty_project_list_teaches_with_this_servers_address(client: Client) -> None:
    page = client.get("/", headers={"Host": "localhost:4321"}).content.decode()

    assert 'aspara.init(project="my_project", tracker_uri="http://localhost:4321")' in page


def test_empty_project_list_leads_to_a_token_where_people_sign_in(
    client: Client, settings: Any
) -> None:
    told = ("pip install ./sdk", "runyard login http://testserver", 'href="/profile/tokens"')
    assert [text in client.get("/").content.decode() for text in told[:2]] == [True, False]

    settings.ACCESS = "login"
    client.force_login(make_person("emmy"))

    assert [text in client.get("/").content.decode() for text in told] == [True, True, True]


def test_projects_of_one_name_are_told_apart(client: Client, settings: Any) -> None:
    settings.ACCESS = "login"
    marie, ada = make_person("marie"), make_person("ada")
    Project.objects.create(key="vision", name="vision", owner=marie)
    Project.objects.create(key="vision-2", name="vision", owner=ada, is_public=True)
    Project.objects.create(key="marie~vision", name="vision", namespace="marie", owner=marie)
    Project.objects.create(key="default", name="default")
    client.force_login(marie)

    response = client.get("/", {"sort": "name"})
    shown = response.content.decode()

    assert [(one.key, one.owner_name, one.is_shared) for one in response.context["projects"]] == [
        ("default", None, True),
        ("marie~vision", "marie", False),
        ("vision", "marie", False),
        ("vision-2", "ada", True),
    ]
    assert '<span class="project-namespace">marie / </span>vision</a>' in shown
    assert [f">{key}</code>" in shown for key in ("default", "vision", "vision-2")] == [
        False,
        False,
        True,
    ]


def test_open_mode_names_no_owners(client: Client) -> None:
    Project.objects.create(key="vision", name="vision", owner=make_person("marie"))

    assert "marie" not in client.get("/").content.decode()


def test_project_list_fragment_is_the_table_alone(fragment: Callable[..., HttpResponse]) -> None:
    make_run("a", "vision")

    response = fragment("/", "project-table", q="vision")

    assert response.content.decode().strip().startswith('<section id="project-table"')
    assert {"HX-Request", "HX-Target"} <= set(response["Vary"].replace(" ", "").split(","))


def test_project_list_takes_as_many_queries_for_three_as_for_one(
    count_queries: Callable[[str], int],
) -> None:
    make_run("a", "one")
    queries = count_queries("/")
    for key in ("two", "three"):
        make_run("a", key)
        make_run("b", key)

    assert count_queries("/") == queries


def test_project_list_is_cut_into_pages(client: Client) -> None:
    Project.objects.bulk_create(Project(key=f"p{n:03}", name=f"p{n:03}") for n in range(101))

    response = client.get("/", {"sort": "name", "page": 2})

    assert keys(response) == ["p100"]
    assert "101–101 of 101" in response.content.decode()


def test_archived_runs_of_a_project_are_not_counted(client: Client) -> None:
    make_run("a", "vision")
    make_run("b", "vision")
    archive_runs(Run.objects.filter(key="b"))

    [project] = client.get("/").context["projects"]

    assert (project.run_count, project.running_count) == (1, 1)


@pytest.mark.parametrize(
    ("description", "notes", "expected"),
    [
        ("Images", "# Notes", '<p class="muted">Images</p>'),
        ("", "\n# All <b> notes\nmore", '<p class="muted">All &lt;b&gt; notes</p>'),
        ("", "x" * 1_000, f'<p class="muted">{"x" * 159}…</p>'),
    ],
)
def test_project_list_says_what_a_project_is_about(
    client: Client, description: str, notes: str, expected: str
) -> None:
    make_run("a", "vision")
    Project.objects.update(description=description, notes=notes)

    assert expected in client.get("/").content.decode()


def test_tags_of_a_project_lead_to_all_projects_with_them(client: Client) -> None:
    make_run("a", "vision")
    make_run("a", "other")
    Project.objects.filter(key="vision").update(tags=["q3 & <b>"])

    page = client.get("/").content.decode()

    assert 'href="/?q=q3%20%26%20%3Cb%3E"' in page
    assert keys(client.get("/?q=q3%20%26%20%3Cb%3E")) == ["vision"]
    assert "q3%20%26%20%3Cb%3E" in client.get("/projects/vision").content.decode()


def test_search_keeps_the_sort(client: Client) -> None:
    make_run()

    page = client.get("/?sort=name").content.decode()

    assert '<input type="hidden" name="sort" value="name" form="search">' in page
