"""The chart grid: a panel for each metric of the chosen runs, grouped by the metric's prefix."""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2s
from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from dashboard.legend import Legend, find_legend
from dashboard.params import text_param
from dashboard.patterns import name_filter
from tracking.domain.fields import Field, suggest_fields
from tracking.enums import Resolution
from tracking.models import Metric, Run

JUDGING = {"val", "valid", "validation", "eval", "test"}
DRIVING = {"lr", "learning_rate", "epoch", "step", "global_step", "time"}
GRID_STEP = 60  # panels at a time: a project may have 12,000 metrics


@dataclass(frozen=True, slots=True)
class Panel:
    name: str

    @property
    def dom_id(self) -> str:
        """An id that fits any name and stays the same, so that a swap keeps the drawn chart."""
        return f"chart-{blake2s(self.name.encode(), digest_size=6).hexdigest()}"

    @property
    def section(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def title(self) -> str:
        return self.name.rpartition("/")[2] or self.name


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    panels: list[Panel]
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartGrid:
    runs: Sequence[Run]
    sections: list[Section]
    shown_count: int
    total_count: int
    group: str = ""  # the field whose values the runs are grouped by

    @property
    def hidden_count(self) -> int:
        return self.total_count - self.shown_count

    @property
    def next_count(self) -> int:
        return self.shown_count + GRID_STEP

    @property
    def thinned(self) -> list[Run]:
        return [run for run in self.runs if run.resolution == Resolution.THINNED]

    @property
    def summarized(self) -> list[Run]:
        return [run for run in self.runs if run.resolution == Resolution.SUMMARY]

    @property
    def legend(self) -> Legend | None:
        return find_legend(self.runs, self.group) if self.group else None

    @property
    def group_fields(self) -> list[Field]:
        """What these runs may be grouped by."""
        runs = Run.objects.filter(pk__in=[run.pk for run in self.runs])
        return [field for field in suggest_fields(runs) if field.source != "metric"]


def grid_of(runs: Iterable[Run], params: QueryDict) -> ChartGrid:
    """The chart grid as the URL asks for it."""
    return chart_grid(
        list(runs),
        query=text_param(params, "metric"),
        limit=grid_limit(params.get("charts", "")),
        folded=params.getlist("fold"),
        group=text_param(params, "group"),
    )


def chart_grid(
    runs: Sequence[Run],
    *,
    query: str = "",
    limit: int = GRID_STEP,
    folded: Container[str] = (),
    group: str = "",
) -> ChartGrid:
    """The panels of the runs' metrics whose name matches the query, at most `limit` of them.

    `folded`: titles of the sections that are sent closed.
    """
    names = metrics_of(runs).order_by().values_list("name", flat=True).distinct()
    found = filter(name_filter(query), names)
    panels = [Panel(name) for name in sorted(found, key=grid_order)]
    sections = groupby(panels[:limit], key=lambda panel: panel.section)
    return ChartGrid(
        runs=runs,
        group=group,
        sections=[
            Section(title, list(members), title not in folded) for title, members in sections
        ],
        shown_count=min(limit, len(panels)),
        total_count=len(panels),
    )


def metrics_of(runs: Iterable[Run]) -> QuerySet[Metric, Any]:
    return Metric.objects.filter(run__in=[run.pk for run in runs])


def grid_order(name: str) -> tuple[bool, str, str]:
    """By prefix, then by name; what the training is about comes before what the machine did."""
    section, _, title = name.rpartition("/")
    is_system = section.partition("/")[0] in {"system", "sys"}
    return is_system, natural_key(section), natural_key(title)


def telling_order(name: str) -> tuple[int, tuple[bool, str, str]]:
    """What a training is judged by comes before what it does, and both before how it was driven."""
    section, _, title = name.rpartition("/")
    if title in DRIVING:
        return 2, grid_order(name)
    return (0 if section.partition("/")[0] in JUDGING else 1), grid_order(name)


def natural_key(text: str) -> str:
    """`layer2` comes before `layer10`."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), text)


def grid_limit(text: str) -> int:
    """How many panels the URL asks for: whole steps, at least one."""
    steps = int(text) // GRID_STEP if text.isascii() and text.isdigit() and len(text) < 6 else 1
    return max(1, steps) * GRID_STEP
