from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client

from tests.factories import log_points, make_run
from tests.people import make_person
from tracking.domain.runs import archive_runs, close_run
from tracking.enums import RunStatus
from tracking.models import Metric, Project, Run

pytestmark = pytest.mark.django_db
PATH = "/projects/proj/runs/actions"
TABLE = "/projects/proj/runs"


@pytest.fixture
def act(client: Client) -> Callable[..., HttpResponse]:
    """Press a button of the table's bar."""

    def post(action: str, *runs: str, headers: dict[str, str] | None = None, **data: Any) -> Any:
        return client.post(PATH, {"action": action, "run": runs, **data}, headers=headers)

    return post


def said(response: HttpResponse) -> str:
    """The newest message: the next page will show it."""
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


def archived() -> set[str]:
    return set(Run.objects.exclude(archived_at=None).values_list("key", flat=True))


def test_runs_are_archived_and_restored(act: Callable[..., HttpResponse]) -> None:
    for key in ("a", "b", "c"):
        make_run(key)

    first = act("archive", "a", "b", "gone", next=f"{TABLE}?q=x&col=loss")
    after_first = archived()
    second = act("restore", "a")

    assert (first.status_code, first.headers["Location"]) == (302, f"{TABLE}?q=x&col=loss")
    assert said(first) == "2 runs archived. The filter “archived = true” shows them."
    assert after_first == {"a", "b"}
    assert said(second) == "1 run restored."
    assert archived() == {"b"}


def test_tags_are_asked_for_then_given_and_taken(act: Callable[..., HttpResponse]) -> None:
    make_run("a", tags=["x,y", "old"])
    make_run("b")

    question = act("tag", "a", "b").content.decode()
    given = act("tag", "a", "b", tag=["x,y"], tags="new, newer,")
    taken = act("untag", "a", "b", tag=["old"])

    assert 'name="tag" value="x,y"' in question
    assert said(given) == "2 runs tagged “x,y”, “new”, “newer”."
    assert said(taken) == "“old” taken from 1 run."
    assert dict(Run.objects.values_list("key", "tags")) == {
        "a": ["x,y", "new", "newer"],
        "b": ["x,y", "new", "newer"],
    }


def test_deleting_first_says_what_goes(act: Callable[..., HttpResponse]) -> None:
    log_points(make_run("a"), {"loss": [1.0] * 30, "acc": [1.0] * 12})
    close_run(make_run("b"), status=RunStatus.FAILED, username="alice")
    make_run("c")

    question = act("delete", "a", "b").content.decode()

    assert Run.objects.count() == 3
    assert "Delete 2 runs?" in question
    assert '<dd title="42">42</dd>' in question  # points
    assert '<dd title="2">2</dd>' in question  # metrics
    assert "1 of them is not finished" in question
    assert "<li>a</li>" in question
    assert "<li>b</li>" in question
    assert "<li>c</li>" not in question


def test_deletion_says_which_files_stay(act: Callable[..., HttpResponse]) -> None:
    make_run("a", environment={"imported_from": {"format": "Aspara", "path": "/data/p/a"}})
    make_run("b")

    question = act("delete", "a", "b").content.decode()
    of_none = act("delete", "b").content.decode()

    assert "1 of them was read from files, which stay where they are and are not read" in question
    assert "read from files" not in of_none


def test_deleted_runs_lie_in_the_trash(act: Callable[..., HttpResponse]) -> None:
    for key in ("a", "b", "c"):
        make_run(key)

    response = act("delete", "a", "b", confirmed="1")

    assert said(response) == "2 runs moved to the trash."
    assert list(Run.objects.values_list("key", flat=True)) == ["c"]
    assert Run.everything.exclude(deleted_at=None).count() == 2


def test_deleting_when_confirmed_says_what_was_freed(
    act: Callable[..., HttpResponse], settings: Any
) -> None:
    settings.TRASH_DAYS = 0
    log_points(make_run("a"), {"loss": [1.0] * 30})
    log_points(make_run("b"), {"loss": [1.0]})

    response = act("delete", "a", confirmed="1")

    assert response.headers["Location"] == TABLE
    assert said(response).startswith("1 run deleted; ")
    assert said(response).endswith("bytes freed.")
    assert list(Run.objects.values_list("key", flat=True)) == ["b"]
    assert Metric.objects.count() == 1


