"""The text of server-sent events, and the cursor that their `id` is."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.utils import timezone

from tracking.dialects import ASPARA_STATUS
from tracking.domain.series import Row
from tracking.domain.values import number_word
from tracking.models import Run

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETRY_MS = 2_000
CURSOR_ITEM = re.compile(r"([A-Za-z0-9_.~-]{1,250}):(\d{1,18})")


def retry() -> bytes:
    return f"retry: {RETRY_MS}\n\n".encode()


def comment(text: str) -> bytes:
    return f": {text}\n\n".encode()


def cursor_text(keys: dict[int, str], cursor: dict[int, int]) -> bytes:
    """`id: run:revision,run:revision`: what the watcher has once it has the event below."""
    return f"id: {','.join(f'{keys[pk]}:{cursor[pk]}' for pk in keys)}\n".encode()


def parse_cursor(last_event_id: bytes) -> dict[str, int]:
    """Run key → revision; what is not understood is as if it were not there."""
    items = last_event_id.decode("latin1").split(",")
    matches = (CURSOR_ITEM.fullmatch(item.strip()) for item in items)
    return {match[1]: int(match[2]) for match in matches if match}


def row_frame(run: Run, row: Row) -> bytes:
    moment = EPOCH + timedelta(microseconds=row.time_us)  # exact, unlike a float
    return _frame(
        "metric",
        {
            "timestamp": _iso(moment),
            "step": row.step,
            "metrics": {name: _number(value) for name, value in row.values.items()},
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


def _frame(event: str, data: dict[str, Any]) -> bytes:
    return b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else number_word(value)
