import math
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import (
    keep_file,
    log_points,
    make_batch,
    make_points,
    make_run,
    start_event,
    take_in,
)
from tracking.domain.access import local_user
from tracking.domain.batch import Event
from tracking.domain.metrics import StaleMetricIds
from tracking.domain.projects import open_project
from tracking.errors import (
    AlreadyExists,
    InvalidInput,
    LimitExceeded,
    OutOfSequence,
    RunDeleted,
)
from tracking.models import LogLine, Metric, MetricPoint, Producer, Project, Run

pytestmark = pytest.mark.django_db


def stored(name: str) -> list[tuple[int, float]]:
    return [
        (point.step, point.value)
        for point in MetricPoint.objects.filter(metric__name=name).points()
    ]


def summary(name: str) -> dict[str, float | int | None]:
    fields = ["count", "finite_count", "min", "max", "sum", "last", "last_step"]
    return Metric.objects.filter(name=name).values(*fields).get()


def test_first_batch_creates_project_run_and_producer():
    ack = take_in(make_batch(1, 1, events=start_event(config={"lr": math.nan}, tags=["a", "a"])))

    run = Run.objects.get()
    assert (ack.acked_seq, ack.run, ack.created) == (1, run, True)
    assert (run.project.key, run.key, run.uid) == ("proj", "run-1", UUID(int=1))
    assert (run.config, run.tags, run.status) == ({"lr": "NaN"}, ["a"], "running")
    assert Producer.objects.values_list("uuid", "run", "last_seq").get() == (UUID(int=2), run.pk, 1)


def test_points_are_stored_bit_for_bit_with_their_summaries():
    values = [2.0, math.nan, -0.0, math.inf, 1.5]
    take_in(make_batch(1, 1, events=start_event()))

    take_in(make_batch(2, 6, points=make_points({"loss": values, "acc": [1.0]})))

    columns = MetricPoint.objects.filter(metric__name="loss").arrays().popitem()[1]
    assert columns.values.tobytes() == np.array(values).tobytes()
    assert columns.steps.tolist() == [0, 1, 2, 3, 4]
    assert summary("loss") == {
        "count": 5, "finite_count": 3, "min": -0.0, "max": 2.0, "sum": 3.5, "last": 1.5,
        "last_step": 4,
    }  # fmt: skip
    assert summary("acc")["count"] == 1


def test_repeated_batch_changes_nothing():
    take_in(make_batch(1, 1, events=start_event()))
    batch = make_batch(2, 4, points=make_points({"loss": [1, 2, 3]}))

    acks = [take_in(batch).acked_seq for _ in range(3)]

    assert acks == [4, 4, 4]
    assert stored("loss") == [(0, 1.0), (1, 2.0), (2, 3.0)]


def test_overlapping_batch_is_cut_at_the_watermark():
    take_in(make_batch(1, 1, events=start_event()))
    take_in(make_batch(2, 3, points=make_points({"loss": [1, 2]})))

    take_in(
        make_batch(
            2,
            5,
            points=make_points({"loss": [1, 2, 3, 4], "gone": [9]}),
            events=(Event(3, "config", {"a": 1}), Event(5, "config", {"b": 2})),
        )
    )

    assert stored("loss") == [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]
    assert not Metric.objects.filter(name="gone").exists()
    assert Run.objects.get().config == {"b": 2}


def test_batch_beyond_the_watermark_is_refused_with_the_place_to_go_on():
    take_in(make_batch(1, 1, events=start_event()))

    with pytest.raises(OutOfSequence) as refusal:
        take_in(make_batch(3, 3, points=make_points({"loss": [1]})))

    assert refusal.value.expected_seq == 2
    assert not Metric.objects.exists()


def test_unknown_producer_must_begin_at_one_with_a_start():
    with pytest.raises(OutOfSequence) as refusal:
        take_in(make_batch(7, 7))
    with pytest.raises(InvalidInput, match="must be a start"):
        take_in(make_batch(1, 1, points=make_points({"loss": [1]})))

    assert refusal.value.expected_seq == 1
    assert not Project.objects.exists()


def test_taken_name_is_renamed_or_refused():
    make_run("run-1")

    with pytest.raises(AlreadyExists, match="Run already exists"):
        take_in(make_batch(1, 1, events=start_event(), refuse_if_taken=True))
    ack = take_in(make_batch(1, 1, events=start_event()))

    assert ack.run is not None
    assert (ack.run.key, ack.created) == ("run-1-2", True)


def test_free_names_repeat_and_the_server_makes_the_keys():
    names = {"project_name": "My Project", "name": "ResNet Training", "source": "ai_manager"}
    for n in (1, 2):
        ids = {"producer": UUID(int=n), "run_uid": UUID(int=n)}
        take_in(make_batch(1, 1, events=start_event(**names), **ids, refuse_if_taken=True))

    assert list(Project.objects.values_list("key", "name")) == [("my-project", "My Project")]
    assert list(Run.objects.order_by("pk").values_list("key", "name", "source")) == [
        ("resnet-training", "ResNet Training", "ai_manager"),
        ("resnet-training-2", "ResNet Training", "ai_manager"),
    ]


