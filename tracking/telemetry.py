"""What this process counts of itself, for Prometheus. Source: docs/operations.md, "Metrics".

No label has values that callers choose: addresses are those of the URL map, never a project's name.
"""

import platform
from collections.abc import Callable
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

disable_created_metrics()  # a second series for each, of when it began
REGISTRY = CollectorRegistry()  # our own: what libraries count of themselves is not for us to show
ProcessCollector(registry=REGISTRY)

ANSWER_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
GROUPS = (1, 2, 4, 8, 16, 32, 64, 128)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"}
REFUSALS = {
    400: "invalid",
    401: "not signed in",
    403: "not permitted",
    404: "not found",
    405: "method",
    409: "conflict",
    410: "deleted",
    413: "too large",
    415: "media type",
    429: "too many",
    503: "overloaded",
}

requests = Counter(
    "runyard_http_requests",
    "Requests answered.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
answer_s = Histogram(
    "runyard_http_answer_seconds",
    "From a request to the first byte of its answer.",
    ["route"],
    buckets=ANSWER_S,
    registry=REGISTRY,
)
refused = Counter(
    "runyard_refused", "Requests refused, by what was wrong.", ["kind"], registry=REGISTRY
)
watchers = Gauge(
    "runyard_watchers", "Streams and WebSockets that are open.", ["kind"], registry=REGISTRY
)
batches = Counter("runyard_ingest_batches", "Batches stored, by any door.", registry=REGISTRY)
points = Counter("runyard_ingest_points", "Points stored.", registry=REGISTRY)
batch_bytes = Counter(
    "runyard_ingest_bytes", "Bytes that came in by the batch door, as sent.", registry=REGISTRY
)
commit_s = Histogram(
    "runyard_commit_seconds",
    "A group's transaction, commit included.",
    buckets=COMMIT_S,
    registry=REGISTRY,
)
group_size = Histogram(
    "runyard_commit_jobs", "Jobs that shared a commit.", buckets=GROUPS, registry=REGISTRY
)
waiting = Gauge("runyard_writer_waiting", "Jobs that wait for the writer.", registry=REGISTRY)
folds = Counter("runyard_folds", "Runs of which stretches were folded.", registry=REGISTRY)
database_errors = Counter(
    "runyard_database_errors",
    "Errors of the database, by Django's class.",
    ["kind"],
    registry=REGISTRY,
)
database_retries = Counter(
    "runyard_database_retries", "Transactions done again.", registry=REGISTRY
)
artifact_bytes = Counter(
    "runyard_artifact_bytes", "Bytes of artifacts that were stored.", registry=REGISTRY
)
_build = Gauge(
    "runyard_build_info", "Always 1.", ["version", "python", "database"], registry=REGISTRY
)


def count_answer(route: str, method: str, status: int, seconds: float) -> None:
    """`route`: a pattern of the URL map, or "" where there is none for it."""
    kind = method if method in METHODS else "OTHER"  # callers may invent methods
    requests.labels(route or "none", kind, f"{status // 100}xx").inc()
    answer_s.labels(route or "none").observe(seconds)
    if status >= 400 and (reason := REFUSALS.get(status)):
        refused.labels(reason).inc()


def count_batch(point_count: int) -> None:
    batches.inc()
    points.inc(point_count)


def count_commit(job_count: int, seconds: float) -> None:
    commit_s.observe(seconds)
    group_size.observe(job_count)


def count_database_error(error: Exception) -> None:
    database_errors.labels(type(error).__name__).inc()


def watch_queue(measure: Callable[[], int]) -> None:
    waiting.set_function(measure)


def describe_build(version: str, database: str) -> None:
    _build.labels(version, platform.python_version(), database).set(1)


def note_artifact(instance: Any, created: bool, **_: Any) -> None:
    """What a storage has taken in, from the model's signal."""
    if created:
        artifact_bytes.inc(instance.size_bytes)


def render() -> tuple[bytes, str]:
    """Everything as text, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
