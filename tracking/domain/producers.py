"""Producers and their watermarks. SQL, where a statement is on the path of every batch."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from tracking.models import Producer, Run

PRODUCER = Producer._meta.db_table  # noqa: SLF001 -- Django's documented Model _meta API
UUID_FIELD = Producer._meta.get_field("uuid")  # noqa: SLF001 -- as above
RUN = Run._meta.db_table  # noqa: SLF001 -- as above
CLAIM = f"""
    SELECT run.id, producer.last_seq FROM {PRODUCER} producer
    LEFT JOIN {RUN} run ON run.id = producer.run_id AND run.deleted_at IS NULL
    WHERE producer.uuid = %s
"""  # noqa: S608 -- tables of our own models
MOVE = f"UPDATE {PRODUCER} SET last_seq = %s, logged_seq = %s WHERE uuid = %s AND run_id = %s"  # noqa: S608 -- as above


RUNS_REMEMBERED = 10_000
_runs: OrderedDict[UUID, int] = OrderedDict()


def recall_run(producer: UUID | None) -> int | None:
    """The run this producer writes to, if this process has seen it do so. It never changes."""
    return _runs.get(producer) if producer else None


def forget_producers() -> None:
    _runs.clear()


def _remember(producer: UUID, run_id: int) -> None:
    _runs[producer] = run_id
    while len(_runs) > RUNS_REMEMBERED:
        _runs.popitem(last=False)


def claim_producer(producer: UUID) -> tuple[int | None, int] | None:
    """The run's id (None: it was deleted) and the watermark, locked until the transaction ends.

    None for a producer that was never heard of. SQLite's transactions have the one write lock.
    """
    lock = " FOR UPDATE OF producer" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM + lock, [_db_value(producer)])
        row: tuple[int | None, int] | None = cursor.fetchone()
    if row and row[0] is not None:
        _remember(producer, row[0])
    return row


def move_watermark(producer: UUID, run_id: int, last_seq: int, *, logged_seq: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [last_seq, logged_seq, _db_value(producer), run_id])


def _db_value(producer: UUID) -> Any:
    return UUID_FIELD.get_db_prep_value(producer, connection)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many records of a run have arrived, of how many its processes said they have logged.

    `gaps` are what had to be dropped, in the words of docs/ingest.md.
    """

    received_count: int
    logged_count: int
    gaps: list[dict[str, Any]]

    @property
    def lost_count(self) -> int:
        counts = (gap.get("count", 1) for gap in self.gaps)
        return sum(count for count in counts if isinstance(count, int))


def find_delivery(run: Run) -> Delivery | None:
    """None for a run that was logged over plain HTTP: there are no records to count."""
    producers = list(run.producers.values_list("last_seq", "logged_seq", "gaps"))
    if not producers:
        return None
    return Delivery(
        received_count=sum(last_seq for last_seq, _, _ in producers),
        logged_count=sum(max(last_seq, logged_seq) for last_seq, logged_seq, _ in producers),
        gaps=[gap for _, _, gaps in producers for gap in gaps],
    )
