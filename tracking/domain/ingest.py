"""Taking records in: the one function that every point ends in, whatever door it came by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from tracking import telemetry
from tracking.domain import audit
from tracking.domain.access import Caller, require_write_run
from tracking.domain.appending import append_at_once, append_points
from tracking.domain.at_once import Claim, can_store_at_once
from tracking.domain.batch import Batch, Points
from tracking.domain.producers import claim_producer, move_watermark, recall_run
from tracking.domain.records import apply_events, parse_start
from tracking.domain.runs import (
    next_step,
    note_earlier_life,
    note_sign_of_life,
    of_the_past,
    open_run,
)
from tracking.domain.values import check_step, clean_name, clean_tags
from tracking.errors import InvalidInput, OutOfSequence, RunDeleted
from tracking.models import Producer, Run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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

    Records at or below the watermark are skipped, so repeating a batch changes nothing, and is no
    sign of life either. Watchers hear of it after the commit. Call it inside a transaction, best
    through `writer.submit`.
    Raises: OutOfSequence, RunDeleted, AlreadyExists, NotPermitted, InvalidInput, LimitExceeded.
    Source: docs/ingest.md.
    """
    if ack := _record_at_once(batch, user):
        _count(batch.points)
        return ack
    with of_the_past(batch.is_past):
        claim = _claim(batch, user)
        if batch.first_seq > claim.last_seq + 1:
            raise OutOfSequence(claim.last_seq + 1)
        news = batch.after(claim.last_seq)
        if len(news.points):
            append_points(claim.run_id, news.points)
        if news.events:
            apply_events(news.events, run_id=claim.run_id, producer=batch.producer)
    is_repeat = batch.first_seq <= batch.last_seq <= claim.last_seq  # as each import makes them
    _note_life(claim.run_id, news, is_repeat=is_repeat)
    acked_seq = max(claim.last_seq, batch.last_seq)
    if batch.producer:
        logged_seq = max(acked_seq, batch.logged_seq)
        move_watermark(batch.producer, claim.run_id, acked_seq, logged_seq=logged_seq)
    _count(news.points)
    return Ack(acked_seq, claim.run, claim.created)


def _count(points: Points) -> None:
    transaction.on_commit(partial(telemetry.count_batch, len(points)), robust=True)


def _note_life(run_id: int, news: Batch, *, is_repeat: bool) -> None:
    newest_us = news.newest_us() if news.is_past else None
    if newest_us is not None:
        note_earlier_life(run_id, EPOCH + timedelta(microseconds=newest_us))
    elif not (news.is_past or len(news.points) or news.events or is_repeat):
        note_sign_of_life(run_id)


def record_row(
    run: Run, values: Mapping[str, float], *, step: int | None, time_us: int, user: Caller
) -> Ack:
    """Store a logged row; without a `step` it takes the run's next one. Else as `record_batch`."""
    step = check_step(next_step(run) if step is None else step)
    points = Points.of_row(step, values, time_us)
    return record_batch(Batch(run_id=run.pk, points=points), user=user)


def _record_at_once(batch: Batch, user: Caller) -> Ack | None:
    """PostgreSQL's short way, for points that come next; None: it has to be the long one."""
    run_id = recall_run(batch.producer)
    is_plain = len(batch.points) and not batch.events and not batch.is_past
    if not is_plain or run_id is None or batch.producer is None or not can_store_at_once():
        return None
    require_write_run(user, run_id)
    logged_seq = max(batch.last_seq, batch.logged_seq)
    claim = Claim(batch.producer, batch.first_seq - 1, batch.last_seq, logged_seq)
    return Ack(batch.last_seq) if append_at_once(run_id, batch.points, claim=claim) else None


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
    name, namespace = payload.get("project_name"), payload.get("namespace")
    if namespace and not name:
        raise InvalidInput("A namespace needs a project_name.", field="project_name")
    with audit.acting(lambda: user):  # a new project is worth an entry in the log
        run, created = open_run(
            batch.project,
            start,
            project_tags=tags,
            user=user,
            project_name="" if name is None else clean_name(name, "project_name"),
            namespace=clean_name(namespace, "namespace") if namespace else "",
        )
    Producer.objects.create(uuid=producer, run=run)
    return _Claim(run.pk, 0, run, created)
