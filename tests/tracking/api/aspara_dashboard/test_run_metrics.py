"""Metrics of one run; what is said of unknown runs; what is not sent again."""

import math
from collections.abc import Callable

import msgpack
import pytest

from tests.factories import NOON_US, log_points, make_run
from tracking.models import Run

pytestmark = pytest.mark.django_db
ONE = "/api/projects/proj/runs/run-1/metrics"
MANY = "/api/projects/proj/runs/metrics"
NOON_MS = NOON_US // 1000
UNKNOWN = "Runyard-Unknown-Runs"


@pytest.fixture
def run() -> Run:
    run = make_run("run-1")
    log_points(run, {"loss": [1.0, 0.5], "train/acc": [math.nan, 0.25]})
    return run


def test_one_run_metric_by_metric(client, run):
    answer = client.get(ONE)

    series = {"steps": [0, 1], "timestamps": [NOON_MS, NOON_MS + 1000]}
    assert answer.status_code == 200
    assert answer.json() == {
        "project": "proj",
        "run": "run-1",
        "metrics": {
            "loss": series | {"values": [1.0, 0.5]},
            "train/acc": series | {"values": [None, 0.25]},
        },
    }


def test_parameters_of_many_runs_work_for_one(client, run):
    answer = client.get(ONE, {"metrics": "loss", "x_min": 1, "raw": 1, "since": NOON_MS})

    assert answer.json()["metrics"] == {
        "loss": {"steps": [1], "values": [0.5], "timestamps": [NOON_MS + 1000]}
    }


@pytest.mark.parametrize("path", [ONE, f"{MANY}?runs=run-1"])
@pytest.mark.parametrize("media_type", ["application/x-msgpack", "application/msgpack"])
def test_msgpack_has_two_names(client, run, path, media_type):
    answer = client.get(path, headers={"Accept": media_type})

    assert answer["Content-Type"] == media_type
    assert msgpack.unpackb(answer.content)["metrics"]["loss"]


def test_run_without_points_has_no_metrics(client):
    make_run("run-1")

    assert client.get(ONE).json() == {"project": "proj", "run": "run-1", "metrics": {}}


def test_unknown_run_is_404(client, run):
    answer = client.get(ONE.replace("run-1", "nope"))

    detail = "Run 'nope' not found in project 'proj'"
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


def test_bad_query_is_400(client, run):
    answer = client.get(ONE, {"max_points": 10**30})

    detail = "max_points: Ensure this value is less than or equal to 100000."
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("run-1", None),
        ("run-1,nope", "nope"),
        ("b,a,run-1", "a,b"),
        ("a b,ü,x\r\ny", "a%20b,x%0D%0Ay,%C3%BC"),
    ],
)
def test_unknown_runs_are_named_in_a_header(client, run, asked, named):
    answer = client.get(MANY, {"runs": asked, "metrics": "loss"})

    assert answer.status_code == 200
    assert answer.get(UNKNOWN) == named
    assert list(answer.json()["metrics"].get("loss", {})) == (["run-1"] * ("run-1" in asked))


def test_unknown_runs_do_not_fill_the_headers(client, run):
    names = [f"{n:03d}{'x' * 97}" for n in range(100)]

    named = client.get(MANY, {"runs": ",".join(names)})[UNKNOWN].split(",")

    assert named == [*names[: len(named) - 1], f"+{100 - (len(named) - 1)}"]
    assert len(named) == 20


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("path", [f"{ONE}?", f"{MANY}?runs=run-1,nope&"])
def test_unchanged_answer_is_304(client, run, path, form):
    url = f"{path}format={form}"
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    kept = {"ETag", "Cache-Control", "Vary", UNKNOWN} & {name for name, _ in first.items()}
    assert {name: again[name] for name in kept} == {name: first[name] for name in kept}
    assert first["Cache-Control"] == "private, no-cache"


def log_more(run: Run, settings: object) -> None:
    log_points(run, {"loss": [0.1]}, first_step=2)


def upgrade(run: Run, settings: object) -> None:
    settings.VERSION = "9.9.9"  # type: ignore[attr-defined]


def draw_finer(run: Run, settings: object) -> None:
    settings.MAX_CHART_POINTS = 77  # type: ignore[attr-defined]


def rename(run: Run, settings: object) -> None:
    Run.objects.update(key="run-2")
    make_run("run-1")


@pytest.mark.parametrize("change", [log_more, upgrade, draw_finer, rename])
@pytest.mark.parametrize("path", [ONE, f"{MANY}?runs=run-1,run-2"])
def test_whatever_the_answer_depends_on_changes_its_tag(
    client, run, settings, path, change: Callable[[Run, object], None]
):
    tag = client.get(path)["ETag"]

    change(run, settings)

    assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_run_that_was_unknown_changes_the_tag(client, run):
    tag = client.get(MANY, {"runs": "run-1,late"})["ETag"]

    make_run("late")

    headers = {"If-None-Match": tag}
    assert client.get(MANY, {"runs": "run-1,late"}, headers=headers).status_code == 200


def test_both_spellings_and_head_answer(client, run):
    whole, slashed, head = client.get(ONE), client.get(f"{ONE}/"), client.head(ONE)

    assert slashed.json() == whole.json()
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", whole["ETag"])


def test_too_many_fields_are_400(client, run, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 100

    answer = client.get(ONE, {"metric": ["loss"] * 101})

    detail = "Too many fields: at most 100 are allowed."
    assert (answer.status_code, answer.json()) == (400, {"detail": detail})


def test_browsable_page_of_a_large_chart_is_cut(client, run):
    log_points(run, {f"m{n}": [n / 7] * 500 for n in range(20)})
    headers = {"Accept": "text/html"}

    page = client.get(ONE, headers=headers)
    short = client.get(ONE, {"metrics": "loss"}, headers=headers)

    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert len(page.content) < 200_000
    assert "Cut here: all of it comes with ?format=json" in page.content.decode()
    assert "Cut here" not in short.content.decode()
