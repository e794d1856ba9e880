import math

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import log_points, make_run
from tracking.domain.axes import Axis
from tracking.domain.fields import find_field
from tracking.domain.groups import Group, find_group_field, read_groups
from tracking.domain.series import Window
from tracking.errors import InvalidInput, LimitExceeded

pytestmark = pytest.mark.django_db
LR = find_field("config.lr")


def plain(group: Group) -> dict:
    columns = {name: getattr(group, name).tolist() for name in ("places", "mean", "low", "high", "counts")}  # fmt: skip
    return {"metric": group.metric, "label": group.label, "size": group.size} | columns


def test_runs_are_averaged_by_their_value():
    runs = [
        make_run(key, config={"lr": lr}) for key, lr in (("a", 0.01), ("b", 0.01), ("c", 0.001))
    ]
    log_points(runs[0], {"loss": [1, 2, 3]})
    log_points(runs[1], {"loss": [3, 6]})
    log_points(runs[2], {"loss": [9], "acc": [0.5]})

    groups = read_groups(runs, Window(), LR)

    one = {"places": [0], "counts": [1], "size": 1, "label": "0.001"}
    assert list(map(plain, groups)) == [
        one | {"metric": "acc", "mean": [0.5], "low": [0.5], "high": [0.5]},
        one | {"metric": "loss", "mean": [9], "low": [9], "high": [9]},
        {
            "metric": "loss", "label": "0.01", "size": 2, "places": [0, 1, 2],
            "mean": [2, 4, 3], "low": [1, 2, 3], "high": [3, 6, 3], "counts": [2, 2, 1],
        },
    ]  # fmt: skip


def test_run_counts_once_in_a_bin_however_often_it_logged():
    runs = [make_run(key) for key in ("often", "seldom")]
    log_points(runs[0], {"loss": [0.0, 2.0] * 50})
    log_points(runs[1], {"loss": [5.0]}, first_step=0)

    group = read_groups(runs, Window(max_points=10), LR)[0]

    assert plain(group) == {
        "metric": "loss", "label": "–", "size": 2,
        "places": [4, 14, 24, 34, 44, 54, 64, 74, 84, 94],
        "mean": [3] + [1] * 9, "low": [1] * 10, "high": [5] + [1] * 9, "counts": [2] + [1] * 9,
    }  # fmt: skip


def test_nan_and_infinities_count_nowhere_and_bins_without_a_value_are_left_out():
    runs = [make_run(key) for key in ("a", "b")]
    log_points(runs[0], {"loss": [1.0, math.nan, math.inf]})
    log_points(runs[1], {"loss": [3.0, 4.0, math.nan]})

    group = read_groups(runs, Window(), LR)[0]

    assert (group.places.tolist(), group.mean.tolist()) == ([0, 1], [2, 4])
    assert group.counts.tolist() == [2, 1]


def test_metric_without_a_finite_value_has_no_group():
    run = make_run()
    log_points(run, {"loss": [math.nan]})

    assert read_groups([run], Window(), LR) == []


def test_run_with_several_tags_is_in_several_groups():
    runs = [make_run("a", tags=("x", "y")), make_run("b", tags=("y",)), make_run("c")]
    for value, run in enumerate(runs):
        log_points(run, {"loss": [value]})

    groups = read_groups(runs, Window(), find_field("tags"))

    assert [(one.label, one.mean.tolist(), one.size) for one in groups] == [
        ("x", [0], 1), ("y", [0.5], 2), ("–", [2], 1),
    ]  # fmt: skip


def test_smoothed_mean_is_the_mean_of_the_smoothed_runs_in_any_zoom():
    runs = [make_run(key) for key in ("a", "b")]
    log_points(runs[0], {"loss": [4.0, 0.0]})
    log_points(runs[1], {"loss": [8.0, 4.0]})

    whole = read_groups(runs, Window(smooth=0.5), LR)[0]
    zoomed = read_groups(runs, Window(smooth=0.5, x_min=1), LR)[0]

    assert whole.smoothed is not None
    assert zoomed.smoothed is not None
    assert whole.smoothed.tolist() == pytest.approx([6, (1 / 0.75 + 4 / 0.75) / 2])
    assert zoomed.smoothed.tolist() == whole.smoothed[1:].tolist()


def test_groups_stand_on_the_axis_that_was_asked_for():
    runs = [make_run(key) for key in ("a", "b")]
    for run in runs:
        log_points(run, {"loss": [1.0, 2.0, 3.0, 4.0], "epoch": [0.0, 1.0, 2.0, 4.0]})

    window = Window(axis=Axis("metric", "epoch"), x_max=3)
    group = read_groups(runs, window, LR, names=["loss"])[0]

    assert group.places.tolist() == [0.0, 1.0, 2.0]
    assert (group.metric, group.mean.tolist()) == ("loss", [1, 2, 3])


def test_metric_that_no_run_has_is_an_axis_without_groups():
    run = make_run()
    log_points(run, {"loss": [1.0]})

    assert read_groups([run], Window(axis=Axis("metric", "epoch")), LR) == []


def test_too_many_groups_are_refused():
    runs = [make_run(f"r{number}", config={"lr": number}) for number in range(51)]

    with pytest.raises(
        LimitExceeded, match=r"these runs have 51 values of 'config\.lr'; at most 50"
    ):
        read_groups(runs, Window(), LR)
    assert read_groups(runs[:50], Window(), LR) == []


@pytest.mark.parametrize("name", ["loss", "loss.min", "config", ""])
def test_what_is_not_of_runs_is_no_field_to_group_by(name):
    with pytest.raises(InvalidInput):
        find_group_field(name)


def test_values_at_the_end_of_float64_do_no_harm():
    runs = [make_run(key) for key in ("a", "b", "c")]
    for run, value in zip(runs, (1.7e308, 1.7e308, -1.7e308), strict=True):
        log_points(run, {"loss": [value, 1.0]})

    group = read_groups(runs, Window(), LR)[0]

    assert (group.low.tolist(), group.high.tolist()) == ([-1.7e308, 1], [1.7e308, 1])
    assert group.counts.tolist() == [3, 3]


def test_number_of_queries_does_not_grow_with_runs():
    counts = []
    for number in (1, 3):
        runs = [make_run(f"r{number}-{i}") for i in range(number)]
        for run in runs:
            log_points(run, {f"m{n}": [1] for n in range(number)})
        with CaptureQueriesContext(connection) as queries:
            read_groups(runs, Window(), LR)
        counts.append(len(queries))

    assert counts == [3, 3]


def test_more_points_than_memory_has_room_for_are_refused(monkeypatch):
    monkeypatch.setattr("tracking.domain.groups.MAX_POINTS", 3)
    runs = [make_run("a"), make_run("b")]
    for run in runs:
        log_points(run, {"loss": [1.0, 2.0]})

    assert [group.size for group in read_groups(runs[:1], Window(), LR)] == [1]
    with pytest.raises(LimitExceeded, match="more than 3 points"):
        read_groups(runs, Window(), LR)