@pytest.mark.parametrize("field", ["name", "project_name"])
@pytest.mark.parametrize("name", ["", " ", "a\nb", 7, "x" * 251])
def test_bad_free_name_is_refused(field: str, name: object):
    with pytest.raises(InvalidInput, match=field):
        take_in(make_batch(1, 1, events=start_event(**{field: name})))

    assert not Run.objects.exists()


def test_metadata_of_an_artifact_is_kept_with_the_file():
    run = make_run()
    keep_file(run, "model.pt", b"weights")
    event = Event(2, "artifact", {"name": "model.pt", "metadata": {"epoch": 3}})
    take_in(make_batch(1, 2, run_uid=run.uid, events=(*start_event(), event)))

    assert run.artifacts.get().metadata == {"epoch": 3}


def test_artifact_that_came_with_its_words_keeps_them():
    run = make_run()
    keep_file(run, "model.pt", b"x", metadata={"epoch": 4})
    event = Event(2, "artifact", {"name": "model.pt", "uid": "7", "metadata": {"epoch": 3}})

    take_in(make_batch(1, 2, events=(*start_event(), event), run_uid=run.uid))

    assert run.artifacts.get().metadata == {"epoch": 4}


def test_resume_joins_the_run_of_that_name_and_keeps_what_is_not_given():
    run = make_run("run-1", config={"a": 1}, tags=["kept"], notes="kept")
    Run.objects.update(status="failed", exit_code=1)

    ack = take_in(make_batch(1, 1, events=start_event(resume=True, config={"b": 2})))

    run.refresh_from_db()
    assert (ack.run, ack.created) == (run, False)
    assert (run.status, run.exit_code, run.ended_at) == ("running", None, None)
    assert (run.config, run.tags, run.notes) == ({"a": 1, "b": 2}, ["kept"], "kept")


def test_second_producer_joins_by_uid():
    take_in(make_batch(1, 1, events=start_event()))

    ack = take_in(make_batch(1, 1, producer=UUID(int=3), events=start_event()))

    assert (ack.run, ack.created) == (Run.objects.get(), False)
    assert Producer.objects.count() == 2


def test_producer_of_a_deleted_run_is_told_so():
    take_in(make_batch(1, 1, events=start_event()))
    Run.objects.get().delete()

    with pytest.raises(RunDeleted):
        take_in(make_batch(2, 2, points=make_points({"loss": [1]})))

    assert not Run.objects.exists()


def test_events_do_what_they_say_in_order():
    take_in(make_batch(1, 1, events=start_event()))

    take_in(
        make_batch(
            2,
            9,
            events=(
                Event(2, "config", {"lr": 0.1}),
                Event(3, "summary", {"best": math.inf}),
                Event(4, "tags", {"tags": ["x"]}),
                Event(5, "notes", {"notes": "hello"}),
                Event(6, "log", {"level": "warning", "message": "careful"}),
                Event(7, "artifact", {"name": "model.pt"}),
                Event(8, "gap", {"first_seq": 3, "last_seq": 5, "reason": "disk full"}),
                Event(9, "finish", {"status": "failed", "exit_code": 3, "reason": "boom"}),
            ),
        )
    )

    run = Run.objects.get()
    assert (run.config, run.summary) == ({"lr": 0.1}, {"best": "Infinity"})
    assert (run.tags, run.notes) == (["x"], "hello")
    assert (run.status, run.exit_code) == ("failed", 3)
    assert run.metadata == {"finish_reason": "boom"}
    assert run.ended_at is not None
    assert LogLine.objects.values_list("seq", "level", "message").get() == (0, "warning", "careful")
    assert Producer.objects.get().gaps == [{"first_seq": 3, "last_seq": 5, "reason": "disk full"}]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("nonsense", {}),
        ("finish", {"status": "running"}),
        ("finish", {"status": "completed", "exit_code": "0"}),
        ("finish", {"status": "completed", "time": 2**62}),
        ("tags", {"tags": "one"}),
        ("tags", {}),
        ("notes", {"notes": 1}),
        ("config", {"a": "nul\0"}),
        ("config", {"a": b"bytes"}),
        ("log", {"level": "info"}),
        ("finish", {"status": ["completed"]}),
    ],
)
def test_bad_event_is_refused(kind, payload):
    take_in(make_batch(1, 1, events=start_event()))

    with pytest.raises(InvalidInput):
        take_in(make_batch(2, 2, events=(Event(2, kind, payload),)))


