import math
import sqlite3
from datetime import UTC, datetime

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.engines import sqlite_only
from tests.factories import NOON_US, log_points, make_run
from tracking.domain.axes import Axis
from tracking.domain.packing import fold_run
from tracking.domain.series import Window, read_news, read_series
from tracking.errors import LimitExceeded
from tracking.models import Metric

pytestmark = pytest.mark.django_db


def test_series_are_ordered_by_metric_and_run():
    runs = [make_run("b"), make_run("a")]
    for run in runs:
        log_points(run, {"loss": [1, 2], "acc": [3]})

    series = read_series(runs, Window())

    assert [(one.metric, one.run_key) for one in series] == [
        ("acc", "b"), ("acc", "a"), ("loss", "b"), ("loss", "a"),
    ]  # fmt: skip
    assert series[2].columns.values.tolist() == [1, 2]


def test_only_named_metrics_are_read():
    run = make_run()
    log_points(run, {"loss": [1], "acc": [2]})

    assert [one.metric for one in read_series([run], Window(), names=["acc", "nope"])] == ["acc"]


@pytest.mark.parametrize(("window", "fits"), [(Window(), False), (Window(x_max=1), True)])
def test_answers_have_an_end(settings, window, fits):
    settings.MAX_ANSWER_POINTS = 4
    run = make_run()
    log_points(run, {"loss": [1, 2, 3], "acc": [1, 2, 3]})

    if fits:
        assert [one.total for one in read_series([run], window)] == [2, 2]
    else:
        with pytest.raises(LimitExceeded, match="more than 4 points: ask for fewer runs"):
            read_series([run], window)


def test_window_of_steps_and_time_cuts_and_leaves_empty_series_out():
    run = make_run()
    log_points(run, {"loss": range(10), "rare": [1]})

    by_step = read_series([run], Window(x_min=3, x_max=5))
    by_time = read_series([run], Window(since_us=NOON_US + 8_000_000))

    assert [(one.metric, one.columns.steps.tolist()) for one in by_step] == [("loss", [3, 4, 5])]
    assert [(one.metric, one.columns.steps.tolist()) for one in by_time] == [("loss", [8, 9])]


def test_chart_draws_the_newest_of_equal_steps_and_raw_shows_all():
    run = make_run()
    log_points(run, {"loss": [1, 2, 3]}, steps=[0, 1, 0])

    chart, raw = read_series([run], Window())[0], read_series([run], Window(raw=True))[0]

    assert (chart.columns.steps.tolist(), chart.columns.values.tolist()) == ([0, 1], [3, 2])
    assert (raw.columns.steps.tolist(), raw.columns.values.tolist()) == ([0, 1, 0], [1, 2, 3])


def test_long_series_is_downsampled_and_says_how_long_it_was():
    run = make_run()
    values = np.zeros(5_000)
    values[4_321] = 7
    log_points(run, {"loss": values})

    series = read_series([run], Window(max_points=100))[0]

    assert series.total == 5_000
    assert len(series.columns) <= 100
    assert 4_321 in series.columns.steps


@pytest.mark.parametrize("window", [{}, {"x_min": 1_000, "x_max": 118_000}])
def test_very_long_series_keeps_its_extremes_part_by_part(window):
    run = make_run()
    values = np.sin(np.arange(120_000) / 900)
    values[[5, 44_444, 77_777]] = [99, 7, -7]
    values[[50_000, 60_000]] = [math.nan, math.inf]
    for start in range(0, 120_000, 8_000):
        log_points(run, {"loss": values[start : start + 8_000]}, first_step=start)

    series = read_series([run], Window(max_points=200, **window))[0]

    first, last = window.get("x_min", 0), window.get("x_max", 119_999)
    steps = series.columns.steps
    assert series.total == last - first + 1
    assert 90 <= len(steps) <= 200
    assert (steps[1:] > steps[:-1]).all()
    assert {first, 44_444, 50_000, 60_000, 77_777, last} <= set(steps.tolist())
    assert np.array_equal(series.columns.values, values[steps], equal_nan=True)
    assert series.columns.times_us.tolist() == (NOON_US + steps * 1_000_000).tolist()


