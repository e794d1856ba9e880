"""The log lines of a run: what is shown of them, and what comes next."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import QueryDict

from dashboard.params import text_param
from tracking.models import LogLine, Run

LINES = 200
MESSAGE_LENGTH = 2_000  # of one line on the page
# Each level with those above it; levels come as the training wrote them.
LEVELS = {
    "error": ("error", "critical", "fatal"),
    "warning": ("warning", "warn", "error", "critical", "fatal"),
    "info": ("info", "notice", "warning", "warn", "error", "critical", "fatal"),
}
MARKS = {
    **dict.fromkeys(("error", "critical", "fatal"), "error"),
    **dict.fromkeys(("warning", "warn"), "warning"),
    **dict.fromkeys(("debug", "trace"), "debug"),
}
# Escape sequences of terminals (CSI, OSC and the two-byte ones), then what is left of controls.
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SEQ = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ShownLine:
    line: LogLine
    text: str
    is_cut: bool

    @property
    def mark(self) -> str:
        return MARKS.get(self.line.level.lower(), "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Some lines in order, oldest first."""

    lines: list[ShownLine]
    level: str
    query: str
    last_seq: int  # where the live tail goes on
    has_older: bool
    has_newer: bool

    @property
    def first_seq(self) -> int:
        return self.lines[0].line.seq if self.lines else 0


def cut_logs(run: Run, params: QueryDict) -> LogPage:
    """The newest lines, those before `before`, or those after `after`, as the URL asks."""
    level, query = params.get("level", ""), text_param(params, "q")
    lines = _filter(run.log_lines.all(), level, query)
    after, before = _seq(params, "after"), _seq(params, "before")
    if after is not None:
        found = list(lines.filter(seq__gt=after).order_by("seq")[: LINES + 1])
        shown, has_older, has_newer = found[:LINES], True, len(found) > LINES
    else:
        earlier = lines if before is None else lines.filter(seq__lt=before)
        found = list(earlier.order_by("-seq")[: LINES + 1])
        shown, has_older, has_newer = found[LINES - 1 :: -1], len(found) > LINES, before is not None
    return LogPage(
        lines=[_show(line) for line in shown],
        level=level if level in LEVELS else "",
        query=query,
        last_seq=shown[-1].seq if shown else -1 if after is None else after,
        has_older=has_older,
        has_newer=has_newer,
    )


async def text_lines(run: Run, params: QueryDict) -> AsyncIterator[str]:
    """All lines that match, as a file: time, level, message."""
    lines = _filter(run.log_lines.all(), params.get("level", ""), text_param(params, "q"))
    async for line in lines.order_by("seq").defer("metadata").aiterator(chunk_size=2_000):
        time = line.time.isoformat(timespec="milliseconds")
        yield f"{time} {line.level} {plain_text(line.message)}\n"


def _filter(lines: QuerySet[LogLine], level: str, query: str) -> QuerySet[LogLine]:
    if level in LEVELS:
        spellings = [spelled for word in LEVELS[level] for spelled in (word, word.upper())]
        lines = lines.filter(Q(level__in=spellings))
    return lines.filter(message__icontains=query) if query else lines


def _show(line: LogLine) -> ShownLine:
    text = plain_text(line.message[: 4 * MESSAGE_LENGTH])
    is_cut = len(line.message) > 4 * MESSAGE_LENGTH or len(text) > MESSAGE_LENGTH
    return ShownLine(line, text[:MESSAGE_LENGTH], is_cut)


def plain_text(message: str) -> str:
    """What a terminal would show of it: no colours, and of a progress bar the last state."""
    lines = ESCAPES.sub("", message).rstrip("\r\n").split("\n")
    return "\n".join(CONTROLS.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in lines)


def _seq(params: QueryDict, name: str) -> int | None:
    text = params.get(name, "")
    return int(text) if SEQ.fullmatch(text) else None
