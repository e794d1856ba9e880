"""Points on their way into the database, and into the summaries that tables sort by."""

from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tracking.domain.at_once import Claim, can_store_at_once, store_at_once
from tracking.domain.batch import Points
from tracking.domain.metrics import METRIC, StaleMetricIds, find_metric_ids
from tracking.domain.runs import revise_run, tell_revision
from tracking.domain.summaries import Summary, summarize_columns, summarize_metrics
from tracking.errors import RunDeleted
from tracking.models import MetricPoint
from tracking.points import encode_stretches

POINT = MetricPoint._meta.db_table  # noqa: SLF001 -- Django's documented Model _meta API
# The ordinal comes from the metric's row, so that no process needs to remember it.
INSERT_POINTS = f"""
    INSERT INTO {POINT} (run_id, metric_id, revision, ordinal, count, step_min, step_max, data)
    SELECT run_id, id, %s, count, %s, %s, %s, %s FROM {METRIC} WHERE id = %s AND run_id = %s
"""  # noqa: S608 -- table names of our own models
# CASE instead of min(a, b): SQLite and PostgreSQL name that function differently. COALESCE: two
# opposite infinities add up to NaN, which SQLite takes for NULL; a sum that is infinite stays so.
UPDATE_SUMMARY = f"""
    UPDATE {METRIC} SET count = count + %s, finite_count = finite_count + %s,
        sum = COALESCE(sum + %s, sum),
        min = CASE WHEN min IS NULL OR %s < min THEN %s ELSE min END,
        max = CASE WHEN max IS NULL OR %s > max THEN %s ELSE max END,
        last = CASE WHEN last_step IS NULL OR %s >= last_step THEN %s ELSE last END,
        last_step = CASE WHEN last_step IS NULL OR %s >= last_step THEN %s ELSE last_step END
    WHERE id = %s AND run_id = %s
"""  # noqa: S608 -- table names of our own models


def append_points(run_id: int, points: Points) -> None:
    """Add points to the run's series and to their summaries. Raises: LimitExceeded, RunDeleted."""
    if can_store_at_once():
        append_at_once(run_id, points)
        return
    revision = revise_run(run_id, points=len(points))
    metric_ids = find_metric_ids(run_id, points.names)
    stretches, summaries = [], []
    news = summarize_metrics(points)
    lows, blobs = _describe(points)
    for metric_id, new, low, data in zip(metric_ids, news, lows.tolist(), blobs, strict=True):
        where = (metric_id, run_id)
        stretches.append((revision, new.count, low, new.last_step, data, *where))
        summaries.append((*_summary_parameters(new), *where))
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_POINTS, stretches)
        _check_stored(cursor.rowcount, metric_ids)
        cursor.executemany(UPDATE_SUMMARY, summaries)


def append_at_once(run_id: int, points: Points, *, claim: Claim | None = None) -> bool:
    """As `append_points`, on PostgreSQL; False, if the claim does not hold: nothing is written then.

    Raises: LimitExceeded, RunDeleted.
    """
    metric_ids = find_metric_ids(run_id, points.names)
    step_min, data = _describe(points)
    columns = summarize_columns(points)
    stored = store_at_once(run_id, metric_ids, columns, step_min, data, claim=claim)
    if not stored.is_claimed:
        return False
    if stored.revision is None:  # the watermark has moved, and may not stay there
        raise RunDeleted("The run was deleted.")
    _check_stored(stored.metric_count, metric_ids)
    tell_revision(run_id, stored.revision, has_points=True)
    return True


def _describe(points: Points) -> tuple[NDArray[np.int64], list[bytes]]:
    """Of each metric: the least step, the stretch."""
    ends = np.cumsum(points.counts)
    starts = ends - points.counts
    data = encode_stretches(points.columns, zip(starts.tolist(), ends.tolist(), strict=True))
    return np.minimum.reduceat(points.columns.steps, starts), data


def _check_stored(count: int, metric_ids: list[int]) -> None:
    """Raises: StaleMetricIds, if a metric was deleted behind the memory: roll back, look again."""
    if count != len(metric_ids):
        raise StaleMetricIds


def _summary_parameters(new: Summary) -> tuple[Any, ...]:
    extremes = (new.min, new.min, new.max, new.max)
    last = (new.last_step, new.last, new.last_step, new.last_step)
    return (new.count, new.finite_count, new.sum, *extremes, *last)
