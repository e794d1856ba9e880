import pytest

from tests.factories import make_run
from tracking.domain.access import local_user

pytestmark = pytest.mark.django_db
METRICS = "/api/projects/proj/runs/metrics?runs=run-1"


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver.evil.example", "http://["]
)
def test_changes_that_another_sites_page_asks_for_are_refused(client, origin):
    answer = client.post("/tracker/api/v1/projects/p/runs", headers={"Origin": origin})

    assert answer.status_code == 403
    assert answer.json() == {"detail": "Requests from another site's pages are refused."}


def test_own_origin_and_none_are_let_in(client):
    for headers in ({"Origin": "http://testserver"}, {}):
        assert client.post("/tracker/api/v1/projects/p/runs", headers=headers).status_code == 415


def test_foreign_host_is_refused(client):
    assert client.get("/health", headers={"Host": "rebound.example"}).status_code == 400


def test_unknown_path_of_an_api_is_answered_in_its_language(client):
    for path in ("/api/v1/nope", "/tracker/nope/"):
        answer = client.post(path)
        assert (answer.status_code, answer.json()) == (
            404,
            {"detail": f"There is nothing at {path}."},
        )


def test_everybody_is_the_local_user(client):
    answer = client.get("/admin/")

    assert answer.status_code == 200
    assert answer.wsgi_request.user == local_user()
    assert local_user().is_superuser


def test_only_browsable_pages_may_style_inline(client):
    make_run()
    page, data = (client.get(METRICS, headers={"Accept": kind}) for kind in ("text/html", "*/*"))

    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert "style-src 'self' 'unsafe-inline'" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in data["Content-Security-Policy"]
