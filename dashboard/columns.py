"""The columns of the run table: which ones the URL asks for, and which ones it shows unasked."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from django.db.models import Count
from django.http import QueryDict

from dashboard.panels import metrics_of, telling_order
from tracking.domain.fields import Field, find_field, json_field, metric_field
from tracking.errors import InvalidInput, LimitExceeded
from tracking.models import Run

MAX_COLUMNS = 40
MAX_PINNED = 3  # beside the name; more would leave no room for what scrolls
ATTRIBUTE_COLUMNS = ("status", "started", "duration", "tags")
TELLING_COLUMNS = ("folder", "source")  # where the runs of the page differ in them
METRIC_COLUMNS = 4
CONFIG_COLUMNS = 4
# A place in the list, ticks and a download belong to no view of it.
PASSING = ("page", "run", "format", "find", "pick")


@dataclass(frozen=True, slots=True)
class Columns:
    fields: list[Field]
    pinned: int  # so many of them stay in sight, after the name
    are_chosen: bool  # the URL names them

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]


def columns_of(runs: Sequence[Run], params: QueryDict) -> Columns:
    """The columns the URL names, or those that tell most of these runs. Raises: InvalidInput."""
    names = list(dict.fromkeys(params.getlist("col")))
    if len(names) > MAX_COLUMNS + 1:
        raise LimitExceeded(f"A table has at most {MAX_COLUMNS} columns.", field="col")
    fields = [find_field(name) for name in names if name] if names else default_fields(runs)
    pin = params.get("pin", "")
    pinned = int(pin) if pin.isascii() and pin.isdigit() and len(pin) < 3 else 0
    return Columns(fields, min(pinned, MAX_PINNED, len(fields)), bool(names))


def default_fields(runs: Sequence[Run]) -> list[Field]:
    """What every run has, the metrics most of these have, and the config they differ in. Two queries."""
    metrics = [metric_field(name) for name in common_metrics(runs)]
    configs = Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("config", flat=True)
    telling = [name for name in TELLING_COLUMNS if len({getattr(run, name) for run in runs}) > 1]
    first, *rest = ATTRIBUTE_COLUMNS
    attributes = [find_field(name) for name in (first, *telling, *rest)]
    return [*attributes, *metrics, *differing_fields(list(configs))]


def common_metrics(runs: Sequence[Run]) -> list[str]:
    """The metrics most of the runs have, the most common ones first."""
    names = metrics_of(runs).order_by().values_list("name")
    counts = list(names.annotate(run_count=Count("pk")))
    # Thousands of names that a run or two have need not be put into order.
    most = nlargest(METRIC_COLUMNS, (count for _, count in counts))
    common = [(name, count) for name, count in counts if count >= most[-1]]
    common.sort(key=lambda row: (-row[1], telling_order(row[0])))
    return [name for name, _ in common[:METRIC_COLUMNS]]


def differing_fields(configs: Sequence[dict[str, Any]]) -> list[Field]:
    """The keys of which these configs have different values, the most common ones first."""
    values: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for config in configs:
        for path, value in _leaves(config, ()):
            values[path][json.dumps(value)] += 1
    counts = {path: seen.total() for path, seen in values.items() if len(seen) > 1}
    fields: list[Field] = []
    for path in sorted(counts, key=lambda path: (-counts[path], len(path), path)):
        with suppress(InvalidInput):  # a key that no field can name
            fields.append(json_field("config", path))
        if len(fields) == CONFIG_COLUMNS:
            break
    return fields


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The plain values; lists make poor columns unless somebody asks for them."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _leaves(child, (*path, key))
    elif not isinstance(node, list):
        yield path, node


def query_with(params: QueryDict, **changes: object) -> str:
    """The view of these parameters with some of them changed, as a query string with its `?`."""
    query = params.copy()
    for name in (*PASSING, *changes):
        query.pop(name, None)
    for name, value in changes.items():
        query.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return f"?{query.urlencode()}"
