"""Taking records in: the one function that every point ends in, whatever door it came by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection

from tracking.domain import audit
from tracking.domain.access import Caller, require_write_run
from tracking.domain.batch import Batch, Points
from tracking.domain.metrics import StaleMetricIds, find_metric_ids
from tracking.domain.producers import claim_producer, move_watermark
from tracking.domain.records import apply_events, parse_start
from tracking.domain.runs import next_step, note_sign_of_life, open_run, revise_run
from tracking.domain.summaries import Summary, summarize_metrics
from tracking.domain.values import check_step, clean_name, clean_tags
from tracking.errors import InvalidInput, OutOfSequence, RunDeleted
from tracking.models import Metric, MetricPoint, Producer, Run
from tracking.points import encode_stretches

METRIC = Metric._meta.db_table  # noqa: SLF001 -- Django's documented Model _meta API
POINT = MetricPoint._meta.db_table  # noqa: SLF001 -- as above
# The ordinal comes from the metric's row, so that no process needs to remember it.
INSERT_POINTS = f"""
    INSERT INTO {POINT} (run_id, metric_id, revision, ordinal, count, step_min, step_max, data)
    SELECT %s, id, %s, count, %s, %s, %s, %s FROM {METRIC} WHERE id = %s
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
    WHERE id = %s
"""  # noqa: S608 -- table names of our own models


@dataclass(frozen=True, slots=True)
class Ack:
    """`acked_seq`: the producer's watermark. `run` is there when the batch had a `start` in it."""

    acked_seq: int
    run: Run | None = None
    created: bool = False


@dataclass(frozen=True, slots=True)
class _Claim:
    """A producer, locked until the transaction ends."""

    run_id: int
    last_seq: int
    run: Run | None = None
    created: bool = False


def record_batch(batch: Batch, *, user: Caller) -> Ack:
    """Store a batch: points, summaries, events and the producer's watermark, all or nothing.

    Records at or below the watermark are skipped, so repeating a batch changes nothing. Watchers
    hear of it after the commit. Call it inside a transaction, best through `writer.submit`.
    Raises: OutOfSequence, RunDeleted, AlreadyExists, NotPermitted, InvalidInput, LimitExceeded.
    Source: docs/ingest.md.
    """
    claim = _claim(batch, user)
    if batch.first_seq > claim.last_seq + 1:
        raise OutOfSequence(claim.last_seq + 1)
    news = batch.after(claim.last_seq)
    if len(news.points):
        _record_points(claim.run_id, news.points)
    if news.events:
        apply_events(news.events, run_id=claim.run_id, producer=batch.producer)
    if not len(news.points) and not news.events:
        note_sign_of_life(claim.run_id)
    acked_seq = max(claim.last_seq, batch.last_seq)
    if batch.producer:
        move_watermark(batch.producer, acked_seq, logged_seq=max(acked_seq, batch.logged_seq))
    return Ack(acked_seq, claim.run, claim.created)


def record_row(
    run: Run, values: Mapping[str, float], *, step: int | None, time_us: int, user: Caller
) -> Ack:
    """Store a logged row; without a `step` it takes the run's next one. Else as `record_batch`."""
    step = check_step(next_step(run) if step is None else step)
    points = Points.of_row(step, values, time_us)
    return record_batch(Batch(run_id=run.pk, points=points), user=user)


def _claim(batch: Batch, user: Caller) -> _Claim:
    if batch.run_id is not None:
        return _Claim(batch.run_id, 0)
    if batch.producer is None:
        raise InvalidInput("A batch needs a producer.", field="producer")
    claimed = claim_producer(batch.producer)
    if claimed is None:
        return _claim_new(batch, batch.producer, user)
    run_id, last_seq = claimed
    if run_id is None:
        raise RunDeleted("The run was deleted.")
    require_write_run(user, run_id)
    starts = any(event.kind == "start" for event in batch.events)
    return _Claim(run_id, last_seq, Run.objects.get(pk=run_id) if starts else None)


def _claim_new(batch: Batch, producer: UUID, user: Caller) -> _Claim:
    """The first batch of a producer starts its run or joins it."""
    if batch.first_seq > 1:
        raise OutOfSequence(1)
    if not batch.events or batch.events[0].kind != "start":
        raise InvalidInput("The first record of a producer must be a start.", field="events")
    payload = batch.events[0].payload
    start = parse_start(payload, uid=batch.run_uid, key=batch.run_key)
    if batch.refuse_if_taken and not start.name:
        start = replace(start, rename_if_taken=False)
    tags = clean_tags(payload.get("project_tags") or [], "project_tags")
    name = payload.get("project_name")
    with audit.acting(lambda: user):  # a new project is worth an entry in the log
        run, created = open_run(
            batch.project,
            start,
            project_tags=tags,
            user=user,
            project_name="" if name is None else clean_name(name, "project_name"),
        )
    Producer.objects.create(uuid=producer, run=run)
    return _Claim(run.pk, 0, run, created)


def _record_points(run_id: int, points: Points) -> None:
    revision = revise_run(run_id, points=len(points))
    metric_ids = find_metric_ids(run_id, points.names)
    ends = np.cumsum(points.counts)
    starts = ends - points.counts
    data = encode_stretches(points.columns, zip(starts.tolist(), ends.tolist(), strict=True))
    step_min = np.minimum.reduceat(points.columns.steps, starts).tolist()
    described = zip(metric_ids, summarize_metrics(points), strict=True)
    stretches, summaries = [], []
    for (metric_id, new), low, stretch in zip(described, step_min, data, strict=True):
        stretches.append((run_id, revision, new.count, low, new.last_step, stretch, metric_id))
        summaries.append(_summary_parameters(metric_id, new))
    with connection.cursor() as cursor:
        cursor.executemany(INSERT_POINTS, stretches)
        if cursor.rowcount != len(metric_ids):
            raise StaleMetricIds  # a metric was deleted behind the cache: roll back, look again
        cursor.executemany(UPDATE_SUMMARY, summaries)


def _summary_parameters(metric_id: int, new: Summary) -> tuple[Any, ...]:
    extremes = (new.min, new.min, new.max, new.max)
    last = (new.last_step, new.last, new.last_step, new.last_step)
    return (new.count, new.finite_count, new.sum, *extremes, *last, metric_id)
