"""Whether the store says the truth: every stretch read, every summary computed again."""

from collections.abc import Iterator

import numpy as np
from django.db import transaction

from tracking.domain.batch import Points
from tracking.domain.stored_files import Fault, check_files
from tracking.domain.summaries import Summary, summarize_metrics
from tracking.enums import Resolution
from tracking.models import Metric, MetricPoint, Run
from tracking.points import Columns, decode

UNREADABLE = (ValueError, RuntimeError, IndexError, TypeError)  # what `decode` makes of bad bytes


def check_store(*, mend: bool = False) -> Iterator[Fault]:
    """Faults in points and summaries, run by run, then in files; with `mend` what can be mended is.

    Summaries and the bounds of a stretch are computed anew from the points. A hole, an overlap or
    data that cannot be read is told and left as it is. Files: see `check_files`. Raises: StoreAway.
    """
    for run_id in Run.everything.order_by("pk").values_list("pk", flat=True).iterator():
        with transaction.atomic():  # nobody writes to what is being compared
            yield from list(
                _check_run(Run.everything.select_related("project").get(pk=run_id), mend)
            )
    yield from check_files(mend=mend)


def _check_run(run: Run, mend: bool) -> Iterator[Fault]:
    for metric in run.metrics.order_by("pk"):
        where = f"{run.project.key}/{run.key}/{metric.name}"
        if run.resolution == Resolution.FULL:
            yield from _check_metric(where, metric, mend)
        else:
            yield from _check_thinned(where, metric, Resolution(run.resolution), mend)


def _check_thinned(
    where: str, metric: Metric, resolution: Resolution, mend: bool
) -> Iterator[Fault]:
    """Points are missing by rule: what is there is in order, and within what the summary says."""
    free_from, parts = 0, []
    for stretch in metric.points.order_by("ordinal").iterator(chunk_size=100):
        if stretch.ordinal < free_from:
            yield Fault(where, f"points from {stretch.ordinal} on are there twice")
        free_from = stretch.ordinal + stretch.count
        try:
            parts.append(decode(stretch.data))
        except UNREADABLE as error:
            yield Fault(where, f"points from {stretch.ordinal} on cannot be read: {error}")
            return
        yield from _check_stretch(where, stretch, parts[-1], mend)
    if free_from > metric.count:
        yield Fault(where, f"{metric.count} points were taken in, {free_from} are there")
    elif metric.count and resolution == Resolution.THINNED:
        yield from _check_extremes(where, metric, parts)


def _check_extremes(where: str, metric: Metric, parts: list[Columns]) -> Iterator[Fault]:
    if not parts:
        yield Fault(where, f"{metric.count} points were taken in, 0 are there")
        return
    columns = Columns.join(parts)
    points = Points([metric.name], np.array([len(columns)]), columns)
    kept = summarize_metrics(points)[0]
    wrong = [
        name
        for name in ("min", "max", "last", "last_step")
        if not _is_same(getattr(metric, name), getattr(kept, name))
    ]
    if wrong:
        yield Fault(where, f"thinned points lack what the summary has: {', '.join(wrong)}")


def _check_metric(where: str, metric: Metric, mend: bool) -> Iterator[Fault]:
    parts: list[Columns] = []
    expected, is_whole = 0, True
    for stretch in metric.points.order_by("ordinal").iterator(chunk_size=100):
        if stretch.ordinal != expected:
            is_whole = False
            yield Fault(where, f"points {expected} to {stretch.ordinal} are missing or twice there")
        expected = stretch.ordinal + stretch.count
        try:
            columns = decode(stretch.data)
        except UNREADABLE as error:
            is_whole = False
            yield Fault(where, f"points from {stretch.ordinal} on cannot be read: {error}")
            continue
        parts.append(columns)
        yield from _check_stretch(where, stretch, columns, mend)
    if metric.count and not expected:
        yield Fault(where, f"{metric.count} points were taken in, 0 are there")
    elif is_whole and parts:
        yield from _check_summary(where, metric, Columns.join(parts), mend)


def _check_stretch(
    where: str, stretch: MetricPoint, columns: Columns, mend: bool
) -> Iterator[Fault]:
    if len(columns) != stretch.count:
        yield Fault(
            where, f"{stretch.count} points said, {len(columns)} there at {stretch.ordinal}"
        )
        return
    bounds = int(columns.steps.min()), int(columns.steps.max())
    if bounds != (stretch.step_min, stretch.step_max):
        if mend:
            MetricPoint.objects.filter(pk=stretch.pk).update(step_min=bounds[0], step_max=bounds[1])
        yield Fault(where, f"steps {bounds[0]} to {bounds[1]} were said to be others", mend)


def _check_summary(where: str, metric: Metric, columns: Columns, mend: bool) -> Iterator[Fault]:
    points = Points([metric.name], np.array([len(columns)]), columns)
    true = summarize_metrics(points)[0]._asdict()
    wrong = [name for name in Summary._fields if not _is_same(getattr(metric, name), true[name])]
    if wrong:
        if mend:
            Metric.objects.filter(pk=metric.pk).update(**true)
        told = ", ".join(f"{name} {getattr(metric, name)} is {true[name]}" for name in wrong)
        yield Fault(where, f"the summary was wrong: {told}", mend)


def _is_same(stored: float | None, true: float | None) -> bool:
    """Sums may differ in the last bits: they were added in another order."""
    if stored is None or true is None:
        return stored is true
    return bool(np.isclose(stored, true, rtol=1e-9, atol=1e-9, equal_nan=True))
