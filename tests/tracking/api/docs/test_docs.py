import json
import re
from html.parser import HTMLParser

import pytest
import yaml

from tests.factories import make_run

pytestmark = pytest.mark.django_db
PAGES = [
    "/docs",
    "/docs/dashboard",
    "/docs/manager",
    "/docs/ml-dash",
    "/tracker/docs/tracker",
    "/tracker/docs/tracker/redoc",
]
FOREIGN = re.compile(rb"""(?:src|href)=["'](?:https?:)?//""")


class InlineScripts(HTMLParser):
    """Counts scripts that a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += tag == "script" and "src" not in dict(attrs)


@pytest.mark.parametrize("page", [*PAGES, *(f"{page}/" for page in PAGES)])
def test_page_is_ours_alone(client, page):
    answer = client.get(page)

    inline = InlineScripts()
    inline.feed(answer.content.decode())
    assert answer.status_code == 200
    assert not FOREIGN.search(answer.content)
    assert inline.count == 0
    assert "script-src" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES[1:])
@pytest.mark.parametrize("method", ["options", "post"])
def test_page_is_only_read(client, page, method):
    answer = getattr(client, method)(page)

    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_only_documentation_may_style_inline(client):
    swagger, index = client.get("/docs/dashboard"), client.get("/docs")

    assert "style-src 'self' 'unsafe-inline'" in swagger["Content-Security-Policy"]
    assert "unsafe-inline" not in index["Content-Security-Policy"]


def test_redoc_may_also_search_in_a_worker(client):
    policy = client.get("/tracker/docs/tracker/redoc")["Content-Security-Policy"]

    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "worker-src 'self' blob:" in policy


@pytest.mark.parametrize(
    ("path", "operations"),
    [
        (
            "/tracker/openapi.json",
            {"health_check", "create_run", "save_metrics", "upload_artifact"},
        ),
        ("/docs/dashboard/schema", {"runs_metrics_api"}),
        ("/docs/manager/schema", {"manager_login", "manager_log_metric"}),
        (
            "/docs/ml-dash/schema",
            {"dash_create_node", "dash_append_batch_to_metric", "dash_graphql"},
        ),
    ],
)
def test_schema_names_the_published_operations(client, path, operations):
    schema = yaml.safe_load(client.get(path).content)

    listed = {
        operation["operationId"]
        for methods in schema["paths"].values()
        for operation in methods.values()
    }
    assert operations <= listed


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/html,*/*;q=0.8", "application/json"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json"),
        ("application/yaml", "application/yaml"),
        ("application/vnd.oai.openapi", "application/vnd.oai.openapi"),
    ],
)
@pytest.mark.parametrize("path", ["/tracker/openapi.json", "/docs/dashboard/schema"])
def test_schema_is_json_unless_yaml_is_asked_for(client, path, accept, content_type):
    answer = client.get(path, headers={"Accept": accept})

    assert answer["Content-Type"].partition(";")[0] == content_type
    read = json.loads if "json" in content_type else yaml.safe_load
    assert read(answer.content)["openapi"].startswith("3.")
    assert answer.content.startswith(b"{") == ("json" in content_type)


def test_browsable_pages_are_ours_too(client):
    make_run()

    page = client.get("/api/projects/proj/runs", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert not FOREIGN.search(page.content)
    assert b"<title>Run \xe2\x80\x93 Runyard</title>" in page.content
    assert b"django-rest-framework.org" not in page.content


def test_dashboard_documentation_lists_every_call(client):
    paths = yaml.safe_load(client.get("/docs/dashboard/schema").content)["paths"]
    tracker = yaml.safe_load(client.get("/tracker/openapi.json").content)["paths"]

    assert sum(len(methods) for methods in paths.values()) == 17
    assert not set(paths) & set(tracker)
