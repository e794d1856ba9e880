"""What holds for the admin's page of every model."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from tests.factories import log_points, make_run
from tests.tracking.admin.conftest import (
    MODELS,
    READ_ONLY,
    admin_path,
    fill,
    make_artifact,
)
from tracking.domain.access import local_user
from tracking.models import (
    ApiToken,
    LogLine,
    Producer,
    Project,
    RowBlock,
    Run,
    SavedView,
    User,
)

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
# (list, page of one): the same for one row and for three.
QUERIES = {
    "user": (6, 5),
    "apitoken": (3, 1),
    "project": (4, 3),
    "run": (5, 9),
    "artifact": (5, 1),
    "savedview": (3, 2),
    "metric": (4, 3),
    "metricpoint": (3, 1),
    "producer": (3, 1),
    "rowblock": (3, 1),
    "logline": (3, 1),
}


def first_row(model: str) -> Model:
    """A row of the model that the fixtures have made, not the built-in user."""
    rows = apps.get_model("tracking", model)._default_manager
    return (rows.exclude(username="local") if model == "user" else rows).order_by("pk")[0]


def pages_of(model: str) -> list[str]:
    row = first_row(model)
    return [
        admin_path(model),
        *(admin_path(model, page, row.pk) for page in ("change", "history")),
        *([] if model in READ_ONLY else [admin_path(model, "delete", row.pk)]),
        *([admin_path(model, "add")] if model in {"user", "project", "apitoken"} else []),
    ]


@pytest.mark.parametrize("model", MODELS)
def test_every_page_opens(client: Client, model: str) -> None:
    fill(1)

    statuses = {path: client.get(path).status_code for path in pages_of(model)}

    assert set(statuses.values()) == {200}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("term", ["proj-0", "run 0", "é", "%_\\", "00000000-0000-0000"])
def test_every_list_can_be_searched(client: Client, model: str, term: str) -> None:
    fill(1)

    assert client.get(admin_path(model), {"q": term}).status_code == 200


@pytest.mark.parametrize(
    ("model", "term"),
    [
        ("user", "person-1"),
        ("project", "proj-1"),
        ("run", "run-1"),
        ("artifact", "model-1"),
        ("metric", "metric-1"),
        ("metricpoint", "metric-1"),
    ],
)
def test_search_finds_what_is_named(client: Client, model: str, term: str) -> None:
    fill(3)

    found = client.get(admin_path(model), {"q": term}).context["cl"]

    assert found.result_count == 1


@pytest.mark.parametrize("model", MODELS)
def test_every_filter_opens(client: Client, model: str) -> None:
    run = fill(2)
    shown = client.get(admin_path(model), {"run": run.pk} if model != "user" else {})
    changelist = shown.context["cl"] if shown.status_code == 200 else None
    plain = client.get(admin_path(model)).context["cl"]
    choices = [
        choice["query_string"]
        for one in (plain, changelist)
        if one is not None
        for spec in one.filter_specs
        for choice in spec.choices(one)
    ]

    statuses = {query: client.get(admin_path(model) + query).status_code for query in choices}

    assert len(choices) >= 2
    assert set(statuses.values()) == {200}


@pytest.mark.parametrize("model", MODELS)
def test_every_column_that_offers_it_can_be_sorted_by(client: Client, model: str) -> None:
    fill(2)
    columns = len(client.get(admin_path(model)).context["cl"].list_display)

    statuses = {
        client.get(admin_path(model), {"o": f"{sign}{place}"}).status_code
        for place in range(columns)
        for sign in ("", "-")
    }

    assert statuses == {200}


@pytest.mark.parametrize("model", ["user", "project", "run", "artifact", "logline"])
def test_dates_lead_down_to_a_day(client: Client, model: str) -> None:
    run = fill(2)
    Run.objects.filter(key="run-1").update(started_at=timezone.now() - timezone.timedelta(days=800))
    field = client.get(admin_path(model), {"run": run.pk} if model == "logline" else {})
    date_field = field.context["cl"].date_hierarchy
    narrow = {f"{date_field}__{part}": getattr(timezone.now(), part) for part in ("year", "month")}
    narrow |= {"run": run.pk} if model == "logline" else {}

    page = client.get(admin_path(model), narrow)

    assert page.status_code == 200
    assert f"{date_field}__day={timezone.now().day}" in page.content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_number_of_queries_does_not_grow(
    count_queries: Callable[[str], int], client: Client, model: str
) -> None:
    fill(1)
    paths = (admin_path(model), admin_path(model, "change", first_row(model).pk))
    for path in paths:
        client.get(path)  # what a process remembers is not counted
    one = tuple(map(count_queries, paths))
    empty_all()
    fill(3)
    paths = (admin_path(model), admin_path(model, "change", first_row(model).pk))

    three = tuple(map(count_queries, paths))

    assert {1: one, 3: three} == {1: QUERIES[model], 3: QUERIES[model]}


def empty_all() -> None:
    Project.objects.all().delete()
    Producer.objects.all().delete()
    User.objects.exclude(username="local").delete()


class Inline(HTMLParser):
    """What a strict content policy would refuse, and images of strangers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(self.get_starttag_text() or tag)
        if tag == "img" and given.get("src") == "x":
            self.found.append("img")
        self.found += [name for name in given if name == "style" or name.startswith("on")]
        self.found += [text for text in given.values() if text and text.startswith("javascript:")]


