"""A run's page is JSON for programs that ask for it."""

import pytest
from django.test import Client

from tests.factories import log_points, make_run

pytestmark = pytest.mark.django_db
URL = "/projects/proj/runs/run-1"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
AXIOS = "application/json, text/plain, */*"


def kind(client: Client, accept: str | None, path: str = URL) -> tuple[int, str]:
    answer = client.get(path, headers={} if accept is None else {"Accept": accept})
    assert "Accept" in answer["Vary"].split(", ")
    return answer.status_code, answer["Content-Type"].split(";")[0]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (AXIOS, "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("application/json, text/html", "text/html"),
        ("application/json;q=0", "text/html"),
        ("application/json;q=nan", "text/html"),
        (CHROME, "text/html"),
        ("*/*", "text/html"),
        ("image/png", "text/html"),
        ("", "text/html"),
        (None, "text/html"),
    ],
)
def test_form_follows_the_accept_header(client, accept, expected):
    make_run()

    assert kind(client, accept) == (200, expected)
    assert kind(client, accept, f"{URL}/") == (200, expected)


def test_json_is_that_of_the_api(client):
    log_points(make_run(config={"lr": 0.1}), {"loss": [1.0, 0.5]})

    twin = client.get(URL, headers={"Accept": "application/json"}).json()

    assert twin == client.get("/api/projects/proj/runs/run-1").json()
    assert (twin["project"], twin["name"], twin["metrics"]) == ("proj", "run-1", {"loss": 0.5})


def test_what_is_not_there_is_told_in_the_same_form(client):
    make_run()
    nowhere = "/projects/proj/runs/nope"

    told = client.get(nowhere, headers={"Accept": "application/json"})

    detail = "Run 'nope' not found in project 'proj'"
    assert (told.status_code, told.json()) == (404, {"detail": detail})
    assert kind(client, CHROME, nowhere) == (404, "text/html")


def test_head_follows_too_and_changes_are_the_pages_matter(client):
    make_run()
    json = {"Accept": "application/json"}

    assert client.head(URL, headers=json)["Content-Type"] == "application/json"
    assert client.post(URL, headers=json).status_code == 405


@pytest.mark.parametrize(
    ("path", "accept", "expected"),
    [
        ("/api/projects/proj/runs", "*/*", "application/json"),
        (URL, "application/json", "application/json"),
        (URL, CHROME, "text/html; charset=utf-8"),
    ],
)
def test_own_faults_are_told_in_the_callers_form(client, monkeypatch, path, accept, expected):
    make_run()
    client.raise_request_exception = False
    for view in ("tracking.api.aspara_dashboard.views", "dashboard.views.run_detail"):
        monkeypatch.setattr(f"{view}.find_run", None)
        monkeypatch.setattr(f"{view}.find_project", None, raising=False)

    answer = client.get(path, headers={"Accept": accept})

    assert (answer.status_code, answer["Content-Type"]) == (500, expected)
    if expected == "application/json":
        detail = "Something went wrong here; the server's log says what."
        assert answer.json() == {"detail": detail}


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/projects/", {"Accept": CHROME}, 302),
        ("/projects/", {"Accept": "*/*"}, 401),
        ("/projects/", {"Accept": AXIOS}, 401),
        ("/projects/", {"Accept": CHROME, "Authorization": "Bearer x"}, 401),
        ("/projects/", {"Accept": CHROME, "Authorization": "Basic x"}, 302),
        ("/projects/", {"Accept": "*/*", "HX-Request": "true"}, 302),
        ("/projects/2024", {"Accept": CHROME}, 200),
        ("/projects/2024", {"Accept": "*/*"}, 401),
        ("/projects/2024/", {"Accept": "application/json"}, 401),
        ("/projects/2024", {"Accept": "*/*", "HX-Request": "true"}, 200),
        ("/projects/2024", {"Accept": CHROME, "Authorization": "Bearer x"}, 401),
        ("/projects/proj", {"Accept": "*/*"}, 200),
        ("/projects/proj", {"Accept": "application/json"}, 401),
    ],
)
def test_projects_belong_to_pages_and_to_the_ai_manager(client, path, headers, expected):
    make_run()
    make_run(project="2024")

    answer = client.get(path, headers=headers)

    assert answer.status_code == expected
    assert {"Accept", "Authorization"} <= set(answer["Vary"].split(", "))
    if expected == 302:
        assert answer["Location"] == "/"
    if expected == 401:
        assert answer.json() == {"detail": "Could not validate credentials"}


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_changes_of_projects_are_the_ai_managers(client, method):
    make_run()

    answer = getattr(client, method)("/projects/proj", headers={"Accept": CHROME})

    assert answer.status_code in {401, 405}
    assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/auth/me", "/runs/1", "/projects/1"])
def test_own_faults_are_told_as_the_ai_manager_documents(client, monkeypatch, path):
    client.raise_request_exception = False
    monkeypatch.setattr("tracking.api.auth.identify", None)

    answer = client.get(path, headers={"Accept": "*/*", "Authorization": "Bearer x"})

    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal server error"})
