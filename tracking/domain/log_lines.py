"""Log lines on their way into the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Max

from tracking.domain.runs import revise_run
from tracking.models import LogLine, Run

LEVEL_LENGTH = 20


class NewLine(NamedTuple):
    time: datetime
    level: str
    message: str
    metadata: dict[str, Any]


def append_log_lines(run: Run, lines: Sequence[NewLine]) -> int:
    """Add lines to the end of the run's log, checked as they are; returns the number of the first.

    Call it inside a transaction. Raises: RunDeleted.
    """
    revise_run(run.pk)  # first: its row lock lets those who add lines take turns
    newest = run.log_lines.aggregate(newest=Max("seq"))["newest"]
    first = 0 if newest is None else int(newest) + 1
    LogLine.objects.bulk_create(
        LogLine(
            run=run,
            seq=seq,
            time=line.time,
            level=line.level[:LEVEL_LENGTH],
            message=line.message,
            metadata=line.metadata,
        )
        for seq, line in enumerate(lines, first)
    )
    return first
