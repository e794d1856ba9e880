"""The records that are not points: what each kind of event in a batch does to its run."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.utils import timezone

from tracking.domain import runs
from tracking.domain.batch import Event
from tracking.domain.log_lines import NewLine, append_log_lines
from tracking.domain.names import make_key
from tracking.domain.rows import append_rows, check_stream, describe_stream, parse_rows
from tracking.domain.values import (
    INT64,
    clean_folder,
    clean_map,
    clean_name,
    clean_tags,
    clean_text,
)
from tracking.enums import RunStatus, Source
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import Producer, Run

ENDS = [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED]
MAX_ENVIRONMENT_BYTES = 64 * 1024  # it is read with every run page
STREAM_WORDS = ("description", "tags", "metadata")
MAX_GAPS = 1_000  # a producer with more of them has said enough


def parse_start(payload: dict[str, Any], *, uid: uuid.UUID | None, key: str) -> runs.RunStart:
    """Check a `start` payload. Raises: InvalidInput."""
    source = payload.get("source", Source.ASPARA)
    if source not in Source.values:
        raise InvalidInput(f"source must be one of {', '.join(Source.values)}.", field="source")
    tags, notes, bindrs = payload.get("tags"), payload.get("notes"), payload.get("bindrs")
    name = "" if payload.get("name") is None else clean_name(payload["name"])
    return runs.RunStart(
        uid=uid or uuid.uuid4(),
        key=make_key(name, "run") if name else key,
        name=name,
        source=source,
        config=clean_map(payload.get("config") or {}, "config"),
        tags=None if tags is None else clean_tags(tags),
        notes=None if notes is None else clean_text(notes, "notes"),
        environment=_clean_environment(payload.get("environment") or {}),
        folder=clean_folder(payload.get("folder") or ""),
        readme=clean_text(payload.get("readme") or "", "readme"),
        bindrs=None if bindrs is None else clean_tags(bindrs, "bindrs"),
        metadata=clean_map(payload.get("metadata") or {}, "metadata"),
        resume=payload.get("resume") is True,
        rename_if_taken=True,
        started_at=_time(payload.get("started_at"), "started_at"),
    )


def _clean_environment(value: object) -> dict[str, Any]:
    environment = clean_map(value, "environment")
    size = len(json.dumps(environment, ensure_ascii=False).encode())
    if size > MAX_ENVIRONMENT_BYTES:
        raise LimitExceeded(
            f"environment takes {size} bytes; at most {MAX_ENVIRONMENT_BYTES} are allowed.",
            field="environment",
        )
    return environment


def apply_events(events: tuple[Event, ...], *, run_id: int, producer: uuid.UUID | None) -> None:
    """Do what the events say, in order. A `start` has been done when the run was claimed."""
    run = Run.objects.get(pk=run_id)
    for kind, same in groupby(events, key=attrgetter("kind")):
        payloads = [event.payload for event in same]
        if kind in APPLY_ALL:
            APPLY_ALL[kind](run, payloads)
        elif kind not in APPLY and kind != "gap":
            raise InvalidInput(f"Unknown kind of event: {kind[:40]!r}.", field="events")
        else:
            for payload in payloads:
                _note_gap(producer, payload) if kind == "gap" else APPLY[kind](run, payload)


def _finish(run: Run, payload: dict[str, Any]) -> None:
    status, exit_code = payload.get("status"), payload.get("exit_code")
    if status not in ENDS:
        raise InvalidInput("status must be completed, failed or cancelled.", field="status")
    runs.finish_run(
        run,
        status=RunStatus(status),
        exit_code=None if exit_code is None else clean_exit_code(exit_code),
        reason=clean_text(payload.get("reason") or "", "reason"),
        ended_at=_time(payload.get("time"), "time"),
    )


def _log(run: Run, payloads: list[dict[str, Any]]) -> None:
    lines = [
        NewLine(
            time=_time(payload.get("time"), "time") or timezone.now(),
            level=clean_text(payload.get("level") or "info", "level"),
            message=clean_text(payload.get("message"), "message"),
            metadata=clean_map(payload.get("metadata") or {}, "metadata"),
        )
        for payload in payloads
    ]
    append_log_lines(run, lines)


def _append_rows(run: Run, payloads: list[dict[str, Any]]) -> None:
    now_us = time.time_ns() // 1000
    append_rows(run, parse_rows(payloads, time_us=now_us))


def _describe_stream(run: Run, payload: dict[str, Any]) -> None:
    words = {key: payload[key] for key in STREAM_WORDS if payload.get(key)}
    describe_stream(run, check_stream(payload.get("stream", "")), words)


def _note_artifact(run: Run, payload: dict[str, Any]) -> None:
    """Its bytes came before this record; where they came without all words, the rest stands here.

    One with an `uid` has said everything already, and somebody may have edited it since.
    """
    if payload.get("uid"):
        return
    if metadata := clean_map(payload.get("metadata") or {}, "metadata"):
        files = run.artifacts.filter(path="", name=payload.get("name"), deleted_at=None)
        files.update(metadata=metadata)
        runs.revise_run(run.pk)


def _note_gap(uid: uuid.UUID | None, payload: dict[str, Any]) -> None:
    if uid is None:
        raise InvalidInput("A gap needs a producer.", field="events")
    producer = Producer.objects.get(uuid=uid)
    if len(producer.gaps) < MAX_GAPS:
        producer.gaps.append(clean_map(payload, "gap"))
        producer.save(update_fields=["gaps"])


APPLY: dict[str, Callable[[Run, dict[str, Any]], None]] = {
    "start": lambda *_: None,  # done when the run was claimed
    "artifact": _note_artifact,
    "config": lambda run, payload: runs.merge_config(run, clean_map(payload, "config")),
    "summary": lambda run, payload: runs.merge_summary(run, clean_map(payload, "summary")),
    "tags": lambda run, payload: runs.update_run(run, tags=clean_tags(payload.get("tags"))),
    "notes": lambda run, payload: runs.update_run(
        run, notes=clean_text(payload.get("notes"), "notes")
    ),
    "stream": _describe_stream,
    "finish": _finish,
}
# Those that come in their thousands, at once.
APPLY_ALL: dict[str, Callable[[Run, list[dict[str, Any]]], None]] = {
    "row": _append_rows,
    "log": _log,
}


def clean_exit_code(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise InvalidInput("exit_code must be a whole number.", field="exit_code")
    return value


def _time(value: object, field: str) -> datetime | None:
    """A time from UTC microseconds."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value not in INT64:
        raise InvalidInput(f"{field} must be UTC microseconds.", field=field)
    try:
        return datetime.fromtimestamp(value / 1e6, tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidInput(f"{field} is out of range.", field=field) from None
