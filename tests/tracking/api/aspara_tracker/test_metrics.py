import math
import struct
import threading
import time

import pytest

from tests.engines import IS_SQLITE
from tests.factories import NOON_US, log_points, make_run
from tests.tracking.api.aspara_tracker.conftest import RUN, counted_queries
from tracking.domain import writer
from tracking.models import Metric, MetricPoint, Run

pytestmark = pytest.mark.django_db(transaction=True)
PATH = f"{RUN}/metrics"
OK = (200, {"status": "ok"})
NAN, INF = math.nan, math.inf


@pytest.fixture(autouse=True)
def run():
    return make_run()


def stored(name: str = "loss") -> list[tuple[int, float]]:
    points = MetricPoint.objects.filter(metric__name=name).points()
    return [(point.step, point.value) for point in points]


def stored_times_us() -> list[int]:
    return [point.time_us for point in MetricPoint.objects.points()]


def test_documented_row_is_stored(post):
    before = Run.objects.get().revision
    body = {
        "type": "metrics",
        "timestamp": "2026-01-01T12:00:00",
        "run": "run-1",
        "project": "proj",
        "step": 100,
        "metrics": {"loss": 0.5, "accuracy": 0.85},
    }

    assert post(PATH, body) == OK

    assert (stored("loss"), stored("accuracy")) == ([(100, 0.5)], [(100, 0.85)])
    assert stored_times_us() == [NOON_US, NOON_US]
    assert Run.objects.get().revision == before + 1


@pytest.mark.parametrize("prefix", ["/tracker/api/v1", "/api/v1"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_prefixes_and_both_spellings_answer(post, prefix, slash):
    path = f"{prefix}/projects/proj/runs/run-1/metrics{slash}"

    assert post(path, {"metrics": {"loss": 1}}) == OK
    assert stored() == [(0, 1.0)]


def test_missing_step_is_the_runs_next(post, run):
    log_points(run, {"loss": [1.0], "acc": [1.0]}, first_step=7)

    assert post(PATH, {"metrics": {"loss": 2}}) == OK
    assert post(PATH, {"metrics": {"loss": 3}, "step": None}) == OK

    assert stored() == [(7, 1.0), (8, 2.0), (9, 3.0)]


@pytest.mark.parametrize("step", [0, -5, 3.0, 2**63 - 1, -(2**63)])
def test_any_whole_step_is_taken_in_any_order(post, step):
    post(PATH, {"metrics": {"loss": 1}, "step": 10})

    assert post(PATH, {"metrics": {"loss": 2}, "step": step}) == OK
    assert stored() == [(10, 1.0), (int(step), 2.0)]


def test_no_step_comes_after_the_greatest(post):
    post(PATH, {"metrics": {"loss": 1}, "step": 2**63 - 1})

    answer = post(PATH, {"metrics": {"loss": 2}})

    assert answer == (400, {"detail": "step must fit into 64 bits."})
    assert stored() == [(2**63 - 1, 1.0)]


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1", 1.0),
        ("-0.0", -0.0),
        ("0.1", 0.1),
        ("5e-324", 5e-324),
        ("1e999", INF),
        ("true", 1.0),
        ("false", 0.0),
        (str(2**70), 2.0**70),
        ("NaN", NAN),
        ("Infinity", INF),
        ("-Infinity", -INF),
        ('"NaN"', NAN),
        ('"Infinity"', INF),
        ('"-Infinity"', -INF),
    ],
)
def test_numbers_are_kept_bit_for_bit(post, literal, value):
    assert post(PATH, f'{{"metrics": {{"loss": {literal}}}}}') == OK

    [(_, kept)] = stored()
    assert struct.pack("<d", kept) == struct.pack("<d", value)


def test_thousand_names_are_taken(post):
    assert post(PATH, {"metrics": {f"m{n}": n for n in range(1000)}}) == OK
    assert Metric.objects.count() == 1000


@pytest.mark.parametrize(
    ("timestamp", "time_us"),
    [
        ("2026-01-01T12:00:00", NOON_US),
        ("2026-01-01T12:00:00Z", NOON_US),
        ("2026-01-01T21:00:00+09:00", NOON_US),
        ("2026-01-01 12:00:00.000001", NOON_US + 1),
        (NOON_US // 1_000_000, NOON_US),
        (NOON_US / 1_000_000 + 0.5, NOON_US + 500_000),
        (NOON_US // 1_000, NOON_US),
        (0, 0),
        (-1, -1_000_000),
    ],
)
def test_times_of_all_forms_are_understood(post, timestamp, time_us):
    assert post(PATH, {"metrics": {"loss": 1}, "timestamp": timestamp}) == OK
    assert stored_times_us() == [time_us]


@pytest.mark.parametrize("body", [{}, {"timestamp": None}])
def test_time_is_now_when_none_is_given(post, body):
    before = time.time_ns() // 1_000

    assert post(PATH, {"metrics": {"loss": 1}, **body}) == OK

    [time_us] = stored_times_us()
    assert before <= time_us <= time.time_ns() // 1_000


def test_deleted_run_is_not_found(post, run):
    run.delete()

    assert post(PATH, {"metrics": {"loss": 1}}) == (
        404,
        {"detail": "Run 'run-1' not found in project 'proj'"},
    )


def test_limit_of_names_per_run_is_told(post, settings):
    settings.MAX_METRICS_PER_RUN = 2

    answer = post(PATH, {"metrics": {"a": 1, "b": 1, "c": 1}})

    assert answer == (400, {"detail": "A run may have at most 2 metric names."})
    assert not Metric.objects.exists()


def test_busy_writer_is_a_503_and_writes_nothing_later(client, monkeypatch):
    entered, release = threading.Event(), threading.Event()
    monkeypatch.setattr(writer, "WAIT_S", 0.05)
    held = writer.submit(lambda: entered.set() or release.wait(30))
    assert entered.wait(30)

    answer = client.post(PATH, {"metrics": {"loss": 1}}, content_type="application/json")
    release.set()
    held.result(30)
    writer.submit(lambda: None).result(30)  # whatever was waiting has had its turn

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json() == {"detail": "Too much is waiting to be written; try again."}
    assert not Metric.objects.exists()


@pytest.mark.parametrize(("step", "count"), [({"step": 5}, 5), ({}, 6)])
def test_query_count_is_constant(post, run, step, count):
    post(PATH, {"metrics": {"loss": 1, "acc": 1}})
    for rows in (1, 3):
        log_points(run, {f"m{n}": [1.0] for n in range(rows)})
        with counted_queries() as statements:
            post(PATH, {"metrics": {"loss": 1, "acc": 1}, **step})

        # PostgreSQL stores a batch in one statement, which goes past Django's cursors.
        assert len(statements) == (count if IS_SQLITE else count - 3), statements