def test_last_is_the_value_at_the_greatest_step_and_of_equal_steps_the_newest():
    run = make_run()

    log_points(run, {"a": [1, 2, 3]}, steps=[5, 9, 9])
    log_points(run, {"a": [4]}, steps=[7])
    assert (summary("a")["last"], summary("a")["last_step"]) == (3.0, 9)

    log_points(run, {"a": [5]}, steps=[9])
    assert (summary("a")["last"], summary("a")["last_step"]) == (5.0, 9)

    log_points(run, {"a": [math.nan]}, steps=[10])
    assert (summary("a")["last"], summary("a")["last_step"]) == (None, 10)


def test_series_without_finite_values_has_no_extremes():
    log_points(make_run(), {"a": [math.nan, math.inf]})

    assert summary("a") == {
        "count": 2, "finite_count": 0, "min": None, "max": None, "sum": 0.0, "last": math.inf,
        "last_step": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "batches", [[[1.7e308] * 2, [-1.7e308] * 2], [[1.7e308] * 300 + [-1.7e308] * 300]]
)
def test_sum_beyond_float64_both_ways_is_infinite_too(batches):
    run = make_run()
    for values in batches:
        log_points(run, {"a": values})

    assert summary("a")["sum"] == math.inf
    assert summary("a")["finite_count"] == sum(map(len, batches))


def test_sum_beyond_float64_is_infinite():
    log_points(make_run(), {"a": [1.7e308, 1.7e308]})

    assert (summary("a")["sum"], summary("a")["max"]) == (math.inf, 1.7e308)


def test_steps_may_be_any_int64_in_any_order():
    steps = [2**63 - 1, -(2**63), 0]

    log_points(make_run(), {"a": [1, 2, 3]}, steps=steps)

    assert [step for step, _ in stored("a")] == steps
    assert MetricPoint.objects.values_list("step_min", "step_max").get() == (-(2**63), 2**63 - 1)


def test_ordinals_count_on_and_revisions_grow():
    run = make_run()
    log_points(run, {"a": [1, 2]})
    log_points(run, {"a": [3], "b": [1]})

    rows = MetricPoint.objects.order_by("id").values_list("metric__name", "ordinal", "count")
    assert list(rows) == [("a", 0, 2), ("a", 2, 1), ("b", 0, 1)]
    assert list(MetricPoint.objects.order_by("id").values_list("revision", flat=True)) == [2, 3, 3]
    run.refresh_from_db()
    assert (run.revision, run.unfolded, run.unfolded_points) == (3, 2, 4)


def test_too_many_metric_names_are_refused(settings):
    settings.MAX_METRICS_PER_RUN = 2
    run = make_run()
    log_points(run, {"a": [1]})

    with pytest.raises(LimitExceeded, match="at most 2 metric names"):
        log_points(run, {"b": [1], "c": [1]})

    assert list(Metric.objects.values_list("name", flat=True)) == ["a"]


def test_metric_deleted_behind_the_cache_is_noticed(django_capture_on_commit_callbacks):
    run = make_run()
    with django_capture_on_commit_callbacks(execute=True):
        log_points(run, {"a": [1]})
    Metric.objects.all().delete()

    with pytest.raises(StaleMetricIds):
        log_points(run, {"a": [2]})


def test_sign_of_life_moves_only_last_seen():
    take_in(make_batch(1, 1, events=start_event()))
    before = Run.objects.get()

    ack = take_in(make_batch(2, 1))

    after = Run.objects.get()
    assert ack.acked_seq == 1
    assert after.last_seen_at > before.last_seen_at
    assert after.revision == before.revision


def test_repeat_is_no_sign_of_life():
    start = make_batch(1, 1, events=start_event(resume=True))
    rows = make_batch(2, 4, points=make_points({"loss": [1, 2, 3]}))
    take_in(start)
    take_in(rows)
    before = Run.objects.get().last_seen_at

    acks = [take_in(batch).acked_seq for batch in (start, rows)]

    assert acks == [4, 4]
    assert Run.objects.get().last_seen_at == before


def test_number_of_statements_does_not_grow_with_points_or_metrics(
    django_capture_on_commit_callbacks,
):
    run = make_run()
    few, many = {"m0": [1.0]}, {f"m{n}": [1.0] * 20 for n in range(50)}
    with django_capture_on_commit_callbacks(execute=True):
        log_points(run, many)

    counts = []
    for series in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            log_points(run, series)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_what_the_producer_has_logged_is_known_beside_what_has_arrived():
    take_in(make_batch(1, 1, events=start_event(), logged_seq=7))
    assert Producer.objects.values_list("last_seq", "logged_seq").get() == (1, 7)

    take_in(make_batch(2, 1, logged_seq=9))
    assert Producer.objects.values_list("last_seq", "logged_seq").get() == (1, 9)

    take_in(make_batch(2, 3))
    assert Producer.objects.values_list("last_seq", "logged_seq").get() == (3, 3)


def test_project_tags_are_added_once():
    for number, tags in enumerate([["a"], ["b", "a"]]):
        take_in(
            make_batch(1, 1, producer=UUID(int=10 + number), events=start_event(project_tags=tags))
        )

    assert open_project("proj", user=local_user()).tags == ["a", "b"]
