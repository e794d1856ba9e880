"""What tells runs apart: their config, metrics and summary side by side."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard.panels import grid_order, telling_order
from dashboard.templatetags.dashboard_format import as_text, figure, flatten
from tracking.models import Metric, Run

CONFIG, METRICS, SUMMARY = "Config", "Metrics", "Summary"
AGGREGATES = ("last", "min", "max")
SHORT, LONG = 60, 300  # characters of a value in its cell, and on hover; the twins have them all
TIMES_FROM = 11  # 0.001 → 0.1 reads better as ×100 than as +9,900 %


class _Missing:
    """A run does not have the value. `None` is a value: JSON's null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Row:
    section: str
    name: str
    aggregate: str  # of a metric: "last", "min", "max"
    values: tuple[Any, ...]  # one for each run, the baseline's first

    @property
    def key(self) -> str:
        return f"{self.name}.{self.aggregate}" if self.aggregate else self.name

    @property
    def differs(self) -> bool:
        return any(not same(value, self.values[0]) for value in self.values[1:])

    @property
    def cells(self) -> list["Cell"]:
        return [Cell(value, self.values[0], place) for place, value in enumerate(self.values)]


@dataclass(frozen=True, slots=True)
class Cell:
    value: Any
    baseline: Any
    place: int

    @property
    def is_baseline(self) -> bool:
        return self.place == 0

    @property
    def is_missing(self) -> bool:
        return self.value is MISSING

    @property
    def is_number(self) -> bool:
        return is_number(self.value) or self.value == "NaN"

    @property
    def is_changed(self) -> bool:
        return not same(self.value, self.baseline)

    @property
    def text(self) -> str:
        return _shorten("–" if self.is_missing else figure(self.value), SHORT)

    @property
    def title(self) -> str:
        """The whole value, where the cell shows less."""
        whole = "" if self.is_missing else as_text(self.value)
        return "" if whole == self.text else _shorten(whole, LONG)

    @property
    def delta(self) -> str:
        return "" if self.is_baseline else delta_text(self.value, self.baseline)


def compare_values(runs: Sequence[Run], metrics: Iterable[Metric]) -> list[Row]:
    """A row for each key that one of the runs has, in the order they are read in."""
    return [
        *_tree_rows(CONFIG, [run.config for run in runs]),
        *_tree_rows(SUMMARY, [run.summary for run in runs]),
        *_metric_rows(runs, metrics),
    ]


def choose_rows(rows: Iterable[Row], *, query: str = "", everything: bool = False) -> list[Row]:
    """Those that differ, or all of them, with every word of the query in their key."""
    words = query.lower().split()
    found = [row for row in rows if all(word in row.key.lower() for word in words)]
    return found if everything else [row for row in found if row.differs]


def _tree_rows(section: str, trees: Sequence[dict[str, Any]]) -> list[Row]:
    leaves = [dict(flatten(tree)) if tree else {} for tree in trees]
    names = sorted({name for tree in leaves for name in tree}, key=grid_order)
    return [
        Row(section, name, "", tuple(tree.get(name, MISSING) for tree in leaves)) for name in names
    ]


def _metric_rows(runs: Sequence[Run], metrics: Iterable[Metric]) -> list[Row]:
    found: dict[str, dict[int, Metric]] = {}
    for metric in metrics:
        found.setdefault(metric.name, {})[metric.run_id] = metric
    return [
        Row(METRICS, name, which, tuple(_aggregate(found[name], run.pk, which) for run in runs))
        for name in sorted(found, key=telling_order)
        for which in AGGREGATES
    ]


def _aggregate(metrics: Mapping[int, Metric], run_id: int, which: str) -> Any:
    metric = metrics.get(run_id)
    if metric is None or metric.last_step is None:
        return MISSING
    value = getattr(metric, which)
    if value is None:
        return "NaN" if which == "last" else MISSING
    return as_text(value).strip('"') if not math.isfinite(value) else value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(one: Any, other: Any) -> bool:
    """1 and 1.0 are the same, 1 and true are not."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def delta_text(value: Any, baseline: Any) -> str:
    """How far a number is from the baseline's: `+12.4 %`, `×100`; nothing where that says nothing."""
    if not (is_number(value) and is_number(baseline)) or same(value, baseline) or not baseline:
        return ""
    try:
        ratio = value / baseline
        share = (value - baseline) / abs(baseline)
    except OverflowError:  # integers of any size
        return ""
    if not math.isfinite(share):
        return ""
    if ratio >= TIMES_FROM:
        return f"×{figure(float(f'{ratio:.3g}'))}"
    sign = "+" if share > 0 else "−"
    return f"{sign}{_percent(abs(share) * 100)} %"


def _percent(size: float) -> str:
    if size < 0.01:
        return "<0.01"
    return f"{size:.2g}" if size < 1 else f"{size:,.1f}".removesuffix(".0")


def _shorten(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
