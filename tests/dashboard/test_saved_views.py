from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from tests.factories import make_run
from tests.people import make_person
from tracking.domain.access import local_user
from tracking.domain.views import save_view
from tracking.models import Project, SavedView

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/views"
TABLE = "/projects/proj/runs"


def make_view(name: str = "best", page: str = "runs", query: str = "q=x") -> SavedView:
    project = Project.objects.filter(key="proj").first() or make_run().project
    return save_view(project, name=name, page=page, query=query, user=local_user())


def views() -> list[tuple[str, str, str]]:
    return list(SavedView.objects.values_list("name", "page", "query"))


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_view_is_saved_and_shown(client: Client) -> None:
    make_run()
    query = "q=tag+%3D+best&col=loss&sort=-loss"

    response = client.post(PATH, {"name": "Best", "page": "runs", "query": query})

    assert views() == [("Best", "runs", query)]
    assert response.headers["Location"] == f"{TABLE}?{query}"
    assert said(response) == ["View “Best” saved."]


def test_taken_name_is_asked_about_and_then_replaced(client: Client) -> None:
    make_view("best", query="q=old")
    data = {"name": "best", "page": "charts", "query": "run=a"}

    question = client.post(PATH, data)
    unchanged = views()
    client.post(PATH, {**data, "replace": "1"})

    assert question.status_code == 200
    assert "Replace the view “best”?" in question.content.decode()
    assert unchanged == [("best", "runs", "q=old")]
    assert views() == [("best", "charts", "run=a")]


@pytest.mark.parametrize(
    ("page", "address"),
    [("charts", "/projects/proj"), ("runs", TABLE), ("compare", "/projects/proj/compare")],
)
def test_view_opens_its_page(client: Client, page: str, address: str) -> None:
    view = make_view(page=page, query="run=a&run=b")

    response = client.get(f"{PATH}/{view.pk}")

    assert response.headers["Location"] == f"{address}?run=a&run=b"


def test_view_is_deleted_after_a_question(client: Client) -> None:
    view = make_view()

    question = client.get(f"{PATH}/{view.pk}/deletion")
    kept = views()
    response = client.post(f"{PATH}/{view.pk}/deletion")

    assert "Delete the view “best”?" in question.content.decode()
    assert kept == [("best", "runs", "q=x")]
    assert views() == []
    assert response.headers["Location"] == TABLE
    assert said(response) == ["View “best” deleted."]


def test_menu_lists_the_project_s_views_and_no_others(client: Client) -> None:
    view = make_view("mine")
    save_view(
        make_run("r", project="other").project,
        name="theirs",
        page="runs",
        query="",
        user=local_user(),
    )

    page = client.get(f"{TABLE}?q=status%3Drunning").content.decode()

    assert f'href="{PATH}/{view.pk}"' in page
    assert "theirs" not in page
    assert '<input type="hidden" name="query" value="q=status%3Drunning">' in page


def test_view_of_another_project_is_not_there(client: Client) -> None:
    make_run("r", project="other")
    view = make_view()

    for path in (f"/projects/other/views/{view.pk}", f"/projects/other/views/{view.pk}/deletion"):
        assert client.get(path).status_code == 404
    assert client.post(f"/projects/other/views/{view.pk}/deletion").status_code == 404
    assert len(views()) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"name": "", "page": "runs"}, "name has 1 to 250 characters"),
        ({"name": "a", "page": "admin"}, "There is no page"),
        ({"name": "a"}, "There is no page"),
        ({"name": "a", "page": "runs", "query": "q=" + "x" * 5_000}, "at most 4000"),
    ],
)
def test_view_that_cannot_be_is_refused(client: Client, data: dict[str, str], reason: str) -> None:
    make_run()

    response = client.post(PATH, data)

    assert response.status_code == 400
    assert reason in response.content.decode()
    assert views() == []


def test_reader_opens_views_and_changes_none(client: Client, settings: Any) -> None:
    view = make_view()
    Project.objects.update(is_public=True)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "open_access" not in name]
    client.force_login(make_person("charlie"))

    assert client.get(f"{PATH}/{view.pk}").status_code == 302
    assert client.post(PATH, {"name": "n", "page": "runs"}).status_code == 403
    assert client.get(f"{PATH}/{view.pk}/deletion").status_code == 403
    assert client.post(f"{PATH}/{view.pk}/deletion").status_code == 403
    assert len(views()) == 1
