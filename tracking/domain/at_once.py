"""PostgreSQL: a batch in one statement, which saves it four journeys to the database.

Its locks are taken in the order that all writing follows: producer, run, metrics.
"""

from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tracking.binary import binary_cursor
from tracking.domain.metrics import METRIC
from tracking.domain.producers import PRODUCER
from tracking.domain.runs import sign_of_life
from tracking.domain.summaries import Summary
from tracking.models import MetricPoint, Run

RUN = Run._meta.db_table  # noqa: SLF001 -- Django's documented Model _meta API
POINT = MetricPoint._meta.db_table  # noqa: SLF001 -- as above
LARGEST = "1.7976931348623157e308"  # PostgreSQL refuses a sum beyond it, which is infinite to us
TAKE = "SELECT %(run_id)s::bigint AS run_id"
CLAIM = f"""
    UPDATE {PRODUCER} SET last_seq = %(last_seq)s, logged_seq = %(logged_seq)s
    WHERE uuid = %(uuid)s AND run_id = %(run_id)s AND last_seq = %(known_seq)s RETURNING run_id
"""  # noqa: S608 -- tables of our own models, here and below
# Arrays of NumPy's hold no NULL: what has no value is told by the numbers beside it.
NEW = """
    SELECT id, count, finite_count, sum, last_step, step_min, data,
        CASE WHEN finite_count > 0 THEN min END AS min,
        CASE WHEN finite_count > 0 THEN max END AS max,
        NULLIF(last, 'NaN') AS last
    FROM unnest(
        %(ids)b::bigint[], %(count)b::bigint[], %(finite_count)b::bigint[],
        %(sum)b::float8[], %(min)b::float8[], %(max)b::float8[], %(last)b::float8[],
        %(last_step)b::bigint[], %(step_min)b::bigint[], %(data)b::bytea[]
    ) AS new(id, count, finite_count, sum, min, max, last, last_step, step_min, data)
"""
STORE = f"""
    WITH claimed AS ({{claim}}), revised AS (
        UPDATE {RUN} run SET revision = revision + 1, last_seen_at = COALESCE(%(seen_at)s, last_seen_at),
            unfolded = unfolded + 1, unfolded_points = unfolded_points + %(points)s
        FROM claimed WHERE run.id = claimed.run_id AND run.deleted_at IS NULL
        RETURNING run.id, run.revision
    ), summed AS (
        UPDATE {METRIC} metric SET
            count = metric.count + new.count,
            finite_count = metric.finite_count + new.finite_count,
            sum = CASE
                WHEN metric.sum IN ('Infinity', '-Infinity') THEN metric.sum
                WHEN metric.sum > 0 AND new.sum > {LARGEST} - metric.sum THEN 'Infinity'
                WHEN metric.sum < 0 AND new.sum < -{LARGEST} - metric.sum THEN '-Infinity'
                ELSE metric.sum + new.sum END,
            min = LEAST(metric.min, new.min),
            max = GREATEST(metric.max, new.max),
            last = CASE WHEN metric.last_step > new.last_step THEN metric.last ELSE new.last END,
            last_step = GREATEST(metric.last_step, new.last_step)
        FROM revised, ({NEW}) AS new
        WHERE metric.id = new.id AND metric.run_id = revised.id AND metric.run_id = %(run_id)s
        RETURNING metric.run_id, metric.id, revised.revision, metric.count - new.count AS ordinal,
            new.count, new.step_min, new.last_step, new.data
    ), added AS (
        INSERT INTO {POINT}
            (run_id, metric_id, revision, ordinal, count, step_min, step_max, data)
        SELECT * FROM summed RETURNING 1
    )
    SELECT (SELECT revision FROM revised), (SELECT count(*) FROM added),
        EXISTS (SELECT FROM claimed)
"""  # noqa: S608
STORE_POINTS, STORE_BATCH = STORE.format(claim=TAKE), STORE.format(claim=CLAIM)


class Claim(NamedTuple):
    """The records of a producer that come next, if `known_seq` is the last one it has committed."""

    uuid: UUID
    known_seq: int
    last_seq: int
    logged_seq: int


class Stored(NamedTuple):
    revision: int | None  # None: the run is gone, or the claim did not hold
    metric_count: int
    is_claimed: bool


def can_store_at_once() -> bool:
    return connection.vendor == "postgresql"


def store_at_once(
    run_id: int,
    metric_ids: list[int],
    summaries: list[NDArray[Any]],
    step_min: NDArray[np.int64],
    data: list[bytes],
    *,
    claim: Claim | None = None,
) -> Stored:
    """Add a stretch to each of these metrics. `summaries`: see summarize_columns."""
    columns: dict[str, Any] = dict(zip(Summary._fields, summaries, strict=True))
    parameters = columns | {
        "run_id": run_id,
        "ids": np.array(metric_ids),
        "step_min": step_min,
        "data": data,
        "seen_at": sign_of_life(),
        "points": int(columns["count"].sum()),
    }
    from tracking.domain.number_arrays import NumberArrayDumper  # noqa: PLC0415 -- needs psycopg

    statement = STORE_POINTS
    if claim is not None:
        statement, parameters = STORE_BATCH, parameters | claim._asdict()
    with binary_cursor(statement) as cursor:
        cursor.adapters.register_dumper(np.ndarray, NumberArrayDumper)
        cursor.execute(statement, parameters, prepare=True)
        row: Any = cursor.fetchone()
        return Stored._make(row)
