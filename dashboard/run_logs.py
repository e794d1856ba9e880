"""The log lines of a run: what is shown of them, and what comes next."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import QueryDict

from dashboard.params import text_param
from dashboard.templatetags.dashboard_format import as_text, pretty_json
from tracking.models import LogLine, Run

LINES = 200
MESSAGE_LENGTH = 2_000  # of one line on the page
METADATA_LENGTH, HINT_LENGTH = 2_000, 80
# From the least to the greatest; levels come as the training wrote them.
SPELLINGS = {
    "debug": ("debug", "trace"),
    "info": ("info", "notice"),
    "warning": ("warning", "warn"),
    "error": ("error",),
    "fatal": ("fatal", "critical"),
}
LEVELS = {spelled: level for level, spellings in SPELLINGS.items() for spelled in spellings}
CHOICES = {
    "debug": "Debug and above",
    "info": "Info and above",
    "warning": "Warnings and above",
    "error": "Errors and fatal",
    "fatal": "Fatal",
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
        return LEVELS.get(self.line.level.lower(), "info")

    @property
    def metadata(self) -> str:
        text = pretty_json(self.line.metadata) if self.line.metadata else ""
        is_cut = len(text) > METADATA_LENGTH
        return f"{text[:METADATA_LENGTH]} … the text file has all of it" if is_cut else text

    @property
    def hint(self) -> str:
        """The metadata in short."""
        pairs = (f"{key}={as_text(value)}" for key, value in self.line.metadata.items())
        text = " ".join(islice(pairs, HINT_LENGTH))
        return text if len(text) <= HINT_LENGTH else f"{text[:HINT_LENGTH]}…"


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
    def choices(self) -> list[tuple[str, str]]:
        return list(CHOICES.items())

    @property
    def first_seq(self) -> int:
        return self.lines[0].line.seq if self.lines else 0


def cut_logs(run: Run, params: QueryDict) -> LogPage:
    """The newest lines, those before `before`, or those after `after`, as the URL asks."""
    level, query = LEVELS.get(params.get("level", "")), text_param(params, "q")
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
        level=level or "",
        query=query,
        last_seq=shown[-1].seq if shown else -1 if after is None else after,
        has_older=has_older,
        has_newer=has_newer,
    )


async def text_lines(run: Run, params: QueryDict) -> AsyncIterator[str]:
    """All lines that match, as a file: time, level, message, metadata."""
    level = LEVELS.get(params.get("level", ""))
    lines = _filter(run.log_lines.all(), level, text_param(params, "q"))
    async for line in lines.order_by("seq").aiterator(chunk_size=2_000):
        time = line.time.isoformat(timespec="milliseconds")
        metadata = f" {as_text(line.metadata)}" if line.metadata else ""
        yield f"{time} {line.level} {plain_text(line.message)}{metadata}\n"


def _filter(lines: QuerySet[LogLine], level: str | None, query: str) -> QuerySet[LogLine]:
    if level:
        least = list(SPELLINGS).index(level)
        spellings = [word for words in list(SPELLINGS.values())[least:] for word in words]
        lines = lines.alias(spelled=Lower("level")).filter(spelled__in=spellings)
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
