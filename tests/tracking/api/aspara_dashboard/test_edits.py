"""What people have edited, as the program reads it that brings it back into files."""

from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.factories import make_run
from tests.people import make_person, share
from tracking.domain.edit_log import list_edits
from tracking.domain.runs import tag_runs, update_run
from tracking.models import Project, Run

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/edits"


@pytest.fixture
def run() -> Run:
    run = make_run()
    LogEntry.objects.all().delete()
    return run


def edit(run: Run, **values: Any) -> None:
    update_run(run, is_alive=False, **values)


def said(answer: Any) -> list[tuple[Any, ...]]:
    return [(one["project"], one["run"], one["values"]) for one in answer.json()["edits"]]


def test_edits_come_in_order_with_the_values_of_now(client: Client, run: Run) -> None:
    edit(run, tags=["a"])
    edit(run, name="no word of it", notes="better")
    edit(run, tags=["b", "c"], readme="# Hi")

    answer = client.get(PATH)

    assert said(answer) == [
        ("proj", "run-1", {"tags": ["b", "c"]}),
        ("proj", "run-1", {"notes": "better"}),
        ("proj", "run-1", {"tags": ["b", "c"], "readme": "# Hi"}),
    ]
    last = LogEntry.objects.order_by("pk").last()
    assert last is not None
    assert answer.json()["edits"][2] | {"values": 0} == {
        "id": last.pk,
        "edited_at": last.timestamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "project": "proj",
        "run": "run-1",
        "run_uid": str(run.uid),
        "values": 0,
    }
    assert answer.json()["next"] == last.pk


def test_edits_of_projects_have_no_run(client: Client, run: Run) -> None:
    client.put(
        "/api/projects/proj/metadata",
        {"notes": "n", "tags": ["t"]},
        content_type="application/json",
    )

    answer = client.get(PATH)

    assert said(answer) == [("proj", None, {"tags": ["t"], "notes": "n"})]
    assert answer.json()["edits"][0]["run_uid"] is None


def test_what_a_training_says_is_no_edit(client: Client, run: Run) -> None:
    update_run(run, tags=["its own"])

    assert said(client.get(PATH)) == []


def test_tags_given_to_many_runs_are_edits(client: Client, run: Run) -> None:
    make_run("run-2")

    tag_runs(Run.objects.all(), add=["x"])

    assert said(client.get(PATH)) == [
        ("proj", "run-1", {"tags": ["x"]}),
        ("proj", "run-2", {"tags": ["x"]}),
    ]


def test_edits_are_read_piece_by_piece(client: Client, run: Run) -> None:
    for text in ("1", "2", "3"):
        edit(run, notes=text)
    ids = list(LogEntry.objects.order_by("pk").values_list("pk", flat=True))

    first = client.get(PATH, {"limit": 2}).json()
    second = client.get(PATH, {"limit": 2, "since": first["next"]}).json()
    third = client.get(PATH, {"limit": 2, "since": second["next"]}).json()

    pieces = [([one["id"] for one in page["edits"]], page["next"]) for page in (first, second)]
    assert pieces == [(ids[:2], ids[1]), (ids[2:], ids[2])]
    assert third == {"edits": [], "next": ids[2]}


def test_entries_about_other_things_are_not_read_again(client: Client, run: Run) -> None:
    edit(run, name="another")
    newest = LogEntry.objects.get().pk

    before = client.get(PATH).json()["next"]
    LogEntry.objects.update(timestamp=timezone.now() - timedelta(minutes=1))

    assert (before, client.get(PATH).json()["next"]) == (0, newest)


def test_only_what_one_may_see_is_told(run: Run) -> None:
    bob, charlie = make_person("bob"), make_person("charlie")
    share(Project.objects.get(), bob)
    edit(run, notes="secret")

    seen = {who: len(list_edits(who, since=0, limit=10).edits) for who in (bob, charlie)}

    assert seen == {bob: 1, charlie: 0}


def test_edits_of_a_deleted_run_are_gone(client: Client, run: Run) -> None:
    edit(run, notes="in vain")
    run.delete()

    assert said(client.get(PATH)) == []


@pytest.mark.parametrize(
    "query", [{"since": -1}, {"since": "x"}, {"since": 2**63}, {"limit": 0}, {"limit": 1_001}]
)
def test_a_wrong_question_is_refused_with_the_field(client: Client, query: dict[str, Any]) -> None:
    answer = client.get(PATH, query)

    assert (answer.status_code, next(iter(query)) in answer.json()["detail"]) == (400, True)


def test_queries_do_not_grow_with_the_edits(client: Client, run: Run, count_queries: Any) -> None:
    edit(run, notes="1")
    one = count_queries(PATH)
    for name in ("run-2", "run-3"):
        edit(make_run(name), notes="1")

    assert count_queries(PATH) == one
