"""The text of server-sent events, and the cursor that their `id` is."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.utils import timezone

from tracking.dialects import ASPARA_STATUS
from tracking.domain.series import Row
from tracking.domain.values import number_word
from tracking.models import Run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETRY_MS = 2_000
RUN_KEY = re.compile(r"[A-Za-z0-9_.~-]{1,250}")
CURSOR_ITEM = re.compile(rf"({RUN_KEY.pattern}):([0-9]{{1,18}})(?::([0-9]{{1,18}}))?")


def retry() -> bytes:
    return f"retry: {RETRY_MS}\n\n".encode()


def comment(text: str) -> bytes:
    return f": {text}\n\n".encode()


class Cursor(NamedTuple):
    """How far a watcher has got with a run. The run's number tells it from another one that is
    made under its key once it has been deleted; 0 is that of a run that does not exist yet.
    """

    revision: int
    number: int | None  # None: an id of the short form, `run:revision`


def cursor_text(cursors: dict[str, Cursor]) -> bytes:
    """`id: run:revision:number,…`: what the watcher has once it has the event below."""
    items = (f"{key}:{one.revision}:{one.number}" for key, one in cursors.items())
    return f"id: {','.join(items)}\n".encode()


def parse_cursors(last_event_id: bytes) -> dict[str, Cursor]:
    """By run key; what is not understood is as if it were not there."""
    items = last_event_id.decode("latin1").split(",")
    matches = (CURSOR_ITEM.fullmatch(item.strip()) for item in items)
    return {
        match[1]: Cursor(int(match[2]), int(match[3]) if match[3] else None)
        for match in matches
        if match
    }


def row_frame(run: Run, row: Row) -> bytes:
    moment = EPOCH + timedelta(microseconds=row.time_us)  # exact, unlike a float
    return _frame(
        "metric",
        {
            "timestamp": _iso(moment),
            "step": row.step,
            "metrics": {name: write_number(value) for name, value in row.values.items()},
            "run": run.key,
            "project": run.project.key,
        },
    )


def status_frame(run: Run) -> bytes:
    return _frame(
        "status",
        {
            "timestamp": _iso(timezone.now()),
            "run": run.key,
            "project": run.project.key,
            "status": ASPARA_STATUS[run.shown_status],
            "is_finished": run.is_finished,
            "exit_code": run.exit_code,
        },
    )


def deleted_frame(project: str, run: str) -> bytes:
    moment = _iso(timezone.now())
    return _frame("deleted", {"timestamp": moment, "run": run, "project": project})


def _frame(event: str, data: dict[str, Any]) -> bytes:
    return b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_number(value: float) -> float | str:
    return value if math.isfinite(value) else number_word(value)
