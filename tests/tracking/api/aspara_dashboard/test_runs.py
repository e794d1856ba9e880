"""The list of runs, and one run."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.factories import log_points, make_run
from tests.tracking.api.aspara_dashboard.conftest import keep_file
from tracking.api.aspara_dashboard import record_serializers
from tracking.domain.runs import archive_runs, finish_run
from tracking.enums import RunStatus
from tracking.models import Artifact, Run

pytestmark = pytest.mark.django_db
LIST = "/api/projects/proj/runs"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON_MS = 1_767_268_800_000


@pytest.fixture
def run(_files) -> Run:
    run = make_run(
        "run-1",
        config={"lr": 0.1, "model": {"depth": 12}},
        tags=["base"],
        notes="first",
        started_at=NOON,
    )
    log_points(run, {"loss": [1.0, 0.5], "acc": [math.inf], "gone": [math.nan]})
    ended_at = NOON + timedelta(seconds=9.5)
    finish_run(
        run, status=RunStatus.FAILED, exit_code=3, reason="ValueError: no", ended_at=ended_at
    )
    Run.objects.update(summary={"best": 0.5}, name="First", folder="sweeps/lr")
    keep_file(run, "m.pt", b"12345", category="model", description="final")
    keep_file(run, "old.pt", b"1", deleted_at=NOON)
    Artifact.objects.update(created_at=NOON)
    return run


DESCRIBED = {
    "run_id": "run-1",
    "tags": ["base"],
    "notes": "first",
    "params": {"lr": 0.1, "model.depth": 12},
    "config": {"lr": 0.1, "model": {"depth": 12}},
    "artifacts": [
        {
            "name": "m.pt",
            "original_path": "m.pt",
            "stored_path": "artifacts/m.pt",
            "file_size": 5,
            "timestamp": NOON_MS,
            "description": "final",
            "category": "model",
            "sha256": "0" * 64,
        }
    ],
    "summary": {"best": 0.5},
    "is_finished": True,
    "exit_code": 3,
    "status": "failed",
    "start_time": NOON_MS,
    "finish_time": NOON_MS + 9_500,
}
NAMED = {
    "project": "proj",
    "name": "run-1",
    "display_name": "First",
    "folder": "sweeps/lr",
    "state": "failed",
    "resolution": "full",
    "finish_reason": "ValueError: no",
    "metrics": {"acc": "Infinity", "gone": "NaN", "loss": 0.5},
}


def test_list_describes_each_run(client, run):
    answer = client.get(LIST)

    assert (answer.status_code, answer.json()) == (200, [DESCRIBED | NAMED])
    assert answer["X-Total-Count"] == "1"
    assert "Link" not in answer


def test_one_run_is_described_the_same(client, run):
    assert client.get(f"{LIST}/run-1").json() == DESCRIBED | NAMED
    assert client.get(f"{LIST}/run-1/metadata").json() == DESCRIBED


def test_running_run_is_wip_and_a_silent_one_maybe_failed(client):
    run = make_run(started_at=NOON)

    fresh = client.get(f"{LIST}/run-1/metadata").json()
    Run.objects.filter(pk=run.pk).update(last_seen_at=timezone.now() - timedelta(hours=1))
    silent = client.get(f"{LIST}/run-1/metadata").json()

    assert fresh == {
        "run_id": "run-1",
        "tags": [],
        "notes": "",
        "params": {},
        "config": {},
        "artifacts": [],
        "summary": {},
        "is_finished": False,
        "exit_code": None,
        "status": "wip",
        "start_time": NOON_MS,
        "finish_time": None,
    }
    assert silent == fresh | {"status": "maybe_failed"}


def test_state_is_the_word_of_the_pages(client):
    cancelled, _, stale = make_run("cancelled"), make_run("running"), make_run("stale")
    finish_run(cancelled, status=RunStatus.CANCELLED, reason="SIGTERM")
    Run.objects.filter(pk=stale.pk).update(last_seen_at=NOON)

    runs = client.get(LIST).json()

    assert {run["name"]: (run["state"], run["status"], run["finish_reason"]) for run in runs} == {
        "cancelled": ("cancelled", "failed", "SIGTERM"),
        "running": ("running", "wip", ""),
        "stale": ("stale", "maybe_failed", ""),
    }


def names(answer) -> list[str]:
    return [run["name"] for run in answer.json()]


@pytest.fixture
def five_runs() -> None:
    for n in range(5):
        run = make_run(f"run-{n}", started_at=NOON + timedelta(minutes=n), config={"lr": n / 10})
        log_points(run, {"loss": [(n - 2.0) ** 2 + n / 100]})


def test_list_is_newest_first_and_comes_in_pieces(client, five_runs):
    answer = client.get(LIST, {"limit": 2, "offset": 2, "q": "run"})

    link = f"<http://testserver{LIST}?limit=2&offset={{}}&q=run>"
    assert names(answer) == ["run-2", "run-1"]
    assert answer["X-Total-Count"] == "5"
    assert answer["Link"] == ", ".join(
        [
            f'{link.format(0)}; rel="first"',
            f'{link.format(0)}; rel="prev"',
            f'{link.format(4)}; rel="next"',
            f'{link.format(4)}; rel="last"',
        ]
    )


def test_pieces_by_their_links_are_the_whole_list(client, five_runs):
    import requests

    found, url = [], f"{LIST}?limit=2"
    while url:
        answer = client.get(url)
        found += names(answer)
        links = requests.utils.parse_header_links(answer.get("Link", ""))
        url = next((link["url"] for link in links if link["rel"] == "next"), None)

    assert found == ["run-4", "run-3", "run-2", "run-1", "run-0"]


def test_piece_ends_before_it_gets_too_large(client, five_runs, monkeypatch):
    monkeypatch.setattr(record_serializers, "MAX_DETAILS", 2)

    first = client.get(LIST, {"offset": 1})
    monkeypatch.setattr(record_serializers, "MAX_DETAILS", 0)
    least = client.get(LIST)

    assert names(first) == ["run-3", "run-2"]
    assert f'<http://testserver{LIST}?offset=3>; rel="next"' in first["Link"]
    assert names(least) == ["run-4"]


def test_piece_beyond_the_end_is_empty(client, five_runs):
    answer = client.get(LIST, {"offset": 2**60})

    assert (answer.status_code, answer.json()) == (200, [])


def test_list_can_be_filtered_and_sorted(client, five_runs):
    answer = client.get(LIST, {"q": "config.lr > 0.05", "sort": "loss.min"})

    assert names(answer) == ["run-2", "run-1", "run-3", "run-4"]
    assert answer["X-Total-Count"] == "4"


def test_archived_runs_are_left_out_but_still_there(client, run):
    archive_runs(Run.objects.all())

    assert client.get(LIST).json() == []
    assert client.get(f"{LIST}/run-1").json()["name"] == "run-1"


def test_params_are_flat(client):
    make_run(config={"a": {"b": {"c": 1, "e": {}}, "d": [1, {"x": 2}]}, "a.b.c": 9, "t": "NaN"})

    assert client.get(f"{LIST}/run-1/params").json() == {
        "a.b.c": 9,
        "a.b.e": {},
        "a.d": [1, {"x": 2}],
        "t": "NaN",
    }


@pytest.mark.parametrize("path", ["runs/nope", "runs/nope/params", "runs/nope/metadata"])
def test_unknown_run_is_404(client, run, path):
    answer = client.get(f"/api/projects/proj/{path}")

    detail = "Run 'nope' not found in project 'proj'"
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


def test_unknown_project_is_404(client):
    answer = client.get(LIST)

    assert (answer.status_code, answer.json()) == (404, {"detail": "Project 'proj' not found"})


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"limit": 0}, "limit: Ensure this value is greater than or equal to 1."),
        ({"limit": 1001}, "limit: Ensure this value is less than or equal to 1000."),
        ({"limit": "all"}, "limit: A valid integer is required."),
        ({"offset": -1}, "offset: Ensure this value is greater than or equal to 0."),
        ({"offset": 2**63}, "offset: Ensure this value is less than or equal to 9223372036854774807."),
        ({"q": "a\0b"}, "q: Null characters are not allowed."),
        ({"sort": "a\0b"}, "sort: Null characters are not allowed."),
        ({"format": "xml"}, "Invalid format: xml. Must be 'json'"),
    ],
)  # fmt: skip
def test_bad_query_is_400_with_the_field_named(client, run, query, detail):
    answer = client.get(LIST, query)

    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_malformed_query_points_at_the_word(client, run):
    answer = client.get(LIST, {"q": "name = a )"})

    told = answer.json()
    assert answer.status_code == 400
    assert (told["start"], told["end"]) == (9, 10)
    assert told["detail"]


@pytest.mark.parametrize("path", [LIST, f"{LIST}/run-1", f"{LIST}/run-1/params"])
def test_both_spellings_and_head_answer(client, run, path):
    whole, slashed, head = client.get(path), client.get(f"{path}/"), client.head(path)

    assert slashed.json() == whole.json()
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == whole["Content-Type"]


def test_number_of_queries_is_constant(client, run, count_queries):
    count_queries(LIST)
    one = count_queries(LIST)
    for n in range(2):
        more = make_run(f"more-{n}", config={"a": n})
        log_points(more, {"loss": [1.0], f"m{n}": [2.0]})
        keep_file(more, "a", b"1")
        keep_file(more, "b", b"1")

    assert count_queries(LIST) == one


def test_browsable_page_escapes_what_runs_say(client):
    make_run(notes="<script>alert(1)</script>", tags=["<img src=x>"])

    page = client.get(f"{LIST}/run-1", headers={"Accept": "text/html"}).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img src=x>" not in page


def test_whole_numbers_of_any_size_are_told(client):
    make_run(config={"seed": 2**70, "name": "é"})

    answer = client.get(LIST)

    assert answer.json()[0]["config"] == {"seed": 2**70, "name": "é"}
    assert answer["Content-Type"] == "application/json"