def test_piece_of_a_very_long_series_is_as_fine_as_it_can_be():
    run = make_run()
    for start in range(0, 120_000, 40_000):
        log_points(run, {"loss": np.arange(40_000.0)}, first_step=start)

    zoomed = read_series([run], Window(x_min=39_950, x_max=80_049))[0]
    narrow = read_series([run], Window(x_min=39_500, x_max=40_499))[0]
    late = read_series([run], Window(since_us=NOON_US + 119_000_000_000))[0]

    assert [one.total for one in (zoomed, narrow, late)] == [40_100, 1_000, 1_000]
    assert [len(one.columns) for one in (narrow, late)] == [1_000, 1_000]
    assert 500 <= len(zoomed.columns) <= 1_000


def test_very_long_series_with_steps_logged_anew_shows_the_newest():
    run = make_run()
    log_points(run, {"loss": np.zeros(80_000)})
    log_points(run, {"loss": np.ones(80_000)}, first_step=40_000)

    series = read_series([run], Window(max_points=100))[0]

    is_new = series.columns.steps >= 40_000
    assert series.total == 120_000
    assert series.columns.values.tolist() == is_new.astype(float).tolist()


def test_smoothed_curve_is_the_same_in_a_zoom_and_when_thinned():
    run = make_run()
    for start in (0, 1_000):
        log_points(run, {"loss": np.arange(1_000.0) % 7}, first_step=start)

    whole = read_series([run], Window(max_points=2_000, smooth=0.9))[0]
    zoomed = read_series([run], Window(x_min=1_500, x_max=1_510, smooth=0.9))[0]
    late = read_series([run], Window(since_us=NOON_US + 1_990_000_000, smooth=0.9))[0]
    thinned = read_series([run], Window(max_points=100, smooth=0.9))[0]

    assert whole.smoothed is not None
    assert zoomed.smoothed is not None
    assert zoomed.columns.steps.tolist() == list(range(1_500, 1_511))
    assert zoomed.smoothed.tolist() == whole.smoothed[1_500:1_511].tolist()
    assert late.smoothed is not None
    assert late.smoothed.tolist() == whole.smoothed[1_990:].tolist()
    assert thinned.smoothed is not None
    assert thinned.smoothed.tolist() == whole.smoothed[thinned.columns.steps].tolist()


def test_series_without_smoothing_have_no_smoothed_column():
    run = make_run()
    log_points(run, {"loss": [1.0]})

    assert read_series([run], Window())[0].smoothed is None


@pytest.mark.parametrize("fold", [False, True])
def test_segments_are_the_same_in_any_stretches_and_any_zoom(fold):
    run = make_run()
    for step in (0, 100, 200, 150, 250, 350):  # 200 → 150 is the restart
        log_points(run, {"loss": [step]}, first_step=step)
    run.refresh_from_db()
    if fold:
        fold_run(run, upto=4)

    whole = read_series([run], Window(segments=True))[0]
    zoomed = read_series([run], Window(segments=True, x_min=180, x_max=260))[0]
    newest = read_series([run], Window(segments=True, x_min=210))[0]

    assert (whole.columns.steps.tolist(), whole.starts) == ([0, 100, 200, 150, 250, 350], (0, 3))
    assert (zoomed.columns.steps.tolist(), zoomed.starts) == ([200, 250], (0, 1))
    assert (newest.columns.steps.tolist(), newest.starts) == ([250, 350], (0,))
    assert (whole.total, zoomed.total) == (6, 2)


