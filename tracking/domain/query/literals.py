"""Values as people type them: numbers, durations, times. None is what is none of the sort."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([smhdw])\s*")
LONGEST_S = 200 * 365 * 86_400
DATE = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<minute>[0-9]{2}:[0-9]{2})(?P<second>:[0-9]{2})?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, a minute, a second; or an instant, which has no length."""

    start: datetime
    end: datetime


def read_number(text: str) -> float | int | None:
    """A finite number; a whole one stays exact."""
    if WHOLE.fullmatch(text):
        return int(text)
    if not NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def read_seconds(text: str) -> float | None:
    """`2h`, `1h30m`, `1.5 d`."""
    spans = SPAN.findall(text)
    if not spans or SPAN.sub("", text):
        return None
    seconds = sum(float(count) * UNIT_S[unit] for count, unit in spans)
    return seconds if seconds <= LONGEST_S else None


def read_moment(text: str, now: datetime) -> Moment | None:
    """A date, a time of UTC unless it names its zone, or an age: `2d` is two days ago."""
    if (age_s := read_seconds(text)) is not None:
        instant = now - timedelta(seconds=age_s)
        return Moment(instant, instant)
    match = DATE.fullmatch(text)
    if match is None:
        return None
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    if start.year not in YEARS:
        return None
    start = start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=UTC)
    return Moment(start, start + _length(match))


def _length(match: re.Match[str]) -> timedelta:
    if match["second"]:
        return timedelta(seconds=1)
    return timedelta(minutes=1) if match["minute"] else timedelta(days=1)
