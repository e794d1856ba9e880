"""What a watcher asks for in the address."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from tracking.errors import InvalidInput, LimitExceeded

UNIX_MS = re.compile(r"-?[0-9]{1,16}")
MAX_FIELDS = 10_000  # all that HEAD_BYTES leave room for, and more than anybody means


@dataclass(frozen=True, slots=True)
class Wanted:
    """`is_single`: the run is named by the path. `since_us`: points from that time on."""

    project: str
    keys: frozenset[str]
    is_single: bool
    since_us: int | None


def parse_wanted(path: dict[str, str], query_string: bytes) -> Wanted:
    """Raises: InvalidInput."""
    query = _query(query_string)
    single = path.get("run")
    keys = {single} if single else _keys(query.get("runs", []))
    if any("\0" in key for key in [path["project"], *keys]):
        raise InvalidInput("A name has a NUL character in it.", field="runs")
    return Wanted(path["project"], frozenset(keys), single is not None, _since_us(query))


def parse_since(query_string: bytes) -> int | None:
    """The time of `?since=`, in microseconds. Raises: InvalidInput."""
    return _since_us(_query(query_string))


def _query(query_string: bytes) -> dict[str, list[str]]:
    options: dict[str, Any] = {"keep_blank_values": True, "max_num_fields": MAX_FIELDS}
    try:
        return parse_qs(query_string.decode("latin1"), errors="strict", **options)
    except UnicodeDecodeError:
        raise InvalidInput("The address is not valid UTF-8.") from None
    except ValueError:
        raise LimitExceeded("The address has too many fields.") from None


def _keys(texts: list[str]) -> set[str]:
    keys = {key.strip() for text in texts for key in text.split(",")} - {""}
    if not keys:
        raise InvalidInput("No runs specified", field="runs")
    most = settings.MAX_RUNS_PER_REQUEST
    if len(keys) > most:
        raise LimitExceeded(f"Too many runs: {len(keys)} (max: {most})", field="runs")
    return keys


def _since_us(query: dict[str, list[str]]) -> int | None:
    if "since" not in query:
        return None
    text = query["since"][-1]
    if not UNIX_MS.fullmatch(text) or abs(int(text)) > 2**50:
        raise InvalidInput("since must be a UNIX time in milliseconds.", field="since")
    return int(text) * 1000