@pytest.mark.parametrize(("action", "page"), [("compare", "compare"), ("charts", "")])
def test_showing_leads_to_the_page_of_these_runs(
    act: Callable[..., HttpResponse], action: str, page: str
) -> None:
    make_run("a")
    make_run("b")

    response = act(action, "a", "b", "gone")

    address = "/projects/proj" + (f"/{page}" if page else "")
    assert response.headers["Location"] in {f"{address}?run=a&run=b", f"{address}?run=b&run=a"}


def test_all_runs_of_the_filter_are_meant_when_that_is_said(
    act: Callable[..., HttpResponse],
) -> None:
    for key in ("a-1", "a-2", "b-1"):
        make_run(key)
    make_run("a-old")
    archive_runs(Run.objects.filter(key="a-old"))

    act("tag", "a-1", matching="1", q="name ~ a-", tag="t")

    tagged = [key for key, tags in Run.objects.order_by("key").values_list("key", "tags") if tags]
    assert tagged == ["a-1", "a-2"]


def test_question_names_each_run_so_that_no_other_joins(act: Callable[..., HttpResponse]) -> None:
    make_run("a-1")

    question = act("delete", matching="1", q="name ~ a-").content.decode()

    assert 'name="run" value="a-1"' in question
    assert 'name="matching"' not in question


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"action": "archive"}, "None of the chosen runs is there"),
        ({"action": "archive", "run": ["gone", "", "\0"]}, "None of the chosen runs is there"),
        ({"action": "explode", "run": ["a"]}, "There is no action &#x27;explode&#x27;"),
        ({"run": ["a"]}, "There is no action &#x27;&#x27;"),
        ({"action": "archive", "run": ["a", "b", "c"]}, "At most 2 runs can be changed at once"),
        ({"action": "tag", "matching": "1", "tag": "t"}, "At most 2 runs can be changed at once"),
        ({"action": "archive", "matching": "1", "q": "lr <"}, "<h2>"),
        ({"action": "tag", "run": ["a"], "tag": "x" * 300}, "a tag has 1 to 250 characters"),
    ],
)
def test_what_cannot_be_done_is_refused(
    client: Client, settings: Any, data: dict[str, Any], reason: str
) -> None:
    for key in ("a", "b", "c"):
        make_run(key)
    settings.MAX_RUNS_PER_REQUEST = 2

    response = client.post(PATH, data)

    assert response.status_code == 400
    assert reason in response.content.decode()
    assert (archived(), Run.objects.filter(tags=[]).count()) == (set(), 3)


def test_a_thousand_runs_fit_into_one_form(act: Callable[..., HttpResponse]) -> None:
    project = make_run("run-0").project
    Run.objects.bulk_create(
        [Run(project=project, key=f"run-{n}", name=f"run-{n}") for n in range(1, 1000)]
    )

    response = act("archive", *(f"run-{n}" for n in range(1000)))

    assert said(response).startswith("1,000 runs archived")


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "runs"],
)
def test_way_back_never_leaves_this_host(act: Callable[..., HttpResponse], address: str) -> None:
    make_run("a")

    assert act("archive", "a", next=address).headers["Location"] == TABLE


def test_htmx_gets_the_question_alone_and_is_led_on_afterwards(
    act: Callable[..., HttpResponse],
) -> None:
    make_run("a")
    htmx = {"HX-Request": "true", "HX-Target": "runs-question"}

    question = act("delete", "a", headers=htmx)
    done = act("archive", "a", headers=htmx)

    assert question.content.decode().startswith('<section id="runs-question">')
    assert (done.status_code, done.headers["HX-Redirect"]) == (200, TABLE)


def test_reader_may_look_and_change_nothing(
    client: Client, act: Callable[..., HttpResponse], settings: Any
) -> None:
    make_run("a")
    Project.objects.update(is_public=True)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "open_access" not in name]
    client.force_login(make_person("charlie"))

    assert act("compare", "a").status_code == 302
    for action in ("archive", "restore", "tag", "untag", "delete"):
        assert act(action, "a", confirmed="1", tag="t").status_code == 403
    assert list(Run.objects.values_list("key", "tags", "archived_at")) == [("a", [], None)]


def test_stranger_is_told_nothing(
    client: Client, act: Callable[..., HttpResponse], settings: Any
) -> None:
    make_run("a")
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "open_access" not in name]
    client.force_login(make_person("charlie"))

    assert act("archive", "a").status_code == 404
    assert archived() == set()


def test_run_called_actions_has_its_page(client: Client) -> None:
    make_run("actions")

    response = client.get(PATH)

    assert response.status_code == 200
    assert response.context["run"].key == "actions"