@pytest.mark.parametrize("model", MODELS)
def test_pages_keep_to_the_content_policy(client: Client, model: str) -> None:
    fill(2)

    for path in [reverse("admin:index"), *pages_of(model)]:
        page = client.get(path)

        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert Inline(page.content.decode()).found == []
        assert re.findall(r"https?://(?!www\.w3\.org)[^\"' <]+", page.content.decode()) == []


@pytest.fixture
def evil_rows() -> None:
    """Rows whose every text is an attack, as a door that checks nothing would leave them."""
    run = make_run(tags=[EVIL], notes=EVIL, config={EVIL: {EVIL: EVIL}})
    log_points(run, {EVIL: [1.0, 2.0]})
    Run.objects.update(name=EVIL, folder=EVIL, summary={EVIL: EVIL}, metadata={EVIL: EVIL})
    Project.objects.update(name=EVIL, description=EVIL, tags=[EVIL], notes=EVIL)
    make_artifact(run, EVIL, path=EVIL, description=EVIL, tags=[EVIL], content_type=EVIL)
    Producer.objects.create(uuid="12345678123456781234567812345678", run=run, gaps=[EVIL])
    RowBlock.objects.create(run=run, stream=EVIL, ordinal=0, count=1, data=b"a")
    LogLine.objects.create(run=run, seq=0, time=timezone.now(), message=EVIL, level=EVIL[:20])
    SavedView.objects.create(project=run.project, name=EVIL, page="runs", query=EVIL)
    ApiToken.objects.create(user=local_user(), name=EVIL, token_key="ry_0", digest="0")
    User.objects.create_user("mallory", first_name=EVIL, last_name=EVIL, email="m@example.com")


@pytest.mark.parametrize("model", MODELS)
def test_markup_in_names_stays_text(client: Client, evil_rows: None, model: str) -> None:
    pages = [client.get(path).content.decode() for path in pages_of(model)]

    assert [Inline(page).found for page in pages] == [[]] * len(pages)
    assert any(escape(EVIL) in page or escape(EVIL[:20]) in page for page in pages) or (
        model == "producer" and any("&lt;script&gt;" in page for page in pages)
    )


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_machines_write_stays_as_it_is(client: Client, model: str) -> None:
    fill(1)
    row = first_row(model)
    before = type(row).objects.values().get(pk=row.pk)
    forged = {"name": "forged", "count": 9, "message": "forged", "last_seq": 99, "stream": "x"}

    statuses = {
        client.post(admin_path(model, page, *ids), forged | {"post": "yes"}).status_code
        for page, ids in [("change", [row.pk]), ("delete", [row.pk]), ("add", [])]
    }
    action = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    client.post(admin_path(model), action)

    assert statuses == {403}
    assert type(row).objects.values().get(pk=row.pk) == before
    assert type(row).objects.count() == 1


@pytest.mark.parametrize("model", ["run", "artifact", *READ_ONLY])
def test_what_a_job_makes_cannot_be_added_by_hand(client: Client, model: str) -> None:
    fill(1)

    assert client.get(admin_path(model, "add")).status_code == 403


@pytest.mark.parametrize("model", sorted(set(MODELS) - {"user"}))
def test_pages_lead_to_the_dashboard(client: Client, model: str) -> None:
    fill(1)
    page = client.get(admin_path(model, "change", first_row(model).pk))

    url = page.context["absolute_url"]

    assert url.startswith("/projects/proj-0")
    assert client.get(url).status_code == 200


def test_index_names_every_model_and_no_other_server(client: Client) -> None:
    page = client.get(reverse("admin:index"))

    assert page.status_code == 200
    assert all(admin_path(model) in page.content.decode() for model in MODELS)


def test_who_has_not_signed_in_is_not_asked_to_sign_out(client: Client) -> None:
    assert "logout" not in client.get(reverse("admin:index")).content.decode()


def test_first_page_calls_things_by_words_that_people_know(client: Client) -> None:
    groups = client.get("/admin/").context["app_list"]

    assert {group["name"]: [str(one["name"]) for one in group["models"]] for group in groups} == {
        "Audit log": ["Audit entries"],
        "Groups of people": ["Groups"],
        "Projects, runs and people": [
            "API tokens",
            "Artifacts",
            "Invitations",
            "Log lines",
            "Logging processes",
            "Metrics",
            "Points of metrics",
            "Projects",
            "Rows of ML-Dash streams",
            "Runs",
            "Saved views",
            "Users",
        ],
        "Signing in": ["Access attempts"],
    }
