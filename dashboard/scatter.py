"""Figures of many runs against each other: what a scatter plot and parallel coordinates draw."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from dashboard.diffs import is_number
from dashboard.problems import Problem, find_runs
from dashboard.templatetags.dashboard_format import duration, figure
from tracking.domain.fields import Field, find_field, read_fields, suggest_fields
from tracking.errors import LimitExceeded
from tracking.models import Project, Run

MAX_DRAWN = 1000  # runs in a plot: more are a cloud
MAX_AXES = 12
LISTED = 100  # runs in the table below a plot; its twins have all
SUGGESTED = 150  # fields that a field of the form knows by itself
ASKED = 40  # fields looked at, and runs asked, to choose axes that tell something
DEFAULT_AXES = 5
TEXT_LENGTH = 80
SYSTEM = ("system/", "sys/")
ODD_WORDS = {"NaN", "Infinity", "-Infinity"}  # as configs hold what JSON has no number for


@dataclass(frozen=True, slots=True)
class Axis:
    field: Field
    kind: str  # number, time (UNIX ms), duration (seconds), text

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def label(self) -> str:
        return self.field.label


@dataclass(frozen=True, slots=True)
class PlotRow:
    run: Run
    values: list[Any]  # one for each axis: a number, a text, or None

    @property
    def is_whole(self) -> bool:
        return None not in self.values


@dataclass(frozen=True, slots=True)
class RunPlot:
    axes: list[Axis]
    rows: list[PlotRow]
    total_count: int  # of the runs that were asked for

    @property
    def listed(self) -> list[tuple[Run, list[str]]]:
        """The table below the plot."""
        kinds = [axis.kind for axis in self.axes]
        return [
            (row.run, [_text(v, kind) for v, kind in zip(row.values, kinds, strict=True)])
            for row in self.rows[:LISTED]
        ]

    @property
    def missing_count(self) -> int:
        """Runs that have no place, because they lack one of the values."""
        return sum(not row.is_whole for row in self.rows)

    @property
    def hidden_count(self) -> int:
        return self.total_count - len(self.rows)


def runs_to_plot(
    project: Project, params: QueryDict, chosen: Sequence[Run]
) -> tuple[QuerySet[Run], Problem | None]:
    """The chosen runs, or, where there are none, those that the URL's `q` finds."""
    if chosen:
        return project.runs.filter(pk__in=[run.pk for run in chosen]), None
    return find_runs(project, params)


def plot_runs(runs: QuerySet[Run], fields: Sequence[Field]) -> RunPlot:
    """The newest `MAX_DRAWN` of the runs with the values of these fields. A few queries."""
    newest = runs.order_by("-started_at", "-pk").only("key", "name", "folder", "color", "project")
    drawn = list(newest[:MAX_DRAWN])
    columns = read_fields(drawn, fields)
    kinds = [_kind([columns[run.pk][place] for run in drawn]) for place in range(len(fields))]
    rows = [
        PlotRow(run, [_plain(v, kind) for v, kind in zip(columns[run.pk], kinds, strict=True)])
        for run in drawn
    ]
    axes = [Axis(field, kind) for field, kind in zip(fields, kinds, strict=True)]
    total = len(drawn) if len(drawn) < MAX_DRAWN else runs.count()
    return RunPlot(axes, rows, total)


def scatter_fields(runs: QuerySet[Run], params: QueryDict) -> list[Field]:
    """What stands across and up, and what gives the colour, if anything. Raises: InvalidInput."""
    names = [params.get(name, "") for name in ("h", "v")]
    if not all(names):
        telling = telling_axes(runs)
        config = [axis for axis in telling if axis.field.source == "config"]
        config.sort(key=lambda axis: axis.kind != "number")
        results = [axis for axis in telling if axis.field.source != "config"]
        defaults = [config[0].name if config else "started", _first_name(results)]
        names = [name or default for name, default in zip(names, defaults, strict=True)]
    color = params.get("color", "")
    return [find_field(name) for name in ([*names, color] if color else names)]


def parallel_fields(runs: QuerySet[Run], params: QueryDict) -> list[Field]:
    """The axes, from left to right; the last one gives the colour. Raises: InvalidInput."""
    names = list(dict.fromkeys(filter(None, params.getlist("axis"))))
    if len(names) > MAX_AXES:
        raise LimitExceeded(f"At most {MAX_AXES} axes fit beside each other.", field="axis")
    if names:
        return [find_field(name) for name in names]
    telling = telling_axes(runs)
    results = [axis for axis in telling if axis.field.source != "config"]
    config = [axis.field for axis in telling if axis.field.source == "config"]
    return [*config[:DEFAULT_AXES], find_field(_first_name(results))]


def _first_name(axes: Sequence[Axis]) -> str:
    return axes[0].name if axes else "duration"


def telling_axes(runs: QuerySet[Run]) -> list[Axis]:
    """Fields in which the newest runs differ: config, then metrics, then summary.

    A metric that is called like something in the config was given, not found out: it comes later.
    """
    known = [field for field in suggest_fields(runs, limit=4 * ASKED) if field.source != "run"]
    order = {"config": 0, "metric": 1, "summary": 2}
    given = {field.path[-1] for field in known if field.source == "config"}
    known.sort(
        key=lambda field: (
            order[field.source],
            field.name.startswith(SYSTEM),
            field.source == "metric" and field.path[0] in given,
        )
    )
    asked = [
        *[field for field in known if field.source == "config"][:ASKED],
        *[field for field in known if field.source != "config"][:ASKED],
    ]
    plot = plot_runs(runs.filter(pk__in=_newest_ids(runs)), asked)
    return [axis for place, axis in enumerate(plot.axes) if _is_telling(plot, place)]


def _newest_ids(runs: QuerySet[Run]) -> list[int]:
    return list(runs.order_by("-started_at", "-pk").values_list("pk", flat=True)[:ASKED])


def _is_telling(plot: RunPlot, place: int) -> bool:
    """It has several values; as text it has fewer than there are runs: names tell nothing."""
    values = [row.values[place] for row in plot.rows if row.values[place] is not None]
    different = len(set(values))
    is_name = plot.axes[place].kind == "text" and different == len(values) > 2
    return different > 1 and not is_name


def _kind(values: Sequence[Any]) -> str:
    """The kind that fits all values there are."""
    there = [value for value in values if value is not None and not _is_odd(value)]
    for kind, is_kind in KINDS.items():
        if there and all(is_kind(value) for value in there):
            return kind
    return "text"


KINDS = {
    "number": is_number,
    "time": lambda value: isinstance(value, datetime),
    "duration": lambda value: isinstance(value, timedelta),
}


def _is_odd(value: Any) -> bool:
    """NaN or an infinity."""
    return (
        value in ODD_WORDS if isinstance(value, str) else is_number(value) and not isfinite(value)
    )


def _plain(value: Any, kind: str) -> float | str | None:
    """As the plot draws it. NaN and infinities have no place on an axis, nor in strict JSON."""
    if value is None or (kind != "text" and _is_odd(value)):
        return None
    if isinstance(value, datetime):
        return value.timestamp() * 1000
    if isinstance(value, timedelta):
        return value.total_seconds()
    if kind == "number":
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:TEXT_LENGTH]


def _text(value: float | str | None, kind: str) -> str:
    if value is None or isinstance(value, str):
        return value or "–"
    if kind == "time":
        return f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M}"
    return duration(timedelta(seconds=value)) if kind == "duration" else figure(value)
