"""What holds for every page."""

import re
from html.parser import HTMLParser

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from dashboard.decorators import page
from tests.factories import log_lines, log_points, log_rows, make_run
from tracking.domain.runs import merge_summary
from tracking.errors import NotPermitted
from tracking.models import Artifact, LogLine, Metric, Project, Run, SavedView

pytestmark = pytest.mark.django_db
PAGES = [
    "/",
    "/projects/proj",
    "/projects/proj?folder=a/b",
    "/projects/proj/about",
    "/projects/proj/runs",
    "/projects/proj/runs?folder=a",
    "/projects/proj/runs?col=config.a&col=notes&col=user&sort=-loss.min&pin=2",
    "/projects/proj/columns",
    "/projects/proj/runs/run-1",
    "/projects/proj/runs/run-1/artifacts",
    "/projects/proj/runs/run-1/config",
    "/projects/proj/runs/run-1/logs",
    "/projects/proj/runs/run-1/metrics",
    "/projects/proj/runs/run-1/rows",
    "/projects/proj/metrics?name=loss",
    "/projects/proj/compare?run=run-1&run=run-2",
    "/projects/proj/compare?run=run-1&run=run-2&view=diff&all=1",
    "/projects/proj/compare?view=scatter",
    "/projects/proj/compare?view=parallel",
]
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """The elements of a page as a browser understands them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.fixture
def evil_rows() -> None:
    """Rows whose every text is an attack, as a door that checks nothing would leave them."""
    run = make_run(tags=[EVIL], notes=EVIL, config={EVIL: {EVIL: EVIL}})
    merge_summary(run, {EVIL: EVIL})
    log_lines(run, EVIL, level=EVIL[:20])
    log_points(run, {"loss": [1.0]})
    log_rows(run, {EVIL: EVIL, "map": {EVIL: [EVIL]}}, stream=EVIL)
    LogLine.objects.update(metadata={EVIL: EVIL})
    words = {EVIL: {"description": EVIL, "tags": [EVIL], "metadata": {EVIL: EVIL}}}
    told = {"metadata": {EVIL: EVIL}, "warnings": [EVIL], "streams": words}
    Run.objects.update(name=EVIL, folder=f"a/b/{EVIL}", readme=EVIL, bindrs=[EVIL], metadata=told)
    Project.objects.update(name=EVIL, namespace=EVIL, description=EVIL, tags=[EVIL])
    SavedView.objects.create(project=run.project, name=EVIL, page="runs", query=EVIL)
    Metric.objects.create(run=run, name=f"{EVIL}/{EVIL}", count=1, last=1.0, last_step=1)
    Artifact.objects.create(
        run=run,
        name=EVIL,
        description=EVIL,
        size_bytes=1,
        sha256="0" * 64,
        content_type="text/plain",
        storage_key="x",
    )


@pytest.mark.parametrize("path", PAGES)
def test_script_in_any_text_stays_text(client: Client, path: str, evil_rows: None) -> None:
    separator = "&" if "?" in path else "?"
    page = client.get(f"{path}{separator}q={EVIL}&metric={EVIL}&run=run-1").content.decode()
    elements = Elements(page)

    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "img" not in elements.tags
    assert [name for name in elements.attributes if name.startswith("on")] == []


@pytest.mark.parametrize("path", PAGES)
def test_page_has_nothing_inline_and_nothing_from_elsewhere(client: Client, path: str) -> None:
    log_points(make_run(config={"a": 1}), {"loss": [1.0]})

    page = client.get(path).content.decode()

    assert re.findall(r"""(?:src|href|action|hx-get)=["'](?:https?:)?//""", page) == []
    assert re.findall(r"<style|\sstyle=", page) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []


@pytest.mark.parametrize("path", PAGES)
def test_page_stays_below_150_kb_of_html(client: Client, path: str) -> None:
    for number in range(100):
        log_points(make_run(f"run-{number}"), {f"metric-{number}": [1.0], "loss": [1.0]})

    assert len(client.get(path).content) < 150_000


@pytest.mark.parametrize(
    "path",
    [
        "/projects/unknown",
        "/projects/unknown/runs",
        "/projects/unknown/metrics",
        "/projects/proj/runs/unknown",
        "/projects/proj/runs/run-1/artifacts/1",
        "/projects/proj/runs/..%2F..%2Fetc",
        "/projects/" + "x" * 10_000,
        "/nowhere",
    ],
)
def test_unknown_things_are_404_and_nothing_comes_of_asking(client: Client, path: str) -> None:
    make_run()
    before = (Project.objects.count(), Run.objects.count(), Metric.objects.count())

    response = client.get(path)

    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()
    assert (Project.objects.count(), Run.objects.count(), Metric.objects.count()) == before


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "query", ["q=%00", "q=" + "x%20" * 5_000, "page=x&q=%ff", "run=%00&name=%00"]
)
def test_page_survives_odd_queries(client: Client, path: str, query: str) -> None:
    make_run()
    separator = "&" if "?" in path else "?"

    assert client.get(f"{path}{separator}{query}").status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_page_answers_head_and_refuses_to_be_posted_to(client: Client, path: str) -> None:
    make_run()

    assert client.head(path).status_code == 200
    # A change to a project is the AI Manager API's, which asks for a token.
    assert client.post(path).status_code == (
        401 if path.partition("?")[0] == "/projects/proj" else 405
    )


def test_page_that_is_not_permitted_is_403() -> None:
    @page
    def view(request: HttpRequest) -> HttpResponse:
        raise NotPermitted("You may not.")

    with pytest.raises(PermissionDenied):
        view(RequestFactory().get("/"))


@pytest.mark.parametrize(
    ("template", "text"), [("403.html", "Not allowed"), ("500.html", "Something broke")]
)
def test_error_pages_need_no_request(template: str, text: str) -> None:
    from django.template.loader import render_to_string

    assert f"<h2>{text}" in render_to_string(template)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "target"),
    [("/projects/", "/"), ("/projects", "/"), ("/favicon.ico", "/static/favicon.svg")],
)
def test_paths_that_browsers_guess_lead_somewhere(client: Client, path: str, target: str) -> None:
    assert client.get(path, headers={"Accept": "text/html"}).headers["Location"] == target


@pytest.mark.parametrize(
    ("path", "tab"),
    [
        ("", "Charts"),
        ("/runs", "Runs"),
        ("/compare?view=diff", "Compare"),
        ("/about", "About"),
        ("/members", "Members"),
    ],
)
def test_pages_of_a_project_share_their_head(client: Client, path: str, tab: str) -> None:
    make_run()

    page = client.get(f"/projects/proj{path}").content.decode()

    head = page[page.index("project-head") :].partition("</header>")[0]
    tabs = re.findall(r'<a href="(\S+)"( aria-current="page")?><svg.*?</svg>(\w+)</a>', head)
    assert [(address, word) for address, _, word in tabs] == [
        ("/projects/proj", "Charts"),
        ("/projects/proj/runs", "Runs"),
        ("/projects/proj/compare?view=scatter", "Compare"),
        ("/projects/proj/about", "About"),
        ("/projects/proj/members", "Members"),
        ("/projects/proj/storage", "Storage"),
    ]
    assert [word for _, is_current, word in tabs if is_current] == [tab]
    assert ('id="views"' in head) == (tab not in {"About", "Members"})
