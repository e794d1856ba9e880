"""The words of each published API for what we store under one name."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate
from urllib.parse import quote

from tracking.enums import RunStatus

# *Maybe failed* is Aspara's word for a run that gave no sign of life for a while.
ASPARA_STATUS = {
    RunStatus.RUNNING: "wip",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "failed",
    "stale": "maybe_failed",
}

# AI Manager's; a run that gave no sign of life for a while is still running there.
MANAGER_STATUS = {
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "stopped",
}
# ML-Dash's, as above.
ML_DASH_STATUS = {
    RunStatus.RUNNING: "RUNNING",
    RunStatus.COMPLETED: "COMPLETED",
    RunStatus.FAILED: "FAILED",
    RunStatus.CANCELLED: "CANCELLED",
}
POINTS_OF_METRIC = 10**9  # AI Manager's number of a point: the metric's, times this, and its place


def naive_iso(moment: datetime) -> str:
    """AI Manager's times: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def zulu_iso(moment: datetime) -> str:
    """ML-Dash's times: UTC, with a Z behind."""
    return f"{naive_iso(moment)}Z"


# Names in `runs=` that are no runs: the answer's shape is as if they had not been asked for.
UNKNOWN_RUNS_HEADER = "Runyard-Unknown-Runs"
UNKNOWN_RUNS_LENGTH = 2_000  # of a header: proxies refuse long ones


def list_unknown(asked: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """The header that names unknown runs: percent-encoded, commas between; `+7` ends a cut list."""
    names = [quote(name, safe="") for name in sorted(set(asked) - set(known))]
    ends = accumulate(len(name) + 1 for name in names)
    fitting = sum(end <= UNKNOWN_RUNS_LENGTH for end in ends)
    items = names[:fitting] + ([f"+{len(names) - fitting}"] if fitting < len(names) else [])
    return {UNKNOWN_RUNS_HEADER: ",".join(items)} if items else {}