def test_segments_on_the_time_axis_are_drawn_over_time():
    run = make_run(started_at=datetime.fromtimestamp(NOON_US // 10**6, UTC))
    log_points(run, {"loss": [1, 2, 3, 4]}, steps=[0, 1, 0, 1])

    merged = read_series([run], Window(axis=Axis("relative")))[0]
    apart = read_series([run], Window(axis=Axis("relative"), segments=True, x_min=1))[0]

    assert merged.x is not None
    assert apart.x is not None
    assert (merged.x.tolist(), merged.columns.values.tolist()) == ([2, 3], [3, 4])
    assert (apart.x.tolist(), apart.starts) == ([1, 2, 3], (0, 1))


def test_metric_that_is_the_axis_is_not_among_the_answers():
    run = make_run()
    log_points(run, {"loss": [1, 2], "epoch": [0.1, 0.2]})
    axis = Axis("metric", "epoch")

    named = read_series([run], Window(axis=axis), names=["loss"])
    both = read_series([run], Window(axis=axis, x_min=0.15))

    assert [(one.metric, one.columns.values.tolist()) for one in named] == [("loss", [1, 2])]
    assert [(one.metric, one.columns.values.tolist()) for one in both] == [
        ("epoch", [0.2]), ("loss", [2]),
    ]  # fmt: skip


def test_reading_takes_two_queries_however_much_there_is():
    counts = []
    for number in (1, 3):
        runs = [make_run(f"r{number}-{i}") for i in range(number)]
        for run in runs:
            log_points(run, {f"m{n}": [1] for n in range(number)})
        with CaptureQueriesContext(connection) as queries:
            read_series(runs, Window())
        counts.append(len(queries))

    assert counts == [2, 2]


@sqlite_only
def test_reading_hands_the_database_no_list_of_metrics():
    """It may be longer than a statement can take: 250,000 in one build of SQLite, 999 in another."""
    run = make_run()
    log_points(run, {f"m{n}": [1.0] for n in range(20)})
    limit = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 10)

    try:
        series = read_series([run], Window())
    finally:
        connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, limit)

    assert len(series) == 20


def test_news_are_rows_as_they_were_logged():
    run = make_run()
    log_points(run, {"loss": [1, 2], "acc": [0.5, math.nan]})

    news = read_news(run.pk, 0)

    assert news is not None
    first, second = news.rows()
    assert (first.step, first.time_us, first.values) == (0, NOON_US, {"loss": 1.0, "acc": 0.5})
    assert (second.step, second.time_us) == (1, NOON_US + 10**6)
    assert math.isnan(second.values["acc"])
    assert news.revision == news.run.revision == 2


def test_news_after_a_revision_hold_only_what_came_since():
    run = make_run()
    log_points(run, {"loss": [1]})
    log_points(run, {"loss": [2]}, first_step=1)

    news, nothing = read_news(run.pk, 2), read_news(run.pk, 3)

    assert news is not None
    assert nothing is not None
    assert [row.values for row in news.rows()] == [{"loss": 2.0}]
    assert list(nothing.rows()) == []


def test_value_logged_twice_for_one_step_makes_two_rows():
    run = make_run()
    log_points(run, {"loss": [1]})
    log_points(run, {"loss": [1]})

    news = read_news(run.pk, 0)

    assert news is not None
    assert [row.values for row in news.rows()] == [{"loss": 1.0}, {"loss": 1.0}]


def test_news_of_many_commits_come_in_pieces(monkeypatch):
    monkeypatch.setattr("tracking.domain.series.NEWS_COMMITS", 2)
    run = make_run()
    for step in range(4):
        log_points(run, {"loss": [step]}, first_step=step)

    pieces, after = [], 0
    while after < 5:
        news = read_news(run.pk, after)
        assert news is not None
        pieces.append([row.step for row in news.rows()])
        after = news.revision

    assert pieces == [[0], [1, 2], [3]]


def test_news_of_large_commits_come_in_pieces(monkeypatch):
    monkeypatch.setattr("tracking.domain.series.NEWS_POINTS", 5)
    run = make_run()
    for step in (0, 4, 8):
        log_points(run, {"a": range(step, step + 2), "b": range(step, step + 2)}, first_step=step)

    pieces, after = [], 0
    while after < 4:
        news = read_news(run.pk, after)
        assert news is not None
        pieces.append([row.values for row in news.rows()])
        after = news.revision

    rows = [{"a": n, "b": n} for n in (0, 1, 4, 5, 8, 9)]
    assert pieces == [rows[:4], rows[4:]]


def test_news_since_a_time_leave_out_what_was_before():
    run = make_run()
    log_points(run, {"a": [1, 2, 3]})

    news = read_news(run.pk, 0, since_us=NOON_US + 1_000_000)

    assert news is not None
    assert [row.values for row in news.rows()] == [{"a": 2.0}, {"a": 3.0}]


def test_run_that_is_gone_has_no_news():
    run = make_run()
    run_id = run.pk
    run.delete()

    assert read_news(run_id, 0) is None
    assert not Metric.objects.exists()
